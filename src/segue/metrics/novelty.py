"""Novelty of what is recommended."""

import numpy as np

from segue.metrics.base import list_metric
from segue.metrics.lists import Lists
from segue.shapes import Doubles


@list_metric
def novelty(lists: Lists) -> Doubles:
    """Mean self-information of the list's items, in bits: how unlikely each was to be met by chance.

        novelty = mean over items i of the list of -log2 p(i),    p(i) = (count(i) + 1) / (all counts + N)

    Source: Zhou et al., Solving the Apparent Diversity-Accuracy Dilemma (2010); deviations: p is a
    share of events, not of users, and one is added to each count, so that an item without events has a value.
    Edge cases: an empty list is NaN.

    >>> lists = Lists(np.array([[0, 1], [1, -1]]), 2, counts=np.array([2, 0]), seen=np.zeros((2, 2), bool))
    >>> novelty(lists).round(3).tolist()  # p = 3/4 and 1/4
    [1.208, 2.0]
    """
    chance = (lists.counts + 1) / (lists.counts.sum() + lists.n_items)
    return lists.mean(-np.log2(chance)[lists.items])
