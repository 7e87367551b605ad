"""Normalised discounted cumulative gain at k."""

import numpy as np

from segue.metrics.base import rank_metric
from segue.shapes import Array, Doubles


@rank_metric
def ndcg(ranks: Array, k: int) -> Doubles:
    """Gain of the target discounted by its place, over the best that was possible.

        ndcg@k = (sum over hits 1 / log2(1 + rank)) / (sum for r = 1..min(relevant, k) of 1 / log2(1 + r))

    A prediction here has one target: the ideal is one term, 1, and the value 1 / log2(1 + rank) within k.

    Source: Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation (2002); the discount starts at place 1.
    Edge cases: a target unknown or not to be answered (rank NEVER) gives 0; no predictions, no values.

    >>> ndcg(np.array([1, 3, 11]), 10).tolist()
    [1.0, 0.5, 0.0]
    """
    return np.where(ranks <= k, 1.0 / np.log2(1.0 + ranks), 0.0)
