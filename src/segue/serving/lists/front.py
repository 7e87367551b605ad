"""What is best for someone of whom nothing is known: the chain is sorted, and few are looked at of a large catalog."""

from __future__ import annotations

from typing import Self

import numpy as np

from segue.ranking.codes import is_much
from segue.ranking.pool import Pool, pool_of
from segue.ranking.rules import Bound, Limits
from segue.serving.lists.fallback import Chain
from segue.shapes import Bools, Doubles, Ints, Longs


class Front:
    """The best that may be answered, with scores that boosts and buries have changed.

    Args:
        shut: (N,) true for what may not be answered.
        walked: (N,) true for what is not looked for in the order of the chain.
        items: the others, ascending, with their scores.
    """

    def __init__(self, chain: Chain, bound: Bound, shut: Bools, walked: Bools, items: Ints, scores: Doubles) -> None:
        self._chain, self._bound, self._shut, self._walked = chain, bound, shut, walked
        self._items, self._scores = items, scores

    @classmethod
    def of(cls, chain: Chain, limits: Limits, bound: Bound) -> Self | None:
        """None: so little may be answered that all of it is scored sooner."""
        shut, n_items = limits.mask, limits.n_items
        if not is_much(n_items - int(np.count_nonzero(shut)), n_items):
            return None
        left = ~shut[bound.shifted]
        items, walked = bound.shifted[left], shut
        if len(items):
            walked = shut.copy()
            walked[items] = True
        return cls(chain, bound, shut, walked, items, chain.by_item.scores[items] + bound.shift[left])

    def best(self, size: int, also: Bools | None = None) -> Pool:
        """The best so many; `also` (N,) is true for what may not be answered besides."""
        left = slice(None) if also is None else ~also[self._items]
        moved = pool_of(self._items[left], self._scores[left], size)
        places = self._places(size, also)
        order = self._chain.best
        items = np.concatenate([moved.items, order.items[places]])
        scores = np.concatenate([moved.scores, order.scores[places]])
        ascending = np.argsort(items)
        return pool_of(items[ascending], scores[ascending], size)

    def score_of(self, item: int) -> float:
        """The score of an item; -inf where it may not be answered."""
        if self._shut[item]:
            return -np.inf
        return float(self._chain.by_item.scores[item] + self._bound.shift_of(np.array([item], np.int32))[0])

    def _places(self, size: int, also: Bools | None) -> Longs:
        """Where the first so many stand in the chain whose scores are as they were."""
        return self._chain.places(size, self._walked if also is None else self._walked | also)
