"""A list with the mix of categories of the user's past."""

from __future__ import annotations

import numpy as np

from segue.ranking.diversity.base import strategy
from segue.ranking.diversity.pool import Pool, relevance
from segue.shapes import Array

SMOOTHING = 0.01
"""So much of the taste is mixed into the list's shares, so that a category it lacks does not make KL infinite."""


@strategy("kinds", "taste")
def calibrated(pool: Pool, k: int, diversity: float, rng: np.random.Generator) -> Array:
    """Place by place, what is relevant and brings the list's categories nearer to the user's.

        next = argmax over i of (1 - d) sum r - d KL(p || q~),    both of the list with i in it
        q~ = 0.99 q + 0.01 p,    q(g) = mean over the list's items of p(g|i),    p(g|i) = 1 / |categories of i|

    with p the user's `taste`.

    Source: Steck, Calibrated Recommendations (2018), found greedily as there; lambda is d. Deviations: r
    is the `relevance` in the pool; all places of the list weigh the same.
    Edge cases: no taste (a new user) gives the pool's own order; an item without categories fills a place and covers
    nothing; of equal values the first of the pool. Time grows as k C times the categories of the taste.

    >>> kinds = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], bool)
    >>> scores = np.array([4.0, 3.9, 3.8, 2.0], np.float32)
    >>> pool = Pool(np.arange(4), scores, kinds=kinds, taste=np.array([0.7, 0.3]))
    >>> calibrated(pool, 3, 0.9, np.random.default_rng(1)).tolist()
    [0, 3, 1]
    """
    assert pool.kinds is not None
    assert pool.taste is not None
    liked = np.flatnonzero(pool.taste > 0)  # the other terms of KL are 0
    if not len(liked):
        return np.arange(k)
    taste = pool.taste[liked].astype(np.float32)
    taste /= taste.sum()
    lengths = np.maximum(np.count_nonzero(pool.kinds, axis=1), 1)
    covers = pool.kinds[:, liked] / lengths[:, None].astype(np.float32)
    worth = relevance(pool.scores) * np.float32(1 - diversity)
    covered = np.zeros(len(liked), np.float32)
    share, smooth = np.empty_like(covers), np.float32(SMOOTHING) * taste
    places = np.empty(k, np.intp)
    for number in range(k):
        np.add(covers, covered, out=share)
        share *= np.float32((1 - SMOOTHING) / (number + 1))
        share += smooth
        # KL = sum of p log p, the same for all, less this.
        place = int((worth + np.float32(diversity) * (np.log(share, out=share) @ taste)).argmax())
        places[number] = place
        worth[place] = -np.inf
        covered += covers[place]
    return places
