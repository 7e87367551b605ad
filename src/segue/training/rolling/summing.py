"""From answers, week by week, to figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from segue.config import Settings
from segue.evaluation.context import Scored
from segue.evaluation.measures import compared, interval
from segue.evaluation.report import Value, utc
from segue.metrics import Bootstrap
from segue.rng import stream
from segue.training.rolling.asking import Answers
from segue.training.rolling.models import Learned
from segue.training.rolling.report import KEPT, RETRAINED, UPDATED, Difference, RolledWeek, Standing
from segue.training.rolling.weeks import Week


class Asked(NamedTuple):
    """A week that was asked.

    Attributes:
        models: how they stood.
        answers: what they answered.
        compared: whether any had learned by then.
        left_out: predictions beyond the cap on their number.
    """

    week: Week
    models: Mapping[str, Learned]
    answers: Mapping[str, Answers]
    compared: bool
    left_out: int = 0


def told(asked: Asked, settings: Settings) -> RolledWeek:
    """A week for the report; all models by the same resamples."""
    week, first = asked.week, next(iter(asked.answers.values()))
    rng = stream(settings.seed, f"rolling: week {week.number}")
    resamples = Bootstrap(first.user, rng=rng, replicates=settings.evaluate.replicates)
    return RolledWeek(
        number=week.number,
        begins=week.begins,
        ends=week.ends,
        begins_utc=utc(week.begins),
        events=week.last - week.first,
        predictions=len(first.user),
        users=len(np.unique(first.user)),
        compared=asked.compared,
        models={
            name: Standing(
                items=len(asked.models[name].catalog),
                unknown=found.unknown,
                events=asked.models[name].events,
                passes=asked.models[name].passes,
                seconds=asked.models[name].seconds,
                learning=asked.models[name].learning,
                worse=asked.models[name].worse,
                metrics={metric: interval(resamples, scored) for metric, scored in found.scored.items()},
            )
            for name, found in asked.answers.items()
        },
    )


class Pool(NamedTuple):
    """All predictions of the weeks in which models were compared.

    Attributes:
        predictions, users: how many.
        overall: by model and metric.
        differences: of the updated model to the others.
    """

    predictions: int
    users: int
    overall: dict[str, dict[str, Value]]
    differences: list[Difference]


def pooled(weeks: Sequence[Asked], settings: Settings) -> Pool:
    """Every prediction counts alike, whatever its week; users are resampled with all that they did in all weeks."""
    weeks = [one for one in weeks if one.compared]
    if not weeks:
        return Pool(0, 0, {}, [])
    names, metrics = list(weeks[0].answers), list(next(iter(weeks[0].answers.values())).scored)
    user = np.concatenate([one.answers[KEPT].user for one in weeks])
    rng = stream(settings.seed, "rolling")
    resamples = Bootstrap(user, rng=rng, replicates=settings.evaluate.replicates)
    scored = {
        name: {one: joined([week.answers[name].scored[one] for week in weeks]) for one in metrics} for name in names
    }
    overall = {name: {one: interval(resamples, scored[name][one]) for one in metrics} for name in names}
    others = [name for name in names if name != UPDATED]
    differences = [
        Difference(
            model=UPDATED,
            against=name,
            metric=metric,
            difference=(found := compared(resamples, scored[UPDATED][metric], scored[name][metric])),
            relative=share_of(found, overall[name][metric].value),
        )
        for metric in metrics
        for name in others
    ]
    return Pool(len(user), len(np.unique(user)), overall, differences)


def joined(parts: Sequence[Scored]) -> Scored:
    """The values of several weeks as those of one."""
    weights = [one.weights for one in parts if one.weights is not None]
    values = np.concatenate([one.values for one in parts])
    return Scored(values, np.concatenate(weights) if len(weights) == len(parts) else None)


def share_of(difference: Mapping[str, float | None], base: float | None) -> Value:
    """A difference with its interval as a share."""
    if not base:
        return Value(None)
    parts = (difference[name] for name in ("difference", "low", "high"))
    return Value(*(None if one is None else one / base for one in parts))


def seconds_of_all(weeks: Sequence[Asked]) -> dict[str, float]:
    """The seconds that each model learned in all weeks in which models were compared."""
    found: dict[str, float] = {}
    for one in weeks:
        for name, model in one.models.items():
            if model.seconds is not None:
                found[name] = round(found.get(name, 0.0) + model.seconds, 2)
            if model.learning is not None:
                known = f"{name}, passes known"
                found[known] = round(found.get(known, 0.0) + model.learning, 2)
    return found


def verdicts_of(pool: Pool, metric: str, seconds: Mapping[str, float], count: int) -> list[str]:
    """What the weeks say, in a sentence for each model that the updated one is compared with."""
    said = []
    for one in pool.differences:
        if one.metric != metric:
            continue
        value, low, high = (one.difference[name] for name in ("difference", "low", "high"))
        against = {KEPT: "the model kept", RETRAINED: "the model trained anew"}.get(one.against, one.against)
        if value is None or low is None or high is None:
            said.append(f"too few users to tell the updated model from {against} in {metric}")
            continue
        span = f"{value:+.4f}, 95 % {low:+.4f} to {high:+.4f}"
        share = one.relative
        if share.value is not None and share.low is not None and share.high is not None:
            span = f"{percent(share.value)} %, 95 % {percent(share.low)} to {percent(share.high)} % ({value:+.4f})"
        which = "is better than" if low > 0 else "IS WORSE THAN" if high < 0 else "cannot be told from"
        said.append(f"the updated model {which} {against} in {metric}: {span}")
    mine, others = seconds.get(UPDATED), seconds.get(RETRAINED)
    if mine is not None and others:
        known = seconds.get(f"{RETRAINED}, passes known")
        apart = f" ({known:.1f} s of these after the passes were chosen)" if known is not None else ""
        updates = f"{count} update{'s' * (count > 1)} took {mine:.1f} s"
        said.append(f"{updates}, {100 * mine / others:.1f} % of the {others:.1f} s of training anew as often{apart}")
    return said


def percent(share: float) -> str:
    """A share for people.

    >>> percent(0.0213), percent(-0.0001)
    ('+2.1', '+0.0')
    """
    return f"{round(100 * share, 1) + 0.0:+.1f}"
