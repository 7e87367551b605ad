"""Hit rate at k."""

from segue.metrics.base import rank_metric
from segue.shapes import Array, Doubles


@rank_metric
def hr(ranks: Array, k: int) -> Doubles:
    """Whether the list holds a relevant item.

        hr@k = 1 if any relevant item is in the first k, else 0

    With one target a prediction, as here, it equals `recall`. Both names exist because one half of the papers
    prints HR and the other Recall; whoever compares with a table finds its column.

    Source: Deshpande and Karypis, Item-Based Top-N Recommendation Algorithms (2004).
    Edge cases: a target unknown or not to be answered (rank NEVER) is a miss; no predictions, no values.

    >>> import numpy as np
    >>> hr(np.array([1, 10, 11]), 10).tolist()
    [1.0, 1.0, 0.0]
    """
    return (ranks <= k).astype(float)
