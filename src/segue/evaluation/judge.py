"""Ask every model for the same predictions, and compare them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from segue.errors import EvaluationError
from segue.evaluation.context import Context, Scored
from segue.evaluation.cost import cost_of
from segue.evaluation.groups import groups_of
from segue.evaluation.item_vectors import item_vectors
from segue.evaluation.judged import Judged, Watch
from segue.evaluation.measures import basket_lists, compared, interval, measure, of_baskets
from segue.evaluation.phase import Phase
from segue.evaluation.replay import Predictions, replay
from segue.evaluation.report import Report, Row, Value, verdict_of
from segue.metrics import BasketMetric, Bootstrap, RankMetric, parse
from segue.models.base import Model
from segue.own import own_file
from segue.rng import stream
from segue.shapes import Array, Bools

ALWAYS = tuple(f"{metric}@{k}" for k in (10, 20) for metric in ("recall", "mrr", "ndcg", "hr"))
BESIDE = tuple(
    f"{metric}@10" for metric in ("coverage", "popularity", "novelty", "gini", "intra_list_diversity", "repeat_share")
)

POPULARITY = "popularity"
"""The baseline whose lists are what anyone would expect."""


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
    counts: Array | None = None,
    watch: Watch | None = None,
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
        counts: (N,) training events of each item, for groups; by default those of the phase.
        watch: told of all that the table was made from.
    """
    names = list(dict.fromkeys((*ALWAYS, main, *BESIDE, *metrics)))
    vectors, space = item_vectors(phase, seed)
    context = Context(phase, vectors)
    context.check(names, expected=POPULARITY in entries)
    k = max(parse(name)[1] for name in names)
    asked: dict[str, Predictions] = {}
    for name, entry in entries.items():
        asked[name] = replay(entry.model, phase.replayed, phase.asked, exclude=exclude, k=k, memory_mb=memory_mb)
    first = next(iter(asked.values()))
    resamples = Bootstrap(first.user, rng=stream(seed, "bootstrap"), replicates=replicates)
    groups = groups_of(phase, first, counts)
    expected = asked[POPULARITY].lists if POPULARITY in asked else None
    lists = {name: context.lists(predictions, expected) for name, predictions in asked.items()}
    values = {name: context.scored(main, predictions, lists[name]) for name, predictions in asked.items()}
    means = {name: scored.mean() for name, scored in values.items()}
    by_group = {
        group: in_group(first.user, which, values, stream(seed, group), replicates) for group, which in groups.items()
    }
    if np.isnan(means[next(iter(means))]):
        raise EvaluationError(f"`{main}` has no value: what was asked for is worth nothing by the log's weights")
    by_basket = [name for name in names if isinstance(parse(name)[0], BasketMetric)]
    basket_resamples = (
        Bootstrap(context.baskets.user, rng=stream(seed, "baskets"), replicates=replicates) if by_basket else None
    )
    baselines = [name for name, entry in entries.items() if entry.baseline]
    best = max(baselines, key=means.__getitem__, default=None)
    rows: list[Row] = []
    failed: dict[str, str] = {}
    for name in sorted(entries, key=means.__getitem__, reverse=True):
        entry, predictions = entries[name], asked[name]
        before = None
        if by_basket:
            longest = max(parse(metric)[1] for metric in by_basket)
            before = basket_lists(entry.model, context, exclude=exclude, k=longest, memory_mb=memory_mb)
        found = {}
        for metric in names:
            try:
                if before is None or basket_resamples is None or metric not in by_basket:
                    found[metric] = measure(metric, predictions, lists[name], context, resamples)
                else:
                    found[metric] = of_baskets(metric, before, basket_resamples)
            except EvaluationError as error:
                if not own_file(parse(metric)[0].function):
                    raise
                found[metric] = Value(None)  # a mistake in one's own metric does not cost the training before it
                failed[metric] = f"{metric} has no value: {error}"
        rows.append(
            Row(
                model=name,
                baseline=entry.baseline,
                predictions=len(predictions.rank),
                seconds=entry.seconds,
                settings=entry.settings,
                metrics=found,
                groups={group: found_there[name] for group, found_there in by_group.items()},
                against_best_baseline=None
                if best is None or name == best
                else compared(resamples, values[name], values[best]),
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
    if by_basket:
        told.append(
            f"{', '.join(by_basket)}: of {len(context.baskets.user):,} baskets, each a {context.baskets.kind}, by the "
            "list right after the user's last event before it"
            + ("" if phase.replayed.worth is None else "; of a basket counts what is to be predicted")
        )
    told += failed.values()
    told.append("request time: not given (a query is what the state says right after the user's last event)")
    facts = {**split, "predictions": len(first.rank), "unknown_targets": unknown, "left_out": phase.left_out}
    report = Report(
        split=facts,
        exclude=exclude,
        main=main,
        rows=rows,
        asked=[name for name in names if name not in (*ALWAYS, *BESIDE)],
        groups={group: int(which.sum()) for group, which in groups.items()},
        verdict=verdict_of(rows, best, main, 1 / replicates),
        notes=told,
    )
    if watch is not None:
        watch(
            Judged(report, phase, asked, values, groups, phase.counts if counts is None else counts, replicates, seed)
        )
    return report


def in_group(
    user: Array, which: Bools, values: Mapping[str, Scored], rng: np.random.Generator, replicates: int
) -> dict[str, Value]:
    """The main metric of each model over some of the predictions, by one set of resamples."""
    resamples = Bootstrap(user[which], rng=rng, replicates=replicates)
    return {name: interval(resamples, scored.of(which)) for name, scored in values.items()}


def rank_values(name: str, predictions: Predictions) -> Array:
    """(P,) values of a metric of ranks."""
    metric, k = parse(name)
    assert isinstance(metric, RankMetric)
    return metric(predictions.rank, k)
