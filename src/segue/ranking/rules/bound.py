"""Rules in terms of a catalog: what was written by id is an item here. Two sets become one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from segue.ranking.rules.facts import Facts
from segue.shapes import Bools, Doubles, Ints

NONE: Ints = np.zeros(0, np.int32)

SORTED = 10_000
"""Sets of so many items are united by `np.unique`; larger ones, of which that takes 100 ms, are marked."""


@dataclass(frozen=True)
class Kinds:
    """Kinds of which two items do not stand within so many places of each other.

    Attributes:
        within: 1: not side by side.
        by: the column whose values are kinds.
        chosen: the values that are; None: all.
        items: in place of the column: these are one kind.
    """

    facts: Facts
    within: int
    by: str = ""
    chosen: frozenset[Hashable] | None = None
    items: frozenset[int] | None = None

    def of(self, item: int) -> tuple[Hashable, ...]:
        """The kinds of an item."""
        if self.items is not None:
            return (True,) if item in self.items else ()
        values = self.facts.values(self.by, item)
        return tuple(value for value in values if self.chosen is None or value in self.chosen)

    def members(self, kind: Hashable) -> Ints:
        """The items of a kind, ascending."""
        if self.items is not None:
            return np.array(sorted(self.items), np.int32)
        return self.facts.members(self.by)[kind]


@dataclass(frozen=True)
class Bound:
    """A set of rules for N items.

    Attributes:
        denied: items that may not be answered, ascending.
        allowed: of which alone may be answered, ascending; None: any.
        windows: items, from when on, and until when they may be answered.
        shifted: items whose scores are changed, ascending.
        shift: by how much each.
        pins: items by their places.
        apart: kinds that are kept apart.
        unknown_items, unknown_categories: what was named and the catalog does not have.
    """

    denied: Ints = field(default_factory=lambda: NONE)
    allowed: Ints | None = None
    windows: Sequence[tuple[Ints, float, float]] = ()
    shifted: Ints = field(default_factory=lambda: NONE)
    shift: Doubles = field(default_factory=lambda: np.zeros(0))
    pins: Mapping[int, int] = field(default_factory=dict)
    apart: Sequence[Kinds] = ()
    unknown_items: Sequence[str] = ()
    unknown_categories: Sequence[str] = ()

    def gather(self) -> None:
        """Have the items of each kind at hand: of a large catalog, a list would wait a second for those of a column."""
        for kinds in self.apart:
            if kinds.items is None:
                kinds.facts.members(kinds.by)

    def closed(self, at: float) -> Ints:
        """The items whose windows are not open at a time, ascending."""
        return united([items for items, begin, end in self.windows if not begin <= at < end])

    def shift_of(self, items: Ints) -> Doubles:
        """(C,) what is added to the score of each."""
        total = np.zeros(len(items))
        if len(self.shifted) > len(items):
            known = are_in(self.shifted, items)
            total[known] = self.shift[np.searchsorted(self.shifted, items[known])]
        elif len(self.shifted):
            known = are_in(items, self.shifted)
            total[np.searchsorted(items, self.shifted[known])] = self.shift[known]
        return total


def joined(first: Bound, second: Bound) -> Bound:
    """Two sets as one. What either forbids is forbidden, and scores are changed by both.

    Of two pins of one place, or of one item, the second's counts.
    """
    allowed = second.allowed if first.allowed is None else first.allowed
    if first.allowed is not None and second.allowed is not None:
        allowed = np.intersect1d(first.allowed, second.allowed, assume_unique=True)
    moved = set(second.pins.values())
    shifted, shift = summed([*zip((first.shifted, second.shifted), (first.shift, second.shift), strict=True)])
    return Bound(
        denied=united([first.denied, second.denied]),
        allowed=allowed,
        windows=(*first.windows, *second.windows),
        shifted=shifted,
        shift=shift,
        pins={place: item for place, item in first.pins.items() if item not in moved} | dict(second.pins),
        apart=(*first.apart, *second.apart),
        unknown_items=list(dict.fromkeys((*first.unknown_items, *second.unknown_items))),
        unknown_categories=list(dict.fromkeys((*first.unknown_categories, *second.unknown_categories))),
    )


def united(sets: Sequence[Ints]) -> Ints:
    """The items of any of some sets, ascending."""
    sets = [items for items in sets if len(items)]
    if len(sets) < 2:
        return sets[0] if sets else NONE
    if sum(len(items) for items in sets) <= SORTED:
        return np.unique(np.concatenate(sets))
    named = np.zeros(max(int(items[-1]) for items in sets) + 1, bool)
    for items in sets:
        named[items] = True
    return np.flatnonzero(named).astype(np.int32)


def are_in(items: Ints, some: Ints) -> Bools:
    """(C,) which of some are among items, which ascend. These may be many: they are not gone through."""
    if not len(items):
        return np.zeros(len(some), bool)
    some = np.asarray(some, items.dtype)  # else all of them are converted
    place = np.minimum(np.searchsorted(items, some), len(items) - 1)
    return np.asarray(items[place] == some)


def summed(weights: Sequence[tuple[Ints, Doubles]]) -> tuple[Ints, Doubles]:
    """Items with what is added to each of them, all in all, ascending."""
    weights = [(some, shift) for some, shift in weights if len(some)]
    if not weights:
        return NONE, np.zeros(0)
    if sum(len(some) for some, _ in weights) <= SORTED:
        few, where = np.unique(np.concatenate([some for some, _ in weights]), return_inverse=True)
        sums = np.bincount(where, np.concatenate([shift for _, shift in weights]))
        return few.astype(np.int32), sums.astype(np.float64)
    size = max(int(some[-1]) + 1 for some, _ in weights)
    named, total = np.zeros(size, bool), np.zeros(size)
    for some, shift in weights:
        named[some] = True
        total[some] += shift
    items = np.flatnonzero(named).astype(np.int32)
    return items, total[items]
