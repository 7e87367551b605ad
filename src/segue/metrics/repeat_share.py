"""Share of the list that the user already had."""

from segue.metrics.base import list_metric
from segue.metrics.lists import Lists
from segue.shapes import Doubles


@list_metric
def repeat_share(lists: Lists) -> Doubles:
    """Share of the list's items that were in the history before.

        repeat_share = |items of the list in the history| / |items of the list|

    Source: Li et al., A Next Basket Recommendation Reality Check (2023): their repetition ratio.
    Edge cases: always 0 where seen items are excluded; an empty list is NaN.

    >>> import numpy as np
    >>> seen = np.array([[True, False], [True, False]])
    >>> repeat_share(Lists(np.array([[0, 1], [1, -1]]), 2, counts=np.array([3, 1]), seen=seen)).tolist()
    [0.5, 1.0]
    """
    return lists.mean(lists.seen)
