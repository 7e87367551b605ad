"""A metric tried on a few made-up predictions, so that one's own shows its mistakes before hours of work."""

import numpy as np

from segue.metrics.categories import Categories
from segue.metrics.kinds import Metric, RankMetric
from segue.metrics.lists import Lists
from segue.metrics.runs import Runs

K = 2


def try_out(metric: Metric) -> None:
    """Call a metric as an evaluation does. Raises EvaluationError if that cannot be, or gives what it must not."""
    if isinstance(metric, RankMetric):
        for ranks in ([1, K + 1, np.iinfo(np.int32).max], []):
            metric(np.array(ranks, np.int32), K)
        return
    metric(made_up(), K)


def made_up() -> Lists:
    """Three lists of three items out of four, the last list empty, with all that may be known about them."""
    items = np.array([[0, 1, 2], [3, 0, -1], [-1, -1, -1]], np.int32)
    one, events = np.zeros(3, np.int64), np.array([0, 1, 3], np.int32)
    return Lists(
        items,
        4,
        counts=np.array([3, 2, 1, 0]),
        seen=np.array([[True, False, False]] * 3) & (items >= 0),
        vectors=np.eye(4, dtype=np.float32),
        target=np.array([1, 2, -1], np.int32),
        weight=np.array([1.0, 2.0, 0.0], np.float32),
        categories=Categories(("a", "b"), np.array([0, 1, 2, 4, 4]), np.array([0, 1, 0, 1])),
        past=Runs(events, one, one + np.arange(1, 4)),
        expected=np.roll(items, 1, axis=0),
        basket=Runs(events, one, one + 3),
    )
