"""What an index finds where rules have changed scores: it is asked for each change by itself."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from segue.ranking.codes import is_much
from segue.ranking.index import Index
from segue.ranking.pool import Pool, pool_of
from segue.ranking.rules import Bound, Limits
from segue.ranking.rules.bound import are_in, united
from segue.ranking.top_k import Exclusions
from segue.shapes import Bools, Doubles, Floats, Ints

NO_EXCLUSIONS = Exclusions(np.zeros(0, np.int64), np.zeros(0, np.int64))

MOST_CHANGES = 32
"""More different changes of many items are not told apart."""

MOST_SCORED = 8
"""Items of small changes are scored one by one, up to this part of the catalog."""


class Group(NamedTuple):
    """Items whose scores are changed alike, too many to score each.

    Attributes:
        shut: (N,) true for all others, and for what may not be answered.
        shift: what is added to their scores.
    """

    shut: Bools
    shift: float


class Searched:
    """The best of a large catalog, with scores that boosts and buries have changed.

    Args:
        query: (1, D).
        groups: of which each is searched.
        items: the others, ascending, and what is added to their scores: each of them is scored.
    """

    def __init__(self, index: Index, query: Floats, groups: list[Group], items: Ints, shift: Doubles) -> None:
        self._index, self._query, self._groups = index, query, groups
        self._items = items
        self._scores = index.scored(query, items[None].astype(np.int64))[0].astype(np.float64) + shift
        self._known: dict[int, float] = {}

    @classmethod
    def of(cls, index: Index, query: Floats, limits: Limits, bound: Bound) -> Self | None:
        """What an index is asked for; None: it is of no use."""
        n_items, mask = limits.n_items, limits.mask
        if not is_much(n_items - int(np.count_nonzero(mask)), n_items):
            return None
        pins = np.unique(np.fromiter(bound.pins.values(), np.int32))
        plain = mask.copy()
        plain[bound.shifted] = plain[pins] = True
        groups, small = [Group(plain, 0.0)], [pins[~mask[pins]]]
        # a pin is scored by itself
        left = ~mask[bound.shifted] & ~are_in(pins, bound.shifted)
        items, shift = bound.shifted[left], bound.shift[left]
        for _ in range(MOST_CHANGES):
            if not is_much(len(items), n_items):
                break
            alike = shift == shift[len(shift) // 2]
            some = items[alike]
            if is_much(len(some), n_items):
                shut = np.ones(n_items, bool)
                shut[some] = False
                groups.append(Group(shut, float(shift[len(shift) // 2])))
            else:
                small.append(some)
            items, shift = items[~alike], shift[~alike]
        some = united([*small, items])
        if len(some) * MOST_SCORED > n_items:
            return None
        return cls(index, query, groups, some, bound.shift_of(some))

    def best(self, size: int, also: Bools | None = None) -> Pool:
        """The best so many; `also` (N,) is true for what may not be answered besides."""
        left = slice(None) if also is None else ~also[self._items]
        found = [(self._items[left], self._scores[left])]
        for group in self._groups:
            shut = group.shut if also is None else group.shut | also
            items, scores = self._index.search(self._query, [size], NO_EXCLUSIONS, shut)
            there = items[0] >= 0
            found.append((items[0][there], scores[0][there].astype(np.float64) + group.shift))
        all_items, all_scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.argsort(all_items)
        pool = pool_of(all_items[order], all_scores[order], size)
        self._known |= zip(pool.items.tolist(), pool.scores.tolist(), strict=True)
        return pool

    def score_of(self, item: int) -> float | None:
        """The score of one that was found, or that is scored by itself; None: it is neither."""
        place = int(np.searchsorted(self._items, item))
        if place < len(self._items) and self._items[place] == item:
            return float(self._scores[place])
        return self._known.get(item)
