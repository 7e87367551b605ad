"""The candidates of one list, and what of them is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from segue.ranking.top_k import top_k
from segue.shapes import Doubles, Ints, Longs

POOL = 200
"""So many candidates are looked at for a list, or as many as it needs."""


class Pool(NamedTuple):
    """Candidates, best first.

    Attributes:
        items: (P,).
        scores: (P,) with what boosts and buries made of them.
    """

    items: Ints
    scores: Doubles


Choose = Callable[[Pool, int], Longs]
"""From a pool and the length of a list to the places in the pool of what is chosen: at most k, distinct, in order."""


def pool_of(items: Ints, scores: Doubles, size: int) -> Pool:
    """The best of some items, which ascend: at most so many, in the order of `top_k`.

    The order is that of double precision: a boost of a million would leave none of a score in single.
    """
    places = top_k(scores[None], max(1, min(size, len(items))))[0][0]
    places = places[places >= 0]
    return Pool(items[places], scores[places])


def best_first(pool: Pool, k: int) -> Longs:
    """The first k."""
    return np.arange(min(k, len(pool.items)))


def ordered(pool: Pool, k: int, choose: Choose) -> Longs:
    """(P,) the places of a pool, the chosen ones before all others, which follow where those do not fit."""
    chosen = choose(pool, k) if k > 0 else np.zeros(0, np.int64)
    rest = np.ones(len(pool.items), bool)
    rest[chosen] = False
    return np.concatenate([chosen, np.flatnonzero(rest)])
