"""One metric of one model, with its interval."""

from __future__ import annotations

import numpy as np

from segue.evaluation.context import Context, Scored
from segue.evaluation.replay import Predictions, replay_before
from segue.evaluation.report import Value
from segue.metrics import BasketMetric, Bootstrap, CatalogMetric, Lists, parse
from segue.models.base import Model


def measure(name: str, predictions: Predictions, lists: Lists, context: Context, resamples: Bootstrap) -> Value:
    """One metric with its interval."""
    metric, k = parse(name)
    if isinstance(metric, CatalogMetric):
        return Value(number(metric(lists, k)))
    return interval(resamples, context.scored(name, predictions, lists))


def basket_lists(model: Model, context: Context, *, exclude: str, k: int, memory_mb: int) -> Lists:
    """The list of a model before each basket."""
    first, replayed = context.baskets.first, context.phase.replayed
    return context.basket_lists(replay_before(model, replayed, first, exclude=exclude, k=k, memory_mb=memory_mb))


def of_baskets(name: str, lists: Lists, resamples: Bootstrap) -> Value:
    """One metric of baskets with its interval."""
    metric, k = parse(name)
    assert isinstance(metric, BasketMetric)
    return interval(resamples, Scored(metric(lists, k)))


def interval(resamples: Bootstrap, scored: Scored) -> Value:
    """Mean and interval."""
    found = resamples.interval(*scored)
    return Value(number(found.value), number(found.low), number(found.high))


def number(value: float) -> float | None:
    """A value as JSON has it: null for nan."""
    return None if np.isnan(value) else float(value)


def compared(resamples: Bootstrap, own: Scored, other: Scored) -> dict[str, float | None]:
    """The paired difference to the best baseline."""
    found = resamples.compare(own.values, other.values, own.weights)
    return {name: number(value) for name, value in found._asdict().items()}
