"""Concentration of the recommendations on few items."""

import numpy as np

from segue.metrics.base import catalog_metric
from segue.metrics.lists import Lists


@catalog_metric
def gini(lists: Lists) -> float:
    """Gini coefficient of the items' exposures: 0 all items equally often in lists, near 1 few in all lists.

        gini = sum for i = 1..N of (2 i - N - 1) x_i / (N sum of x),    x the exposures in ascending order

    Source: Fleder and Hosanagar, Blockbuster Culture's Next Rise or Fall (2009), here over the whole catalog.
    Edge cases: one item alone gives (N - 1) / N, the most; items in no list count, with 0; no item in any
    list is NaN.

    >>> gini(Lists(np.array([[0], [0], [1]]), 4, counts=np.ones(4), seen=np.zeros((3, 1), bool)))
    0.5833333333333334
    """
    exposures = np.sort(lists.exposures())
    n, total = lists.n_items, exposures.sum()
    if total == 0:
        return float("nan")
    return float((2 * np.arange(1, n + 1) - n - 1) @ exposures / (n * total))
