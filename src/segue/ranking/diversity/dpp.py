"""The likeliest list under a determinantal point process, found greedily."""

from __future__ import annotations

import numpy as np

from segue.ranking.diversity.base import strategy
from segue.ranking.diversity.pool import Pool, relevance
from segue.shapes import Array

ALIKE = np.float32(0.9)
"""Two items with the same vector are taken to be so alike."""


@strategy("vectors")
def dpp(pool: Pool, k: int, diversity: float, rng: np.random.Generator) -> Array:
    """Place by place, what makes the list most likely: relevant, and not spanned by what is in it already.

        next = argmax over i of (1 - d) r_i + d log(det S_{list + i} / det S_list)
        S_ij = 0.9 cos(v_i, v_j), S_ii = 1

    Source: Chen, Zhang and Zhou, Fast Greedy MAP Inference for Determinantal Point Process (2018), algorithm 1: an
    incremental Cholesky factor of S; the theta of its trade-off is 1 - d. Deviations: r is the
    `relevance` in the pool; the factor 0.9 keeps S positive definite, so that items with equal vectors stay possible
    and the search does not end when the list spans the space.
    Edge cases: of equal values the first of the pool; an item of which nothing is known (a row of zeros) is like no
    other; at 1 the first place is still the best of the pool. Time grows as k C (D + k).

    >>> vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    >>> pool = Pool(np.array([7, 8, 9]), np.array([3.0, 2.9, 2.0], np.float32), vectors)
    >>> dpp(pool, 2, 0.4, np.random.default_rng(1)).tolist()
    [0, 2]
    """
    assert pool.vectors is not None
    n = len(pool.items)
    worth = relevance(pool.scores) * np.float32(1 - diversity)
    scaled = pool.vectors * ALIKE
    factor = np.zeros((k, n), np.float32)  # row m: what place m of the list explains of each item
    left = np.ones(n, np.float32)  # of each item, what the list does not explain: its variance
    row, value = np.empty(n, np.float32), np.empty(n, np.float32)
    knob, floor = np.float32(diversity), np.float32(1 - ALIKE) * np.float32(0.01)
    places = np.empty(k, np.intp)
    place = 0  # the most relevant: everything is unexplained yet
    for number in range(k):
        places[number] = place
        worth[place] = -np.inf
        np.dot(scaled, pool.vectors[place], out=row)
        row[place] = 1.0
        if number:
            row -= factor[:number, place] @ factor[:number]
        np.divide(row, np.sqrt(left[place]), out=factor[number])
        np.square(factor[number], out=value)
        left -= value
        # Rounding would take a variance that is small below what it can be.
        np.maximum(left, floor, out=left)
        np.log(left, out=value)
        value *= knob
        value += worth
        place = int(value.argmax())
    return places
