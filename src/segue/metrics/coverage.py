"""Share of the catalog that is ever recommended."""

import numpy as np

from segue.metrics.base import catalog_metric
from segue.metrics.lists import Lists


@catalog_metric
def coverage(lists: Lists) -> float:
    """Share of the catalog's items that are in at least one list.

        coverage = |union of the lists| / N

    Source: Ge et al., Beyond Accuracy: Evaluating by Coverage and Serendipity (2010).
    Edge cases: it grows with the number of lists, so only figures over the same predictions compare; lists
    that are all empty give 0; no lists at all, or no catalog, NaN.

    >>> coverage(Lists(np.array([[0, 1], [1, -1]]), 4, counts=np.ones(4), seen=np.zeros((2, 2), bool)))
    0.5
    """
    if len(lists.items) == 0 or lists.n_items == 0:
        return float("nan")
    return float(np.count_nonzero(lists.exposures()) / lists.n_items)
