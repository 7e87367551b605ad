"""Recall at k."""

from segue.metrics.base import rank_metric
from segue.shapes import Array, Doubles


@rank_metric
def recall(ranks: Array, k: int) -> Doubles:
    """Share of the relevant items that are in the list.

        recall@k = |relevant in the first k| / |relevant|

    A prediction here has one target, so this is 1 if its rank is within k, else 0, and equals `hr`.

    Source: van Rijsbergen, Information Retrieval (1979), ch. 7.
    Edge cases: a target unknown or not to be answered (rank NEVER) is a miss; no predictions, no values.

    >>> import numpy as np
    >>> recall(np.array([1, 10, 11]), 10).tolist()
    [1.0, 1.0, 0.0]
    """
    return (ranks <= k).astype(float)
