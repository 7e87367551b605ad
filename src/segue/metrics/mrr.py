"""Mean reciprocal rank at k."""

import numpy as np

from segue.metrics.base import rank_metric
from segue.shapes import Array, Doubles


@rank_metric
def mrr(ranks: Array, k: int) -> Doubles:
    """Reciprocal rank of the target; its mean over predictions is the MRR.

        mrr@k = 1 / rank if rank <= k, else 0

    Source: Voorhees, The TREC-8 Question Answering Track Report (1999); cut at k as in Hidasi et al. (2016).
    Edge cases: a target unknown or not to be answered (rank NEVER) gives 0; no predictions, no values.

    >>> mrr(np.array([1, 4, 11]), 10).tolist()
    [1.0, 0.25, 0.0]
    """
    return np.where(ranks <= k, 1.0 / ranks, 0.0)
