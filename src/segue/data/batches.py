"""Sequences packed into windows of T events by B rows, with nothing wasted on padding."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heapreplace
from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.sessions import Sequences
from segue.shapes import Bools, Longs

BALANCED = 20_000
"""How many sequences are dealt out one by one to level the rows; the rest is cut in bulk."""

PORTION = 1 << 21
"""Events, about, that are laid on the rows at a time: an epoch of more goes through in portions."""

CLUMP = 1 << 14
"""Events, about, whose sequences go into the same portion: neighbours, so that a portion is read in long runs."""


class Batch(NamedTuple):
    """A window of T events by B rows. Rows go on from window to window: carry the state.

    Attributes:
        place: (T, B) where the event lies in the sequences, -1 for none.
        starts: (T, B) True where the row begins at the initial state.
    """

    place: Longs
    starts: Bools


class Stretches(NamedTuple):
    """Runs of events, each from one start to the next: where they begin, and how many events they have."""

    begins: Longs
    lengths: Longs


def windows(
    sequences: Sequences, *, rows: int, window: int, rng: np.random.Generator | None = None, skip: int = 0
) -> Iterator[Batch]:
    """One pass over all events, in windows of one and the same shape.

    A log of more than `PORTION` events goes through in portions: rows end with a portion and begin anew in the next.

    Args:
        sequences: E events, E >= 1.
        rows: B.
        window: T.
        rng: shuffles the sequences; None keeps their order.
        skip: leave out the first so many windows, at little cost.
    """
    for stretches in portions(sequences, rng):
        lanes = rows_of(stretches, rows, rng)
        longest = max(int(lane.lengths.sum()) for lane in lanes)
        if skip >= -(-longest // window):
            skip -= -(-longest // window)
            continue
        width = window * max(1, PORTION // (rows * window))
        for left in range(skip * window, longest, width):
            layout = np.full((min(width, longest - left), rows), -1, np.int64)
            for row, lane in enumerate(lanes):
                places = places_between(lane, left, left + width)
                layout[: len(places), row] = places
            for top in range(0, len(layout), window):
                place = np.full((window, rows), -1, np.int64)
                part = layout[top : top + window]
                place[: len(part)] = part
                yield Batch(place, (place >= 0) & sequences.starts[place])
            sequences.release()
        skip = 0


def portions(sequences: Sequences, rng: np.random.Generator | None) -> Iterator[Stretches]:
    """All stretches, in portions of about `PORTION` events; clumps of neighbours are dealt to them by `rng`."""
    number = -(-len(sequences) // PORTION)
    if number <= 1:
        yield stretches_of(sequences, slice(0, len(sequences)), len(sequences))
        return
    clumps = list(spill.blocks(len(sequences), CLUMP))
    ends = ends_of(sequences, clumps)
    order = np.arange(len(clumps)) if rng is None else rng.permutation(len(clumps))
    for part in np.array_split(order, min(number, len(clumps))):
        found = [stretches_of(sequences, clumps[number], ends[number]) for number in np.sort(part).tolist()]
        yield Stretches(*(np.concatenate(column) for column in zip(*found, strict=True)))


def stretches_of(sequences: Sequences, events: slice, end: int) -> Stretches:
    """The stretches that begin among some events; the last of them goes to `end`."""
    begins = np.flatnonzero(sequences.starts[events]) + events.start
    return Stretches(begins, np.diff(begins, append=end) if len(begins) else begins)


def ends_of(sequences: Sequences, clumps: list[slice]) -> list[int]:
    """Where the last stretch that begins in each clump ends: at the first start after the clump."""
    ends, after = [], len(sequences)
    for clump in reversed(clumps):
        ends.append(after)
        starts = sequences.starts[clump]
        after = int(clump.start + starts.argmax()) if starts.any() else after
    spill.release(sequences.starts)
    return ends[::-1]


def rows_of(stretches: Stretches, rows: int, rng: np.random.Generator | None) -> list[Stretches]:
    """Lay whole stretches one after another on rows of nearly equal length.

    Args:
        stretches: what to lay.
        rows: B.
        rng: shuffles the stretches; None keeps their order.

    Returns:
        The stretches of each of B rows.
    """
    begins, lengths = stretches
    chosen = np.arange(len(begins)) if rng is None else rng.permutation(len(begins))
    head, tail = chosen[: max(0, len(chosen) - BALANCED)], chosen[-BALANCED:]
    tail = tail[np.argsort(-lengths[tail], kind="stable")]
    # The bulk is one stream, cut at the joints next to equal shares; then the longest first to the shortest row.
    ends = np.cumsum(lengths[head])
    cuts = np.searchsorted(ends, np.arange(1, rows) * (ends[-1] / rows if len(ends) else 0))
    parts = np.split(head, cuts)
    heap = [(int(lengths[part].sum()), row) for row, part in enumerate(parts)]
    heapify(heap)
    extra: list[list[int]] = [[] for _ in range(rows)]
    for stretch, length in zip(tail.tolist(), lengths[tail].tolist(), strict=True):
        total, row = heap[0]
        extra[row].append(stretch)
        heapreplace(heap, (total + length, row))
    lanes = []
    for part, more in zip(parts, extra, strict=True):
        lane = np.concatenate([part, np.array(more, np.int64)])
        if rng is not None:
            rng.shuffle(lane)
        lanes.append(Stretches(begins[lane], lengths[lane]))
    return lanes


def places_between(lane: Stretches, left: int, right: int) -> Longs:
    """The places of the events `left` to `right` of a row, fewer where the row is over."""
    ends = np.cumsum(lane.lengths)
    some = slice(int(np.searchsorted(ends, left, side="right")), int(np.searchsorted(ends, right)) + 1)
    begins, lengths, ends = lane.begins[some], lane.lengths[some], ends[some]
    cut = (left - (ends - lengths)).clip(min=0)  # of the first alone, and of the last what lies after `right`
    return runs(begins + cut, lengths - cut - (ends - right).clip(min=0))


def runs(begins: Longs, lengths: Longs) -> Longs:
    """begins[0], begins[0] + 1, ... for `lengths[0]` places, then the next run."""
    total = int(lengths.sum())
    steps = np.ones(total, np.int64)
    if total:
        ends = np.cumsum(lengths)[:-1]
        steps[0] = begins[0]
        steps[ends] = begins[1:] - (begins[:-1] + lengths[:-1] - 1)
    return np.cumsum(steps)
