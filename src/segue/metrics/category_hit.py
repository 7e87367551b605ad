"""Whether the list holds the right kind of thing."""

import numpy as np

from segue.metrics.base import needs, target_metric
from segue.metrics.lists import Lists
from segue.shapes import Doubles


@target_metric
@needs("categories")
def category_hit(lists: Lists) -> Doubles:
    """Whether the list holds the target, or an item with a category of the target.

        category_hit@k = 1 if any item i of the first k is the target t or has C(i) ∩ C(t) not empty, else 0

    Source: `hr` (Deshpande and Karypis 2004) with "shares a category with the target" in place of "is the target".
    Edge cases: never below `recall`; a target without a category is hit by itself alone; one outside the catalog, of
    which nothing is known, and an empty list are misses.

    >>> from segue.metrics.categories import Categories
    >>> kinds = Categories(("tea", "cup"), np.array([0, 1, 2, 4]), np.array([0, 1, 0, 1]))  # tea; cup; both
    >>> lists = Lists(np.array([[0], [0], [0]]), 3, np.ones(3), np.zeros((3, 1), bool), categories=kinds)
    >>> category_hit(lists._replace(target=np.array([2, 1, -1]))).tolist()
    [1.0, 0.0, 0.0]
    """
    assert lists.categories is not None
    assert lists.target is not None
    wanted_row, wanted = lists.categories.of(lists.target)
    listed_place, listed = lists.categories.of(lists.items.ravel())
    row = listed_place // max(1, lists.items.shape[1])
    n = len(lists.categories.names)
    hit = np.isin(wanted_row * n + wanted, row * n + listed)
    value = ((lists.items == lists.target[:, None]) & lists.filled).any(axis=1)
    value[wanted_row[hit]] = True
    return np.asarray(value, float)
