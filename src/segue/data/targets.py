"""What each event learns: the item that comes next, or the next one that is to be predicted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.sessions import Sequences
from segue.shapes import Array, Floats, Ints, Longs


class Targets(NamedTuple):
    """What each of E events learns.

    Attributes:
        item: (E,) the item to predict, -1 for none.
        worth: (E,) how much it counts, 1 on average over those that learn something; None: all count alike.
    """

    item: Ints
    worth: Floats | None = None


def weighted_targets(sequences: Sequences, reach: str = "next") -> Targets:
    """What each event learns: what comes right after it (`next`), or the next to be predicted in its session (`ahead`).

    Where all are to be predicted the two are the same.
    """
    if sequences.worth is None:
        return Targets(targets_of(sequences))
    place = places_ahead(sequences) if reach == "ahead" else places_next(sequences)

    def of(column: Array, none: float) -> Array:
        def values(block: slice) -> Array:
            at = place[block]
            return np.where(at >= 0, column[np.maximum(at, 0)], none)

        return spill.filled(len(sequences), column.dtype, values, place)

    item, worth = of(sequences.item, -1), of(sequences.worth, 0.0)
    blocks = list(spill.blocks(len(worth)))
    learning = sum(int(np.count_nonzero(worth[block])) for block in blocks)
    whole = sum(float(worth[block].sum(dtype=np.float64)) for block in blocks)
    scale = learning / whole if whole > 0 else 1.0
    return Targets(item.astype(np.int32, copy=False), spill.filled(len(worth), np.float32, lambda b: worth[b] * scale))


def places_next(sequences: Sequences) -> Longs:
    """(E,) the place right after each event if that is a target and to be predicted, -1 else."""
    assert sequences.worth is not None
    worth = sequences.worth

    def following(block: slice) -> Array:
        after = np.arange(block.start + 1, min(block.stop + 1, len(sequences)))
        ends = sequences.opens[after] | sequences.starts[after]
        place = np.full(block.stop - block.start, -1, np.int64)
        place[: len(after)] = np.where(ends | (worth[after] <= 0), -1, after)
        return place

    return spill.filled(len(sequences), np.int64, following, sequences.opens, sequences.starts, worth)


def places_ahead(sequences: Sequences) -> Longs:
    """(E,) the next place in the session of each event that is to be predicted, -1 for none."""
    assert sequences.worth is not None
    place = spill.empty(len(sequences), np.int64)
    end, found = len(sequences), len(sequences)
    # from the last event to the first: of what comes after a block, where a session ends and what is wanted first
    for block in reversed(list(spill.blocks(len(sequences)))):
        at = np.arange(block.start, block.stop)
        opens = np.where(sequences.opens[block] | sequences.starts[block], at, end)
        wanted = np.where(sequences.worth[block] > 0, at, found)
        # what begins or is wanted at a place or later, from the right; an event looks at what is after it
        begins = np.minimum.accumulate(np.append(opens, end)[::-1])[::-1]
        first = np.minimum.accumulate(np.append(wanted, found)[::-1])[::-1]
        place[block] = np.where(first[1:] < begins[1:], first[1:], -1)
        end, found = int(begins[0]), int(first[0])
        spill.release(place)
    return place


def targets_of(sequences: Sequences) -> Ints:
    """(E,) the item that comes next after each event, -1 where none may be asked for.

    None is where the next event belongs to someone else or opens a session: first events are no targets.
    """

    def following(block: slice) -> Array:
        after = slice(block.start + 1, block.stop + 1)
        target = np.full(block.stop - block.start, -1, np.int32)
        item = np.where(sequences.opens[after] | sequences.starts[after], -1, sequences.item[after])
        target[: len(item)] = item
        return target

    return spill.filled(len(sequences), np.int32, following, sequences.item, sequences.opens, sequences.starts)
