"""Average popularity of what is recommended."""

import numpy as np

from segue.metrics.base import list_metric
from segue.metrics.lists import Lists
from segue.shapes import Doubles


@list_metric
def popularity(lists: Lists) -> Doubles:
    """Average recommended popularity (ARP): an item's share of the training events, averaged over the list.

        popularity = mean over items i of the list of count(i) / sum of all counts

    Source: Yin et al., Challenging the Long Tail Recommendation (2012); deviation: they average the
    counts, we divide by the events of the log, so that logs of different lengths compare.
    Edge cases: an item without training events has 0; an empty list, or a log without events, is NaN.

    >>> lists = Lists(np.array([[0, 1], [1, -1]]), 2, counts=np.array([3, 1]), seen=np.zeros((2, 2), bool))
    >>> popularity(lists).tolist()
    [0.5, 0.25]
    """
    events = lists.counts.sum()
    share = lists.counts / events if events > 0 else np.full(lists.n_items, np.nan)
    return lists.mean(share[lists.items])
