"""Another list each time: a draw by relevance, with a seed."""

from __future__ import annotations

import numpy as np

from segue.ranking.diversity.base import strategy
from segue.ranking.diversity.pool import Pool, relevance
from segue.shapes import Array


@strategy()
def rotation(pool: Pool, k: int, diversity: float, rng: np.random.Generator) -> Array:
    """A draw from the pool without putting back, in proportion to exp(r / T), T the square of the knob.

        the k largest of r_i / d² + G_i,    G_i = -log(-log U_i), U_i uniform in (0, 1)

    Source: Kool, van Hoof and Welling, Stochastic Beams and Where to Find Them (2019), the Gumbel-top-k trick: one
    sort draws from the Plackett-Luce model. Deviations: r is the `relevance` in the pool, so at 1 the best is drawn
    first less than e times as often as the last; the square makes room for small temperatures, at which little is lost.
    Edge cases: the same generator state gives the same list; near 0 it is the pool's own order.

    >>> pool = Pool(np.arange(4), np.array([4.0, 3.0, 2.0, 1.0], np.float32))
    >>> first, second = (rotation(pool, 3, 0.5, np.random.default_rng(7)).tolist() for _ in "ab")
    >>> first == second
    True
    """
    # At tinier temperatures than that no draw changes an order.
    temperature = max(diversity**2, 1e-12)
    keys = relevance(pool.scores).astype(np.float64) / temperature + rng.gumbel(size=len(pool.items))
    return np.argsort(-keys, kind="stable")[:k]
