"""How much of the whole next basket was foreseen."""

import numpy as np

from segue.metrics.base import basket_metric
from segue.metrics.lists import Lists
from segue.shapes import Doubles


@basket_metric
def basket_recall(lists: Lists) -> Doubles:
    """The share of a basket's items that are in the list given before it began; its mean is over baskets.

        basket_recall@k = |basket ∩ first k| / |basket|

    Source: Li et al., A Next Basket Recommendation Reality Check (2023): their Recall@K.
    Edge cases: an item bought twice counts once; an item outside the catalog is a miss, each time it is bought; so
    is one that `exclude` forbids; an empty list is 0.

    >>> from segue.metrics.runs import Runs
    >>> basket = Runs(np.array([1, 2, 2, 0]), begins=np.array([0, 3]), ends=np.array([3, 4]))  # 1 and 2; 0
    >>> lists = Lists(np.array([[1, 3], [1, 3]]), 4, np.ones(4), np.zeros((2, 2), bool), basket=basket)
    >>> basket_recall(lists).tolist()
    [0.5, 0.0]
    """
    assert lists.basket is not None
    rows, n = len(lists.items), lists.n_items
    listed = (np.arange(rows)[:, None] * np.int64(n) + lists.items)[lists.filled]
    size, found = np.zeros(rows), np.zeros(rows)
    known = []
    for row, item in lists.basket.pieces():
        size += np.bincount(row[item < 0], minlength=rows)
        known.append(np.unique((row * np.int64(n) + item)[item >= 0]))
    pairs = np.unique(np.concatenate(known)) if known else np.empty(0, np.int64)
    size += np.bincount(pairs // max(1, n), minlength=rows)
    found += np.bincount(pairs[np.isin(pairs, listed)] // max(1, n), minlength=rows)
    return np.divide(found, size, out=np.zeros(rows), where=size > 0)
