"""Relevance corrected for popularity."""

from __future__ import annotations

import numpy as np

from segue.ranking.diversity.base import strategy
from segue.ranking.diversity.pool import Pool, relevance
from segue.shapes import Array


@strategy("shares")
def less_popular(pool: Pool, k: int, diversity: float, rng: np.random.Generator) -> Array:
    """What is relevant and rare: the score, less what the item's popularity alone would give it.

        value_i = (1 - d) r_i - d p_i,    p the log of the item's share of events, made [0, 1] over the pool

    Source: Menon et al., Long-Tail Learning via Logit Adjustment (2021), scores less tau log share.
    Deviation: not every model's scores are logarithms, so r is the `relevance` in the pool, and p is made [0, 1] over
    it.
    Edge cases: an item without events counts like the rarest that has one; equal shares correct nothing; of equal
    values the first of the pool.

    >>> pool = Pool(np.arange(3), np.array([3.0, 2.9, 1.0], np.float32), shares=np.array([0.5, 0.1, 0.1]))
    >>> less_popular(pool, 2, 0.3, np.random.default_rng(1)).tolist()
    [1, 0]
    """
    assert pool.shares is not None
    met = pool.shares > 0
    worth = relevance(pool.scores) * np.float32(1 - diversity)
    if met.any():
        share = np.log(np.maximum(pool.shares, pool.shares[met].min()))
        spread = share.max() - share.min()
        if spread > 0:
            worth = worth - np.float32(diversity) * ((share - share.min()) / spread).astype(np.float32)
    return np.argsort(-worth, kind="stable")[:k]
