"""What the counting models share: known events, lists a row, an order by popularity, checks on loading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from segue.data import spill
from segue.data.sessions import Sequences
from segue.errors import ArtifactError, TrainingError
from segue.models.base import Event, State
from segue.shapes import Array, Bools, Doubles, Floats, Ints, Longs


class Known(NamedTuple):
    """The E events of a training log whose item is in the catalog, user by user.

    Attributes:
        item: (E,) item indices.
        session: (E,) the number of the session, rising.
        time: (E,) as in the log; without times, the place in the log as it is laid out by user.
        wanted: (E,) whether it is to be predicted; None: all are.
    """

    item: Ints
    session: Longs
    time: Doubles
    wanted: Bools | None = None

    @property
    def predicted(self) -> Known:
        """Those of the events that are to be predicted."""
        if self.wanted is None:
            return self
        item, session, time = (spill.kept(column, self.wanted) for column in (self.item, self.session, self.time))
        return Known(item, session, time)


def known_events(sequences: Sequences, n_items: int) -> Known:
    """The events to count. Raises TrainingError if there are none, or an index is outside the catalog."""
    item = sequences.item
    most = max((int(item[block].max()) for block in spill.blocks(len(item))), default=-1)
    if most < 0:
        raise TrainingError(
            f"none of the {len(sequences)} training events has an item of the catalog ({n_items} items): "
            "there is nothing to count; check the split and the item ids"
        )
    if most >= n_items:
        raise TrainingError(f"item index {most} in a catalog of {n_items} items (0 to {n_items - 1})")
    keep = spill.filled(len(item), bool, lambda block: item[block] >= 0, item)
    time = sequences.time
    if not sequences.timed:
        time = spill.filled(len(item), np.float64, lambda block: np.arange(block.start, block.stop, dtype=np.float64))
    session = spill.cumulated(sequences.opens)[1:]
    worth, wanted = sequences.worth, None
    if worth is not None:
        wanted = spill.kept(spill.filled(len(item), bool, lambda block: worth[block] > 0, worth), keep)
        if not any(wanted[block].any() for block in spill.blocks(len(wanted))):
            raise TrainingError(
                f"none of the {len(wanted)} training events is to be predicted: the objective asks for what only later "
                "parts of the log have; look at the split and the objective"
            )
    return Known(spill.kept(item, keep), spill.kept(session, keep), spill.kept(time, keep), wanted)


class Lists(NamedTuple):
    """A list of numbers for each of R rows, end to end: compressed sparse rows.

    Attributes:
        bounds: (R + 1,) where each row's list begins and ends in `values`.
        values: the lists, one after another.
    """

    bounds: Longs
    values: Ints

    @classmethod
    def grouped(cls, rows: Array, values: Array, n_rows: int) -> Lists:
        """From (row, value) pairs that are sorted by row."""
        return cls(_bounds(spill.counted(rows, n_rows)), values.astype(np.int32, copy=False))

    @classmethod
    def empty(cls, n_rows: int) -> Lists:
        """No values in any row."""
        return cls(np.zeros(n_rows + 1, np.int64), np.zeros(0, np.int32))

    @classmethod
    def checked(cls, name: str, bounds: Longs, values: Ints, limit: int) -> Lists:
        """From saved arrays. Raises ArtifactError unless they fit each other, with values in 0..limit-1."""
        if not len(bounds) or bounds[0] != 0 or bounds[-1] != len(values) or (np.diff(bounds) < 0).any():
            raise ArtifactError(f"the lists `{name}` are damaged: their bounds do not fit {len(values)} values")
        if len(values) and (values.min() < 0 or values.max() >= limit):
            raise ArtifactError(f"the lists `{name}` are damaged: a value is outside 0 to {limit - 1}")
        return cls(bounds, values)

    def place(self, row: int) -> slice:
        """Where a row's list is in `values`."""
        return slice(int(self.bounds[row]), int(self.bounds[row + 1]))

    def join(self, rows: Longs) -> tuple[Ints, Longs]:
        """The lists of some rows end to end, and the length of each."""
        begin = self.bounds[rows]
        lengths = self.bounds[rows + 1] - begin
        shift = np.repeat(begin - _bounds(lengths)[:-1], lengths)
        return self.values[np.arange(len(shift)) + shift], lengths


def _bounds(lengths: Array) -> Longs:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def popularity_order(counts: Longs) -> Doubles:
    """(N,) a place in [0, 1) by count: equal counts share a place, and the L distinct places are 1 / L apart.

    >>> popularity_order(np.array([7, 0, 7, 300])).round(2).tolist()
    [0.33, 0.0, 0.33, 0.67]
    """
    levels, place = np.unique(counts, return_inverse=True)
    return np.asarray(place / max(len(levels), 1), np.float64)


def clock(batch_size: int) -> Doubles:
    """(B,) the `time` of a state before any event."""
    return np.full(batch_size, np.nan)


def latest_item(event: Event, state: State) -> Ints:
    """(B,) the item of the event, or the one of the state where that is unknown."""
    return np.where(event.item >= 0, event.item, state["item"]).astype(np.int32)


def same_for_all(scores: Array, n_rows: int, candidates: Ints | None) -> Floats:
    """(B, C) one row of scores (N,), written out for each query."""
    row = scores if candidates is None else scores[candidates]
    return np.tile(row.astype(np.float32), (n_rows, 1))


def taken(arrays: Mapping[str, Array], expected: Mapping[str, tuple[Any, int | None]]) -> dict[str, Array]:
    """The saved arrays a model needs, each with one axis.

    Args:
        arrays: by name.
        expected: for each name its type and length; None: any length.

    Raises:
        ArtifactError: an array is missing or does not fit.
    """
    chosen = {}
    for name, (dtype, length) in expected.items():
        if name not in arrays:
            raise ArtifactError(f"the array `{name}` is missing (found: {', '.join(sorted(arrays)) or 'none'})")
        array = np.asarray(arrays[name])
        fits = array.ndim == 1 and (length is None or len(array) == length)
        if not fits or not np.can_cast(array.dtype, dtype, "same_kind"):
            wanted = f"{np.dtype(dtype)} with shape ({'any' if length is None else length},)"
            raise ArtifactError(f"the array `{name}` is {array.dtype} {array.shape}, expected {wanted}")
        chosen[name] = array.astype(dtype, copy=False)
    return chosen
