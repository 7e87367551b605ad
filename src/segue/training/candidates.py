"""Fit models by name for a table: each tuned on validation, then learned anew from all that may be seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from segue.config import Settings
from segue.durations import seconds_since
from segue.errors import EvaluationError
from segue.evaluation.context import Context, Scored, chosen_length
from segue.evaluation.phase import Phase, asked_of_drawn
from segue.evaluation.replay import Predictions, replay
from segue.models.base import Model, SessionRule
from segue.models.build import kind_of

Say = Callable[[str], None]
"""Told of what happens, a line at a time."""


class Fitted(NamedTuple):
    """A model and how it came about.

    Attributes:
        model: ready to use.
        phase: the phase it learned from, whose catalog it has.
        seconds: of learning, tuning included.
        settings: what a report says of it.
        epochs, curve: of a network; see `Trained`.
        interrupted: stopped by Ctrl-C, so that it knows only the training events.
        passes, planned, events_per_s, gradients: of a network; see `Trained`.
        peak_memory_mb: of a network, of the process while it learned; None where it was not watched.
    """

    model: Model
    phase: Phase
    seconds: float
    settings: dict[str, Any]
    epochs: int = 0
    curve: Sequence[tuple[float, float | None]] = ()
    interrupted: bool = False
    passes: float = 0.0
    planned: float = 0.0
    events_per_s: float | None = None
    peak_memory_mb: float | None = None
    gradients: Mapping[str, Mapping[str, Sequence[float]]] | None = None


def validation_metric(model: Model, phase: Phase, settings: Settings) -> float:
    """The mean of the main metric over the validation predictions."""
    return validated(model, phase, settings)[0].mean()


def validated(model: Model, phase: Phase, settings: Settings) -> tuple[Scored, Predictions]:
    """The values of the main metric on the validation part.

    Raises:
        EvaluationError: they have no mean, since what was asked for is worth nothing.
    """
    name = settings.train.metric
    predictions = replay(
        model,
        phase.replayed,
        phase.asked,
        exclude=settings.evaluate.exclude,
        k=chosen_length(name),
        memory_mb=settings.evaluate.memory_mb,
    )
    scored = Context(phase).scored(name, predictions)
    if np.isnan(scored.mean()):
        raise EvaluationError(
            f"train.metric `{name}` has no value on the validation part: all weights of its events are 0 in the log"
        )
    return scored, predictions


def fit_baseline(name: str, choose: Phase, judge: Phase, rule: SessionRule, settings: Settings, say: Say) -> Fitted:
    """A baseline with the settings that did best on validation, fitted to all that `judge` lets it learn from."""
    started = time.monotonic()
    kind = kind_of(name)
    points = [dict(zip(kind.GRID, values, strict=True)) for values in product(*kind.GRID.values())]
    chosen = points[0]
    if len(points) > 1:
        limit = settings.train.grid_predictions
        if choose.asked.sum() > limit:
            choose = choose._replace(asked=asked_of_drawn(choose.replayed, choose.asked, limit, settings.seed))
        tried = [validation_metric(model, choose, settings) for model in each_fitted(kind, points, choose, rule)]
        best = int(np.argmax(tried))
        chosen = points[best]
        grid = ", ".join(f"{key} {'|'.join(map(str, values))}" for key, values in kind.GRID.items())
        told = ", ".join(f"{key} {value}" for key, value in chosen.items())
        say(
            f"{name}: {told} is best of {len(points)} settings ({grid}): "
            f"{settings.train.metric} {tried[best]:.4f} on validation, worst {min(tried):.4f}"
        )
    return Fitted(again(kind, chosen, judge, rule), judge, seconds_since(started), chosen)


def each_fitted(kind: type[Any], points: Sequence[dict[str, Any]], phase: Phase, rule: SessionRule) -> Iterator[Model]:
    """A fitted baseline for each point of a grid.

    Neighbouring points that differ only in what `fit` does not look at (the baseline's `UNFITTED`) are fitted once.
    """
    unfitted: frozenset[str] = getattr(kind, "UNFITTED", frozenset())
    before: tuple[dict[str, Any], Any] | None = None
    for point in points:
        looked_at = {name: value for name, value in point.items() if name not in unfitted}
        if before is not None and before[0] == looked_at:
            model = kind(len(phase.catalog), rule=rule, **point).fit_like(before[1])
        else:
            model = again(kind, point, phase, rule)
        before = looked_at, model
        yield model


def again(kind: type[Any], settings: dict[str, Any], phase: Phase, rule: SessionRule) -> Model:
    """A baseline with known settings, fitted to what a phase lets it learn from."""
    model: Model = kind(len(phase.catalog), rule=rule, **settings).fit(phase.learned, cutoff=phase.cutoff)
    return model
