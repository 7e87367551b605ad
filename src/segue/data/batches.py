"""Sequences packed into windows of T events by B rows, with nothing wasted on padding."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heapreplace
from typing import NamedTuple

import numpy as np

from segue.data.sessions import Sequences
from segue.shapes import Array, Bools, Ints, Longs

BALANCED = 20_000
"""How many sequences are dealt out one by one to level the rows; the rest is cut in bulk."""


class Batch(NamedTuple):
    """A window of T events by B rows. Rows go on from window to window: carry the state.

    Attributes:
        place: (T, B) where the event lies in the sequences, -1 for none.
        starts: (T, B) True where the row begins at the initial state.
    """

    place: Longs
    starts: Bools


def rows_of(sequences: Sequences, rows: int, rng: np.random.Generator | None) -> Array:
    """Lay whole stretches (from one start to the next) one after another on B rows of nearly equal length.

    Args:
        sequences: E events.
        rows: B.
        rng: shuffles the stretches; None keeps their order.

    Returns:
        (B, L) places in the sequences, -1 past the end of a row.
    """
    begins = np.flatnonzero(sequences.starts)
    lengths = np.diff(np.append(begins, len(sequences)))
    chosen = np.arange(len(begins)) if rng is None else rng.permutation(len(begins))
    head, tail = chosen[: max(0, len(chosen) - BALANCED)], chosen[-BALANCED:]
    tail = tail[np.argsort(-lengths[tail], kind="stable")]
    # The bulk is one stream, cut at the joints next to equal shares; then the longest first to the shortest row.
    ends = np.cumsum(lengths[head])
    cuts = np.searchsorted(ends, np.arange(1, rows) * (ends[-1] / rows if len(ends) else 0))
    parts: list[list[Array]] = [[part] for part in np.split(head, cuts)]
    heap = [(int(lengths[part[0]].sum()), row) for row, part in enumerate(parts)]
    heapify(heap)
    extra: list[list[int]] = [[] for _ in range(rows)]
    for stretch, length in zip(tail.tolist(), lengths[tail].tolist(), strict=True):
        total, row = heap[0]
        extra[row].append(stretch)
        heapreplace(heap, (total + length, row))
    layout = np.full((rows, max(total for total, _ in heap)), -1, np.int32 if len(sequences) < 2**31 else np.int64)
    for row, part in enumerate(parts):
        stretches = np.concatenate([part[0], np.array(extra[row], np.int64)])
        if rng is not None:
            rng.shuffle(stretches)
        places = runs(begins[stretches], lengths[stretches])
        layout[row, : len(places)] = places
    return layout


def runs(begins: Longs, lengths: Longs) -> Longs:
    """begins[0], begins[0] + 1, ... for `lengths[0]` places, then the next run."""
    total = int(lengths.sum())
    steps = np.ones(total, np.int64)
    if total:
        ends = np.cumsum(lengths)[:-1]
        steps[0] = begins[0]
        steps[ends] = begins[1:] - (begins[:-1] + lengths[:-1] - 1)
    return np.cumsum(steps)


def windows(sequences: Sequences, *, rows: int, window: int, rng: np.random.Generator | None = None) -> Iterator[Batch]:
    """One pass over all events, in windows of one and the same shape.

    Args:
        sequences: E events, E >= 1.
        rows: B.
        window: T.
        rng: shuffles the sequences; None keeps their order.
    """
    layout = rows_of(sequences, rows, rng)
    for left in range(0, layout.shape[1], window):
        place = np.full((window, rows), -1, np.int64)
        part = layout[:, left : left + window].T
        place[: len(part)] = part
        yield Batch(place, (place >= 0) & sequences.starts[place])


def targets_of(sequences: Sequences) -> Ints:
    """(E,) the item that comes next after each event, -1 where none may be asked for.

    None is where the next event belongs to someone else or opens a session: first events are no targets.
    """
    target = np.full(len(sequences), -1, np.int32)
    target[:-1] = np.where(sequences.opens[1:] | sequences.starts[1:], -1, sequences.item[1:])
    return target
