"""Recall weighted by what the target is worth."""

from segue.metrics.base import rank_metric, weighted
from segue.shapes import Array, Doubles


@rank_metric
@weighted
def revenue_recall(ranks: Array, k: int) -> Doubles:
    """The share of the worth of all targets that the lists held: a miss costs what was not sold.

        revenue_recall@k = (sum over predictions of w_p [rank_p <= k]) / (sum over predictions of w_p)

    with w_p the weight of the event that came (`--weight-col`: revenue, margin, minutes watched). A prediction's
    value is that of `recall`; `weighted` makes the mean, its interval and the paired test weighted ones.

    Source: recall where a target counts by what it is worth, as an example does in cost-sensitive evaluation: Elkan,
    The Foundations of Cost-Sensitive Learning (2001).
    Edge cases: all weights equal, it is `recall`; a target worth 0 counts for nothing; all worth 0 has no value;
    a target unknown or not to be answered (rank NEVER) is a miss that costs its weight.

    >>> import numpy as np
    >>> revenue_recall(np.array([1, 10, 11]), 10).tolist()  # of worth 1, 1 and 8, a mean of 0.2
    [1.0, 1.0, 0.0]
    """
    return (ranks <= k).astype(float)
