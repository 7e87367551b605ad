"""Ask every model for the same predictions, and compare them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from segue.evaluation.cost import cost_of
from segue.evaluation.phase import Phase
from segue.evaluation.replay import Predictions, replay
from segue.evaluation.report import Report, Row, Value, verdict_of
from segue.metrics import (
    Bootstrap,
    ListMetric,
    Lists,
    RankMetric,
    attribute_vectors,
    cooccurrence_vectors,
    parse,
)
from segue.models.base import Model
from segue.rng import stream
from segue.shapes import Array, Bools, Floats

ALWAYS = tuple(f"{metric}@{k}" for k in (10, 20) for metric in ("recall", "mrr", "ndcg", "hr"))
BESIDE = tuple(
    f"{metric}@10" for metric in ("coverage", "popularity", "novelty", "gini", "intra_list_diversity", "repeat_share")
)

SPACE_EVENTS = 5_000_000
"""How many events the space of diversity is made from at most."""


class Entry(Struct, frozen=True, kw_only=True):
    """A model to be judged."""

    model: Model
    baseline: bool
    seconds: float | None = None
    settings: dict[str, Any] = {}
    events_per_s: float | None = None
    peak_memory_mb: float | None = None


def judge(
    entries: Mapping[str, Entry],
    phase: Phase,
    *,
    exclude: str,
    main: str,
    split: Mapping[str, Any],
    notes: Sequence[str] = (),
    metrics: Sequence[str] = (),
    replicates: int = 1000,
    memory_mb: int = 256,
    seed: int = 1,
    costs: bool = False,
) -> Report:
    """Ask every model for the same predictions and compare them.

    Args:
        entries: models by name; their catalog is that of the phase.
        phase: what is asked.
        exclude: see `replay`.
        main: the metric of groups and of the paired test.
        split, notes: carried into the report.
        metrics: names to report beside those that every report has.
        replicates: of the bootstrap.
        memory_mb: bound of the scores held at one time.
        seed: of the resamples and of the item vectors.
        costs: also measure what a step of each model takes, half a second each.
    """
    names = list(dict.fromkeys((*ALWAYS, main, *BESIDE, *metrics)))
    k = max(parse(name)[1] for name in names)
    asked: dict[str, Predictions] = {}
    for name, entry in entries.items():
        asked[name] = replay(entry.model, phase.replayed, phase.asked, exclude=exclude, k=k, memory_mb=memory_mb)
    first = next(iter(asked.values()))
    resamples = Bootstrap(first.user, rng=stream(seed, "bootstrap"), replicates=replicates)
    groups = groups_of(phase, first)
    vectors, space = item_vectors(phase, seed)
    values = {name: {main: rank_values(main, predictions)} for name, predictions in asked.items()}
    means = {name: float(of[main].mean()) for name, of in values.items()}
    baselines = [name for name, entry in entries.items() if entry.baseline]
    best = max(baselines, key=means.__getitem__, default=None)
    rows = []
    for name in sorted(entries, key=means.__getitem__, reverse=True):
        entry, predictions = entries[name], asked[name]
        lists = Lists(predictions.lists, len(phase.catalog), phase.counts, predictions.had, vectors)
        rows.append(
            Row(
                model=name,
                baseline=entry.baseline,
                predictions=len(predictions.rank),
                seconds=entry.seconds,
                settings=entry.settings,
                metrics={metric: measure(metric, predictions, lists, resamples) for metric in names},
                groups={
                    group: interval(Bootstrap(first.user[which], rng=stream(seed, group), replicates=replicates), of)
                    for group, which in groups.items()
                    for of in [values[name][main][which]]
                },
                against_best_baseline=None
                if best is None or name == best
                else compared(resamples, values[name][main], values[best][main]),
                cost=cost_of(entry.model, events_per_s=entry.events_per_s, peak_memory_mb=entry.peak_memory_mb)
                if costs
                else None,
            )
        )
    unknown = phase.unknown_targets
    told = list(notes)
    if unknown:
        told.append(
            f"{unknown} of {len(first.rank)} targets are items that were not learned from: misses for every model"
        )
    if phase.first:
        told.append(f"{phase.first} events of the asked part open a session: first events are no targets")
    if phase.left_out:
        told.append(
            f"{phase.left_out} predictions were left out (evaluate.max_predictions): whole users drawn by the seed"
        )
    told.append(f"intra_list_diversity by {space}")
    told.append("request time: not given (a query is what the state says right after the user's last event)")
    facts = {**split, "predictions": len(first.rank), "unknown_targets": unknown, "left_out": phase.left_out}
    counts = {group: int(which.sum()) for group, which in groups.items()}
    return Report(
        split=facts,
        exclude=exclude,
        main=main,
        rows=rows,
        groups=counts,
        verdict=verdict_of(rows, best, main),
        notes=told,
    )


def rank_values(name: str, predictions: Predictions) -> Array:
    """(P,) values of a metric of ranks."""
    metric, k = parse(name)
    assert isinstance(metric, RankMetric)
    return metric(predictions.rank, k)


def measure(name: str, predictions: Predictions, lists: Lists, resamples: Bootstrap) -> Value:
    """One metric with its interval."""
    metric, k = parse(name)
    if isinstance(metric, RankMetric):
        return interval(resamples, metric(predictions.rank, k))
    if isinstance(metric, ListMetric):
        return interval(resamples, metric(lists, k))
    return Value(number(metric(lists, k)))


def interval(resamples: Bootstrap, values: Array) -> Value:
    """Mean and interval."""
    found = resamples.interval(values)
    return Value(number(found.value), number(found.low), number(found.high))


def number(value: float) -> float | None:
    """A value as JSON has it: null for nan."""
    return None if np.isnan(value) else float(value)


def compared(resamples: Bootstrap, values: Array, others: Array) -> dict[str, float | None]:
    """The paired difference to the best baseline."""
    return {name: number(value) for name, value in resamples.compare(values, others)._asdict().items()}


def groups_of(phase: Phase, predictions: Predictions) -> dict[str, Bools]:
    """Parts of the predictions that deserve a figure of their own, where both sides are there."""
    known_users = phase.replayed.of[phase.replayed.count_of(phase.earlier) > 0]
    warm = np.isin(predictions.user, known_users)
    pairs = {"warm users": warm, "cold users": ~warm}
    pairs |= {"repeated targets": predictions.repeated, "new targets": ~predictions.repeated}
    return {name: which for name, which in pairs.items() if which.any() and not which.all()}


def item_vectors(phase: Phase, seed: int) -> tuple[Floats, str]:
    """The space diversity is measured in, never the model's own, and its name."""
    rng = stream(seed, "item vectors")
    categories = phase.catalog.columns.get("categories")
    if categories is not None and any(categories):
        return attribute_vectors(categories, rng=rng), "the items' categories"
    learned, space = phase.learned, "sessions in common in training"
    # The newest users suffice to tell which items go together; all events would cost 40 bytes each.
    first = int(np.searchsorted(learned.bounds, len(learned) - SPACE_EVENTS)) if len(learned) > SPACE_EVENTS else 0
    first = min(first, len(learned.of) - 1)
    left = int(learned.bounds[first])
    if left:
        space += f", of the {len(learned.of) - first:,} newest users"
    sequence = np.cumsum(learned.opens[left:])
    return cooccurrence_vectors(learned.item[left:], sequence, len(phase.catalog), rng=rng), space
