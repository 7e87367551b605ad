"""Which metrics may choose an epoch, a setting or a model: one value a prediction, higher where a model is right."""

import numpy as np

from segue.errors import ConfigError
from segue.metrics.base import METRICS, Metric, parse
from segue.metrics.kinds import BasketMetric, RankMetric, TargetMetric


def check_choosing(name: str) -> None:
    """Raise ConfigError for a metric that cannot choose, with the reason and with those that can."""
    metric, _ = parse(name)
    reason = why_not(metric)
    if reason:
        able = ", ".join(f"{name}@10" for name, one in METRICS.items() if not why_not(one))
        raise ConfigError(f"train.metric is `{name}`, {reason}: take {able}")


def why_not(metric: Metric) -> str:
    """Why a metric cannot choose; empty where it can."""
    if isinstance(metric, BasketMetric):
        return "which is of whole baskets, while models are chosen by single predictions"
    if not isinstance(metric, RankMetric | TargetMetric):
        return "which does not say who is right"
    if "expected" in metric.marks.needs:
        return "which needs the popularity row of a finished table"
    if isinstance(metric, RankMetric):
        first, never = metric(np.array([1, np.iinfo(np.int32).max], np.int32), 10)
        if not first > never:
            return f"which gives a first place {first:g} and a miss {never:g}, while the highest value is chosen"
    return ""
