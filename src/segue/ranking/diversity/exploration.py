"""Slots for new items, so that each is met often enough to be learned."""

from __future__ import annotations

import numpy as np

from segue.ranking.diversity.base import strategy
from segue.ranking.diversity.pool import Pool
from segue.ranking.diversity.slots import slots_of, with_slots
from segue.shapes import Array


@strategy("new")
def exploration(pool: Pool, k: int, diversity: float, rng: np.random.Generator) -> Array:
    """A share d of the list for new items, each of those in the pool drawn alike: the floor of their exposure.

        slots = floor(d k + U),    U uniform in [0, 1): on average d k, whatever k

    New items that are in the best k by themselves count towards the slots; the others are drawn and spread evenly over
    the list, from its end on. So a new item of the pool is shown with a chance of at least about d k / (new items in
    the pool).

    Source: Schnabel et al., Short-Term Satisfaction and Long-Term Coverage (2018): some slots of a list are given to
    items that are drawn, the rest stays. Deviations: only new items are drawn, and the number of slots is a mean, so
    that a small knob means something in a short list.
    Edge cases: fewer new items in the pool than slots: all of them; none: the pool's own order.

    >>> new = np.array([False, False, False, False, True])
    >>> pool = Pool(np.arange(5), np.array([5.0, 4.0, 3.0, 2.0, 1.0], np.float32), new=new)
    >>> exploration(pool, 3, 0.34, np.random.default_rng(1)).tolist()
    [0, 1, 4]
    """
    assert pool.new is not None
    missing = slots_of(diversity, k, rng) - int(np.count_nonzero(pool.new[:k]))
    beyond = np.flatnonzero(pool.new[k:]) + k
    drawn = rng.permutation(beyond)[: max(missing, 0)]
    return with_slots(k, drawn, np.flatnonzero(~pool.new[:k]))
