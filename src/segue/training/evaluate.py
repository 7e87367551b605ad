"""A saved model asked about a log, beside baselines that learned from the same events."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from segue.artifact import Artifact, Facts
from segue.data import spill
from segue.data.catalog import ItemTable
from segue.data.events import EventLog
from segue.data.objective import described, worth_of
from segue.data.splits import TEST, TRAIN, VALID, Split, split_log
from segue.data.statistics import measure, warnings_of
from segue.durations import seconds_since
from segue.errors import EvaluationError
from segue.evaluation.context import Context
from segue.evaluation.judge import Entry, judge
from segue.evaluation.judged import Judged
from segue.evaluation.phase import Phase, phase_of
from segue.evaluation.report import Report, utc
from segue.models.build import BASELINES, kind_of
from segue.training.candidates import again
from segue.training.fingerprint import fingerprint
from segue.training.own_parts import check_known


def evaluate_artifact(
    artifact: Artifact,
    log: EventLog,
    items: ItemTable | None = None,
    *,
    metrics: Sequence[str] = (),
    watch: Callable[[Split, Judged], None] | None = None,
) -> Report:
    """Ask a model for the events of a log that it cannot have learned from.

    Events before the model's cutoff warm the states and fit the baselines, and are never scored.

    Args:
        artifact: the model, with its settings and its cutoff.
        log: best the whole log, so that users are known and baselines can learn.
        items: what is known of items, beside what the artifact has of them.
        metrics: names to report beside those that every report has and those of the artifact's settings.
        watch: told of how the log was parted, and of all that the table was made from.

    Raises:
        ConfigError: a metric that is not known: if it was one's own in training, with the file that it was in.
        EvaluationError: every event may have been learned from, or a metric lacks what it needs.
    """
    facts, settings = artifact.facts, artifact.settings
    wanted = [settings.train.metric, *settings.evaluate.metrics, *metrics]
    check_known(artifact, wanted)
    split = split_for(artifact, log)
    phase = asked_of(artifact, log, split, items)
    Context(phase).check(wanted, expected=True)
    entries, notes = baselines_beside(facts, log, split, phase)
    if phase.learned.worth is not None:
        notes = [*notes, f"{described(settings.objective)}: {phase.unwanted:,} further events are not asked for"]
    entries[facts.name] = Entry(model=artifact.model, baseline=facts.kind in BASELINES, settings=facts.settings)
    counts = split.counts()
    return judge(
        entries,
        phase,
        exclude=facts.exclude,
        main=settings.train.metric,
        split={
            "kind": split.kind,
            "train": counts["train"],
            "valid": counts["valid"],
            "test": counts["test"],
            "cutoff": split.cutoff,
            "cutoff_utc": None if split.cutoff is None else utc(split.cutoff),
        },
        notes=[*log.remarks, *split.notes, *warnings_of(measure(log)), *notes],
        metrics=wanted,
        replicates=settings.evaluate.replicates,
        memory_mb=settings.evaluate.memory_mb,
        seed=settings.seed,
        counts=None if artifact.counts is None else artifact.counts.events,
        watch=None if watch is None else lambda judged: watch(split, judged),
    )


def asked_of(artifact: Artifact, log: EventLog, split: Split, items: ItemTable | None = None) -> Phase:
    """What a model is asked for: events that it cannot have learned from. Raises EvaluationError if there is none."""
    catalog = artifact.catalog
    if items is not None:  # what the model keeps of its items comes first
        catalog = replace(catalog, columns={**catalog.with_items(items).columns, **catalog.columns})
    phase = phase_of(
        log,
        split,
        artifact.facts.rule,
        ask=TEST,
        learn_below=VALID,
        catalog=catalog,
        at_most=artifact.settings.evaluate.max_predictions,
        seed=artifact.settings.seed,
        worth=worth_of(log, artifact.settings.objective, strict=False),
        features=artifact.features_of(log),
    )
    if not phase.asked.any():
        if phase.unwanted:
            raise EvaluationError(
                f"none of the {split.counts()['test']:,} later events is to be predicted and has an earlier one in its "
                f"session: the model's objective ({described(artifact.settings.objective)}) rules out "
                f"{phase.unwanted:,}; give a log with later events that it asks for"
            )
        raise EvaluationError(
            f"none of the {split.counts()['test']} events that could be asked for has an earlier one in its "
            "session: there is nothing to predict them from"
        )
    return phase


def split_for(artifact: Artifact, log: EventLog) -> Split:
    """What the model has learned from, as train, and the rest as test. Raises EvaluationError if nothing is left."""
    facts = artifact.facts
    if facts.timed != log.timed:
        raise EvaluationError(
            f"the model was trained on a log {'with' if facts.timed else 'without'} times, "
            f"and this one {'has' if log.timed else 'lacks'} them"
        )
    if facts.cutoff is not None:
        known = int(np.searchsorted(log.time, facts.cutoff))
        role = spill.empty(len(log), np.int8)
        role[:known], role[known:] = TRAIN, TEST
        if known == len(log):
            raise EvaluationError(
                f"all {len(log):,} events lie before {utc(facts.cutoff)}, the model's cutoff: it may have learned from "
                "them. Evaluate on later events (best the whole log with them), or train with an earlier cutoff"
            )
        return Split("time", role, facts.cutoff, ())
    if facts.split == "everything":
        raise EvaluationError(
            "the model has learned from its whole log, which has no times: no event is known to be new to it. "
            "Train without --final to evaluate"
        )
    split = split_log(log, artifact.settings.split, worth_of(log, artifact.settings.objective, strict=False))
    below = next(
        (part for part in (TEST, VALID) if fingerprint(log.where(split.below(part))) == facts.trained_on),
        None,
    )
    if below is None:
        raise EvaluationError(
            f"the model was trained under a {facts.split} split of another log: parted so, the training part of this "
            "one is not what the model has learned from, so its test part may be. Give the log it was trained on"
        )
    role, first = split.role, below
    return split._replace(
        role=spill.filled(len(role), np.int8, lambda b: np.where(role[b] < first, np.int8(TRAIN), role[b]), role)
    )


def baselines_beside(facts: Facts, log: EventLog, split: Split, phase: Phase) -> tuple[dict[str, Entry], list[str]]:
    """The baselines with the settings tuned in training, fitted to the log's events before the cutoff."""
    learned = log.where(split.below(TRAIN + 1))
    if not len(phase.learned) or not (phase.learned.item >= 0).any():
        return {}, [
            "no baselines: the log holds no events before the cutoff for them to learn from; give the whole log to "
            "see whether the model is better than they are"
        ]
    entries = {}
    for name, settings in facts.baselines.items():
        if name != facts.name:
            started = time.monotonic()
            model = again(kind_of(name), settings, phase, facts.rule)
            entries[name] = Entry(model=model, baseline=True, seconds=seconds_since(started), settings=settings)
    if fingerprint(learned) == facts.trained_on:
        return entries, []
    return entries, [
        f"the baselines learned from the {len(learned):,} events of this log before the cutoff, "
        f"the model from {facts.events:,}: they are not the same events"
    ]
