"""Weeks after a network's cutoff, each asked before anybody learns it: kept, updated, trained anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from segue.artifact import Artifact
from segue.data.catalog import ItemTable
from segue.data.events import EventLog
from segue.data.items import check_items
from segue.durations import seconds_of
from segue.errors import ConfigError, EvaluationError, InterruptedTrainingError, SegueError
from segue.evaluation.report import utc
from segue.training.candidates import Say
from segue.training.fingerprint import fingerprint
from segue.training.own_parts import check_known
from segue.training.rolling.asking import answers_of, question_of
from segue.training.rolling.models import Learned, Lineup, best_baseline
from segue.training.rolling.report import KEPT, RETRAINED, UPDATED, Rolling
from segue.training.rolling.summing import Asked, pooled, seconds_of_all, told, verdicts_of
from segue.training.rolling.telling import notes_of
from segue.training.rolling.weeks import Week, check_facts, weeks_of
from segue.training.updating.asking import settings_over
from segue.training.updating.rounds import network_of


def rolling_of(
    artifact: Artifact,
    log: EventLog,
    items: ItemTable | None = None,
    *,
    every: str = "7d",
    weeks: int | None = None,
    retrain: bool = True,
    settings: Mapping[str, Any] | None = None,
    say: Say = lambda _: None,
    show: Callable[..., None] = lambda *_: None,
) -> Rolling:
    """Ask a network week after week, and let it learn each week once it was asked.

    Side by side stand the network as it is, an update a week (each of the one before), a network trained anew before
    each week from all that came before it, and the baseline that was best in training, fitted as often. In the first
    week nobody can have learned anything since the cutoff, and all of them are the network as it is; so models are
    compared from the second week on.

    Args:
        artifact: a network with a cutoff.
        log: the whole log: what the network learned from, and what came after.
        items: what is known of items. That an item exists is known once it has come.
        every: how long a week is.
        weeks: so many at most; None: until the log ends.
        retrain: whether a network is trained anew each week.
        settings: of updates, on top of the model's own, such as {"update.freeze": "core"}.
        say, show: told of what happens.

    Raises:
        ConfigError: what is asked cannot be meant.
        EvaluationError: the model or the log has no weeks to ask for.
        SegueError: an update or a training failed before there was anything to compare; later on the weeks so far are
            told, and `ended` says why there are no more.
    """
    length = seconds_of(every, of="--rolling")
    if weeks is not None and weeks < 2:
        raise ConfigError(f"--weeks is {weeks}; expected at least 2: in the first week nobody has learned anything yet")
    own, facts = artifact.settings, artifact.facts
    chosen = settings_over(own, settings or {})
    cutoff = check_facts(facts)
    network_of(artifact)
    check_known(artifact, [own.train.metric])
    planned = weeks_of(log, cutoff, length, weeks)
    first = int(np.searchsorted(log.time, cutoff))
    if retrain and not first:
        raise EvaluationError(
            f"the log has no event before {utc(cutoff)}, the model's cutoff, and training anew needs them: give the "
            "whole log, or leave that column out with --no-retrain"
        )
    lineup = Lineup(artifact, log, items, chosen, retrain, best_baseline(artifact) if first else "", say, show)
    notes = [*log.remarks, *(() if items is None else (*items.notes, *check_items(items, log.items)))]
    if first and fingerprint(log.where(np.arange(len(log)) < first)) != facts.trained_on:
        notes.append(
            f"the model learned from {facts.events:,} events, and the log has {first:,} before its cutoff: what is "
            "trained anew does not learn from the same"
        )
    asked: list[Asked] = []
    interrupted, ended = False, ""
    try:
        for one in rolled(lineup, planned, first):
            asked.append(one)  # noqa: PERF402  (what was asked stays, whatever comes next)
    except (KeyboardInterrupt, InterruptedTrainingError) as error:
        if not any(one.compared for one in asked):
            raise KeyboardInterrupt from error
        interrupted, ended = True, "interrupted"
    except SegueError as error:
        if not any(one.compared for one in asked):
            raise
        ended = str(error)
    return report_of(lineup, planned, asked, length, notes, interrupted, ended)


def rolled(lineup: Lineup, weeks: list[Week], first: int) -> Iterator[Asked]:
    """Ask each week, and learn what came before it just before it is asked. A week that asks nothing is passed over.

    Args:
        first: the place of the first event that the network has not learned.

    Yields:
        Weeks that were asked.
    """
    artifact, settings = lineup.artifact, lineup.artifact.settings
    kept = lineup.kept()
    models: dict[str, Learned] = {KEPT: kept, UPDATED: kept, **({RETRAINED: kept} if lineup.retrain else {})}
    current, since = artifact, first
    for week in weeks:
        question = question_of(lineup.log, week, artifact.facts.rule, settings, artifact.events)
        if question is None:
            continue
        stage = before_week(lineup, week.number)
        if week.first > since:
            current, models[UPDATED] = stage.updated(current, week.first, since)
            if lineup.retrain:
                models[RETRAINED] = stage.retrained(week.first)
            since = week.first
        if lineup.baseline:
            models[lineup.baseline] = stage.fitted(week.first, week.begins)
        exclude = artifact.facts.exclude
        answers = {name: answers_of(question, m.model, m.catalog, settings, exclude) for name, m in models.items()}
        means = ", ".join(f"{name} {found.scored[settings.train.metric].mean():.4f}" for name, found in answers.items())
        lineup.say(f"week {week.number} of {len(weeks)}, from {utc(week.begins)}: {settings.train.metric} {means}")
        standing = {name: models[name].told(found.unknown) for name, found in answers.items()}
        yield Asked(week, standing, answers, since > first, question.left_out)


def before_week(lineup: Lineup, number: int) -> Lineup:
    """The same, telling which week it learns for."""

    def say(line: str) -> None:
        lineup.say(f"before week {number}: {line}")

    def show(stage: str, at: Any) -> None:
        lineup.show(f"before week {number}, {stage}", at)

    return lineup._replace(say=say, show=show)


def report_of(
    lineup: Lineup,
    planned: list[Week],
    asked: list[Asked],
    length: float,
    notes: list[str],
    interrupted: bool,
    ended: str,
) -> Rolling:
    """Put the weeks together. Raises EvaluationError where none could be asked."""
    artifact, log = lineup.artifact, lineup.log
    settings, metric = artifact.settings, artifact.settings.train.metric
    if not asked:
        raise EvaluationError(
            f"none of the {planned[-1].last - planned[0].first:,} events of {len(planned)} weeks after the model's "
            "cutoff is to be predicted and has an earlier one in its session: there is nothing to ask"
        )
    later = [one for one in asked if one.compared]
    pool, seconds = pooled(asked, settings), seconds_of_all(later)
    retrained = seconds.get(RETRAINED)
    verdicts = verdicts_of(pool, metric, seconds, len(later))
    report = Rolling(
        model=artifact.facts.name,
        baseline=lineup.baseline,
        every=length,
        metric=metric,
        exclude=artifact.facts.exclude,
        weeks=[told(one, settings) for one in asked],
        predictions=pool.predictions,
        users=pool.users,
        overall=pool.overall,
        differences=pool.differences,
        seconds=seconds,
        time_share=seconds[UPDATED] / retrained if retrained else None,
        verdicts=verdicts or ["nothing was asked after the first week: there is nothing to compare"],
        notes=[],
        interrupted=interrupted,
        ended=ended,
    )
    left_out = sum(one.left_out for one in asked)
    more = notes_of(report, float(log.time[-1]), len(planned), left_out)
    if ended:
        more.append(f"it ended after week {asked[-1].week.number} of {len(planned)}: {ended}")
    return msgspec.structs.replace(report, notes=[*notes, *more])
