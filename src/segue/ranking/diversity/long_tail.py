"""Slots for rare items, so that more of the catalog is met."""

from __future__ import annotations

import numpy as np

from segue.ranking.diversity.base import strategy
from segue.ranking.diversity.pool import Pool
from segue.ranking.diversity.slots import slots_of
from segue.shapes import Array


@strategy("shares")
def long_tail(pool: Pool, k: int, diversity: float, rng: np.random.Generator) -> Array:
    """The best of the pool, and at its end a share d of the list for others of the pool, the rare ones likelier.

        slots = floor(d k + U), U uniform in [0, 1);    each drawn in proportion to 1 / share of events

    Source: Schnabel et al., Short-Term Satisfaction and Long-Term Coverage (2018): some slots of a list are given to
    items that are drawn, the rest stays. Deviations: the draw favours the rare, without putting back (Kool et al.
    2019); the slots are the last places, where a target is lost least.
    Edge cases: an item without events counts like the rarest that has one; in a pool of k items it is its own order.

    >>> pool = Pool(np.arange(5), np.arange(5, 0, -1).astype(np.float32), shares=np.array([0.5, 0.3, 0.2, 0.0, 1e-9]))
    >>> sorted(long_tail(pool, 3, 0.67, np.random.default_rng(1)).tolist())
    [0, 3, 4]
    """
    assert pool.shares is not None
    slots = min(slots_of(diversity, k, rng), len(pool.items) - k)
    met = pool.shares > 0
    least = pool.shares[met].min() if met.any() else 1.0
    keys = rng.gumbel(size=len(pool.items) - k) - np.log(np.maximum(pool.shares[k:], least))
    drawn = np.argsort(-keys, kind="stable")[:slots] + k
    return np.concatenate([np.arange(k - slots), drawn])
