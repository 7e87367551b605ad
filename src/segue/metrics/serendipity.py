"""Hits that popularity would not have had."""

import numpy as np

from segue.metrics.base import needs, target_metric
from segue.metrics.lists import Lists
from segue.shapes import Doubles


@target_metric
@needs("expected")
def serendipity(lists: Lists) -> Doubles:
    """Whether the target is in the list, and not in the one that popularity gave in its place.

        serendipity@k = 1 if t in L_k and t not in PM_k, else 0

    with L the list, PM that of a primitive model, the popularity baseline that stands in every table here: it learned
    from the same events and follows the same `exclude`. Unexpected is what PM does not list, useful what came next.

    Source: Ge, Delgado-Battenfeld and Jannach, Beyond Accuracy: Evaluating by Coverage and Serendipity (2010): the
    useful among the items that RS lists and PM does not, over the length of the list; deviation: there is one target,
    so it is not divided by k, and serendipity@k is at most recall@k.
    Edge cases: 0 for popularity itself; an unknown target and an empty list are 0. A longer list may cost, since
    that of popularity is longer too.

    >>> lists = Lists(np.array([[0, 1], [0, 1]]), 3, np.ones(3), np.zeros((2, 2), bool), target=np.array([0, 1]))
    >>> serendipity(lists._replace(expected=np.array([[0, 2], [0, 2]]))).tolist()
    [0.0, 1.0]
    """
    assert lists.expected is not None
    assert lists.target is not None
    wanted = lists.target[:, None]
    listed = ((lists.items == wanted) & lists.filled).any(axis=1)
    foreseen = (lists.expected == wanted).any(axis=1)
    return np.asarray(listed & ~foreseen, float)
