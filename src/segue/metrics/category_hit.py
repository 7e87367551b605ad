"""Whether the list holds the right kind of thing."""

import numpy as np

from segue.metrics.base import needs, target_metric
from segue.metrics.categories import Categories
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

    >>> kinds = Categories(("tea", "cup"), np.array([0, 1, 2, 4]), np.array([0, 1, 0, 1]))  # tea; cup; both
    >>> lists = Lists(np.array([[0], [0], [0]]), 3, np.ones(3), np.zeros((3, 1), bool), categories=kinds)
    >>> category_hit(lists._replace(target=np.array([2, 1, -1]))).tolist()
    [1.0, 0.0, 0.0]
    """
    assert lists.categories is not None
    blocks = [hits(block, lists.categories) for block in lists.blocks(lists.categories.rows_within())]
    return np.concatenate(blocks) if blocks else np.empty(0)


def hits(lists: Lists, kinds: Categories) -> Doubles:
    """The values of so few lists that rows times categories fit."""
    assert lists.target is not None
    row, wanted = kinds.of(lists.target)
    of_target = np.zeros((len(lists.items), len(kinds.names)), bool)
    of_target[row, wanted] = True
    place, listed = kinds.of(lists.items.ravel())
    row = place // max(1, lists.items.shape[1])
    value = ((lists.items == lists.target[:, None]) & lists.filled).any(axis=1)
    value[row[of_target[row, listed]]] = True
    return np.asarray(value, float)
