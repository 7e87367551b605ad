"""Fit models by name for a table: each tuned on validation, then learned anew from all that may be seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from segue.config import Settings
from segue.evaluation.judge import rank_values, seconds_since
from segue.evaluation.phase import Phase, asked_of_drawn
from segue.evaluation.replay import replay
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
        passes, planned: of a network; see `Trained`.
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


def validation_metric(model: Model, phase: Phase, settings: Settings) -> float:
    """The mean of the main metric over the validation predictions."""
    predictions = replay(
        model,
        phase.replayed,
        phase.asked,
        exclude=settings.evaluate.exclude,
        k=1,
        memory_mb=settings.evaluate.memory_mb,
    )
    return float(rank_values(settings.train.metric, predictions).mean())


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
        tried = []
        for point in points:
            model = kind(len(choose.catalog), rule=rule, **point).fit(choose.learned, cutoff=choose.cutoff)
            tried.append(validation_metric(model, choose, settings))
        best = int(np.argmax(tried))
        chosen = points[best]
        grid = ", ".join(f"{key} {'|'.join(map(str, values))}" for key, values in kind.GRID.items())
        told = ", ".join(f"{key} {value}" for key, value in chosen.items())
        say(
            f"{name}: {told} is best of {len(points)} settings ({grid}): "
            f"{settings.train.metric} {tried[best]:.4f} on validation, worst {min(tried):.4f}"
        )
    return Fitted(again(kind, chosen, judge, rule), judge, seconds_since(started), chosen)


def again(kind: type[Any], settings: dict[str, Any], phase: Phase, rule: SessionRule) -> Model:
    """A baseline with known settings, fitted to what a phase lets it learn from."""
    model: Model = kind(len(phase.catalog), rule=rule, **settings).fit(phase.learned, cutoff=phase.cutoff)
    return model
