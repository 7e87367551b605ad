"""What metrics may ask for beside ranks and lists: made when it is needed, once for all models."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from segue.errors import EvaluationError
from segue.evaluation.baskets import Baskets, baskets_of
from segue.evaluation.phase import Phase
from segue.evaluation.replay import Predictions
from segue.metrics import (
    LACKING,
    BasketMetric,
    Categories,
    ListMetric,
    Lists,
    RankMetric,
    Runs,
    TargetMetric,
    parse,
)
from segue.metrics.probe import try_out
from segue.shapes import Array, Doubles, Floats, Ints, Longs


class Scored(NamedTuple):
    """The values of a metric, and what each counts in its mean: (P,) and (P,), or None where all count alike."""

    values: Doubles
    weights: Doubles | None = None

    def mean(self) -> float:
        """The mean, weighted; NaN where nothing counts."""
        known = ~np.isnan(self.values)
        weights = known.astype(float) if self.weights is None else self.weights * known
        total = float(weights.sum())
        return float(np.where(known, self.values, 0.0) @ weights / total) if total > 0 else float("nan")

    def of(self, which: Array) -> Scored:
        """Those of some predictions."""
        return Scored(self.values[which], None if self.weights is None else self.weights[which])

    def evened(self) -> Doubles:
        """(P,) values whose plain mean is the weighted one."""
        if self.weights is None:
            return self.values
        return np.asarray(self.values * self.weights / self.weights.mean())


class Context:
    """What is known about the predictions of a phase.

    Args:
        phase: what is asked.
        vectors: (N, D) of its items.
    """

    def __init__(self, phase: Phase, vectors: Floats | None = None) -> None:
        self.phase, self.vectors = phase, vectors

    @cached_property
    def counts(self) -> Array:
        """(N,) how often each item was learned from."""
        return self.phase.counts

    @cached_property
    def place(self) -> Longs:
        """(P,) where each prediction's target lies in the replayed events."""
        return np.flatnonzero(self.phase.asked)

    @cached_property
    def begin(self) -> Longs:
        """(P,) where its user's events begin."""
        bounds = self.phase.replayed.bounds
        return np.asarray(bounds[np.searchsorted(bounds, self.place, side="right") - 1])

    @cached_property
    def weight(self) -> Floats | None:
        """(P,) what its target is worth."""
        weight = self.phase.weight
        return None if weight is None else np.asarray(weight[self.phase.replayed.order[self.place]])

    @cached_property
    def categories(self) -> Categories | None:
        """Those of the items."""
        found = self.phase.catalog.categories
        return None if found is None else Categories(*found)

    @cached_property
    def baskets(self) -> Baskets:
        """See `baskets_of`."""
        return baskets_of(self.phase)

    def lists(self, predictions: Predictions, expected: Ints | None = None) -> Lists:
        """The lists of a model with all that is known about them; `expected` (P, K) are those of popularity."""
        return Lists(
            predictions.lists,
            len(self.phase.catalog),
            self.counts,
            predictions.had,
            self.vectors,
            target=predictions.target,
            weight=self.weight,
            categories=self.categories,
            past=Runs(self.phase.replayed.item, self.begin, self.place),
            expected=expected,
        )

    def basket_lists(self, predictions: Predictions) -> Lists:
        """The lists of a model that were given before each basket."""
        return Lists(
            predictions.lists,
            len(self.phase.catalog),
            self.counts,
            predictions.had,
            self.vectors,
            categories=self.categories,
            basket=self.baskets.events,
        )

    def scored(self, name: str, predictions: Predictions, lists: Lists | None = None) -> Scored:
        """The values of a metric that has one a prediction."""
        metric, k = parse(name)
        if isinstance(metric, RankMetric):
            values = metric(predictions.rank, k)
        else:
            assert isinstance(metric, ListMetric | TargetMetric)
            values = metric(self.lists(predictions) if lists is None else lists, k)
        if not metric.marks.weighted:
            return Scored(values)
        if self.weight is None:
            raise EvaluationError(f"`{name}` needs {LACKING['weight']}")
        return Scored(values, self.weight.astype(float))

    def check(self, names: Iterable[str], *, expected: bool) -> None:
        """Raise EvaluationError for a metric that lacks what it needs, or is one's own and fails; before any replay.

        Args:
            names: such as `recall@10`.
            expected: whether the lists of popularity will be there.
        """
        for name in names:
            metric, _ = parse(name)
            known = {
                "weight": self.phase.weight is not None,
                "categories": self.categories is not None if "categories" in metric.marks.needs else True,
                "expected": expected,
            }
            for need in sorted(metric.marks.needs):
                if not known.get(need, True):
                    raise EvaluationError(f"`{name}` needs {LACKING[need]}")
            if isinstance(metric, BasketMetric):
                _ = self.baskets
            try_out(metric)


def chosen_length(name: str) -> int:
    """How long lists must be to choose by a metric: one place where ranks suffice."""
    metric, k = parse(name)
    return 1 if isinstance(metric, RankMetric) else k
