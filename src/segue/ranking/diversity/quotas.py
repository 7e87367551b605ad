"""At most n of a category, and at least m categories."""

from __future__ import annotations

import numpy as np

from segue.errors import RequestError
from segue.ranking.diversity.base import strategy
from segue.ranking.diversity.pool import Pool
from segue.shapes import Array


@strategy("kinds")
def quotas(
    pool: Pool,
    k: int,
    diversity: float,
    rng: np.random.Generator,
    *,
    at_most: int | None = None,
    at_least: int | None = None,
) -> Array:
    """The best of the pool of which at most n are of a category, and that are of at least m categories.

        n = round(k^(1 - d)),    m = 1 + round(d (min(k, G) - 1)),    G the categories in the pool; either may be given

    Places are filled in the order of the pool: an item is passed over where one of its categories is full, or where
    as many places are left as categories are missing and it brings none. The list is in the order of the pool.

    Source: Celis, Straszak and Vishnoi, Ranking with Fairness Constraints (2018): bounds on how many of a kind a list
    holds, greedily. Deviations: the least is a number of categories, not one of items of each; both limits come from
    one knob.
    Edge cases: an item without a category counts for none; where no item fits, the least number of categories is
    given up first, then n grows by one, so the list is never short.

    >>> kinds = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], bool)
    >>> pool = Pool(np.arange(4), np.array([4.0, 3.0, 2.0, 1.0], np.float32), kinds=kinds)
    >>> quotas(pool, 3, 0.5, np.random.default_rng(1)).tolist()
    [0, 1, 3]

    Raises:
        RequestError: a quota below 1.
    """
    for name, value in (("at_most", at_most), ("at_least", at_least)):
        if value is not None and value < 1:
            raise RequestError(f"`{name}` is {value}; expected at least 1")
    assert pool.kinds is not None
    kinds = pool.kinds[:, pool.kinds.any(axis=0)]
    most = round(k ** (1 - diversity)) if at_most is None else at_most
    reachable = min(k, kinds.shape[1])
    least = 1 + round(diversity * (reachable - 1)) if at_least is None else at_least
    count = np.zeros(kinds.shape[1], np.int64)
    free = np.ones(len(pool.items), bool)
    for left in range(k, 0, -1):
        fits = free & ~kinds[:, count >= most].any(axis=1)
        missing = least - np.count_nonzero(count)
        if missing >= left and (bringing := fits & kinds[:, count == 0].any(axis=1)).any():
            fits = bringing
        while not fits.any():
            most += 1
            fits = free & ~kinds[:, count >= most].any(axis=1)
        place = int(fits.argmax())
        free[place] = False
        count += kinds[place]
    return np.flatnonzero(~free)
