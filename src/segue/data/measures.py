"""Measures of a log that is laid out by user, each in one pass or a few, block by block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.grouping import whole_rows
from segue.data.sessions import Sequences, neighbours
from segue.shapes import Array, Bools, Doubles


def spread(lengths: Mapping[int, int]) -> tuple[int, int, int, int]:
    """The 10th, 50th and 90th percentile of lengths that occur so often, and the greatest; as `np.percentile`."""
    values = np.array(sorted(lengths))
    ends = np.cumsum([lengths[value] for value in values.tolist()])
    place = np.array([0.1, 0.5, 0.9]) * (ends[-1] - 1)
    share = place % 1
    below, above = (values[np.searchsorted(ends, at, side="right")] for at in (np.floor(place), np.ceil(place)))
    step = above - below
    low, middle, high = np.where(share < 0.5, below + step * share, above - step * (1 - share)).astype(int).tolist()
    return low, middle, high, int(values[-1])


def tally(lengths: Array) -> Counter[int]:
    """How often each length occurs."""
    values, times = np.unique(lengths, return_counts=True)
    return Counter(dict(zip(values.tolist(), times.tolist(), strict=True)))


def lengths_between(opens: Bools) -> Counter[int]:
    """How often each length occurs, of stretches that begin where `opens` (E,) says."""
    found: Counter[int] = Counter()
    last = 0
    for block in spill.blocks(len(opens)):
        begins = np.flatnonzero(opens[block]) + block.start
        found.update(tally(np.diff(begins, prepend=last)))
        last = int(begins[-1]) if len(begins) else last
    found[len(opens) - last] += 1
    del found[0]  # before the first
    spill.release(opens)
    return found


class Pairs(NamedTuple):
    """Neighbouring events of a user: how many, of one item, at one time, of those of two items, of those ascending."""

    all: int
    alike: int
    tied: int
    differing: int
    ascending: int


def neighbouring(laid: Sequences, id_place: Array, *, timed: bool) -> Pairs:
    """Count neighbours; items are compared by the place of their id."""
    total = np.zeros(len(Pairs._fields), np.int64)
    for block in spill.blocks(len(laid)):
        before, after = neighbours(block)
        within = laid.user[before] == laid.user[after]
        one, other = laid.item[before][within], laid.item[after][within]
        tied = (laid.time[before] == laid.time[after])[within] & timed
        differ = tied & (one != other)
        ascending = id_place[other[differ]] > id_place[one[differ]]
        total += [len(one), *(int(np.count_nonzero(marks)) for marks in (one == other, tied, differ, ascending))]
        laid.release()
    return Pairs(*total.tolist())


def pauses(laid: Sequences) -> Iterator[Doubles]:
    """Seconds between a user's neighbouring events, block by block."""
    for block in spill.blocks(len(laid)):
        before, after = neighbours(block)
        within = laid.user[before] == laid.user[after]
        yield (laid.time[after] - laid.time[before])[within]
        laid.release()


def median(laid: Sequences) -> float:
    """Of the pauses."""
    number = sum(map(len, pauses(laid)))
    middle = [ordered(laid, place) for place in {(number - 1) // 2, number // 2}]
    return float(np.mean(middle))


def ordered(laid: Sequences, place: int) -> float:
    """The pause at a place, from 0, in ascending order; by its digits of 16 bits, so that no list of them is kept."""
    known = np.uint64(0)
    for shift in np.array([48, 32, 16, 0], np.uint64):
        found = np.zeros(2**16, np.int64)
        for part in pauses(laid):
            # as whole numbers, floats from 0 on have the same order
            bits = (part + 0.0).view(np.uint64) >> shift
            digit = bits[bits >> np.uint64(16) == known] & np.uint64(0xFFFF)
            found += np.bincount(digit.astype(np.int64), minlength=2**16)
        ends = np.cumsum(found)
        digit_there = int(np.searchsorted(ends, place, side="right"))
        place -= int(ends[digit_there] - found[digit_there])
        known = known << np.uint64(16) | np.uint64(digit_there)
    return float(known.view(np.float64))


def distinct_pairs(laid: Sequences, n_items: int) -> int:
    """How many pairs of a user and an item occur."""
    total = 0
    for left, right in whole_rows(laid.bounds, spill.BLOCK):
        events = slice(int(laid.bounds[left]), int(laid.bounds[right]))
        if right == left + 1:
            total += int(np.count_nonzero(spill.counted(laid.item[events], n_items)))
        else:
            pairs = np.sort(laid.user[events].astype(np.int64) * n_items + laid.item[events])
            total += 1 + int(np.count_nonzero(np.diff(pairs)))  # np.unique takes ten times as long
        laid.release()
    return total
