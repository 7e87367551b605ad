"""Maximal marginal relevance."""

from __future__ import annotations

import numpy as np

from segue.ranking.diversity.base import strategy
from segue.ranking.diversity.pool import Pool, relevance
from segue.shapes import Array


@strategy("vectors")
def mmr(pool: Pool, k: int, diversity: float, rng: np.random.Generator) -> Array:
    """Place by place, what is relevant and unlike what is in the list already.

        next = argmax over i of (1 - d) r_i - d max over j in the list of cos(v_i, v_j),    d the knob

    Source: Carbonell and Goldstein, The Use of MMR, Diversity-Based Reranking (1998), whose lambda is 1 - d.
    Deviations: r is the `relevance` in the pool; a similarity below 0 counts as 0.
    Edge cases: of equal values the first of the pool; an item of which nothing is known (a row of zeros) is like no
    other; at 1 the first place is still the best of the pool. Time grows as k C D.

    >>> vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    >>> pool = Pool(np.array([7, 8, 9]), np.array([3.0, 2.9, 2.0], np.float32), vectors)
    >>> mmr(pool, 2, 0.6, np.random.default_rng(1)).tolist()
    [0, 2]
    """
    assert pool.vectors is not None
    # Divided by d, which changes no order: so the vectors need not be scaled.
    worth = relevance(pool.scores) * np.float32((1 - diversity) / max(diversity, 1e-30))
    nearest = np.zeros_like(worth)
    likeness, value = np.empty_like(worth), np.empty_like(worth)
    places = np.zeros(k, np.intp)  # the most relevant first: nothing is near yet
    for number in range(1, k):
        place = places[number - 1]
        worth[place] = -np.inf
        np.dot(pool.vectors, pool.vectors[place], out=likeness)
        np.maximum(nearest, likeness, out=nearest)
        np.subtract(worth, nearest, out=value)
        places[number] = value.argmax()
    return places
