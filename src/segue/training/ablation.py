"""Which columns of the items table help: the network learned with all, without each, and with none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from segue.data.encoding import Content, TableEncoder
from segue.errors import ConfigError, InterruptedTrainingError
from segue.evaluation.context import Scored
from segue.evaluation.judge import rank_values
from segue.evaluation.measures import compared, interval
from segue.evaluation.phase import Phase
from segue.evaluation.report import Value
from segue.metrics import Bootstrap
from segue.rng import stream
from segue.shapes import Array, Bools, Doubles
from segue.training.ablation_report import Ablation, Without, verdict_of
from segue.training.candidates import Say, validated
from segue.training.networks import Show, Workshop, choose_network
from segue.training.plan import Plan
from segue.training.preparing import prepare

RARE = 10
"""A target with fewer training events is rare."""

RARE_METRIC = "recall@20"
ALL, NONE = "all", "ids alone"


def ablate(
    log: Any,
    *,
    items: Any,
    items_col: str | None = None,
    content: Sequence[str] = (),
    seeds: int = 1,
    settings: Mapping[str, Any] | None = None,
    say: Say = lambda _: None,
    show: Show = lambda *_: None,
    **columns: Any,
) -> Ablation:
    """Learn the network with all columns of an items table, without each, and with none, and compare on validation.

    The test part is not looked at. Every network has its epoch chosen by validation, as in training.

    Args:
        log: see `fit`.
        items, items_col: an items table.
        content: the columns to look at, as in `content.columns`; by default those that the settings say.
        seeds: how many networks of each kind are learned, with one seed after another from `seed` on.
        settings: by dotted key, as in `fit`.
        say, show: told of what happens.
        columns: which column of the log is what; see `read_log`.

    Raises:
        ConfigError: there is no column to look at, or no seed.
        InterruptedTrainingError: stopped by Ctrl-C before anything could be compared.
    """
    if seeds < 1:
        raise ConfigError(f"seeds is {seeds}; expected at least 1")
    given = dict(settings or {})
    if content:
        given.pop("content.columns", None)
        given["content"] = {**given.get("content", {}), "columns": list(content)}
    plan = prepare(log, items=items, items_col=items_col, settings=given, columns=columns)
    if plan.encoder is None:
        raise ConfigError(
            "the items table has no column that tells something of items: there is nothing to leave out. Name columns "
            "(--columns title,price), or look at the table"
        )
    for name in ("budget", "latency"):
        if getattr(plan.settings.train, name):
            say(f"note: train.{name} is not used: every network learns until its validation is best")
    for note in plan.notes:
        say(f"note: {note}")
    return ablate_plan(plan, range(plan.settings.seed, plan.settings.seed + seeds), say, show)


class Judged(NamedTuple):
    """One network on the validation part: values (P,) of the metric, ranks' recall (P,), and how it came about."""

    scored: Scored
    recall: Doubles
    epochs: int
    seconds: float


def ablate_plan(plan: Plan, seeds: Sequence[int], say: Say, show: Show) -> Ablation:
    """The same for a log with everything decided."""
    encoder, phase = plan.encoder, plan.choose
    assert encoder is not None
    found: dict[str, list[Judged]] = {}
    user, rare, interrupted = np.zeros(0, np.int64), np.zeros(0, bool), False
    kinds = dict(variants(encoder))
    for name, columns in kinds.items():
        judged = list[Judged]()
        for seed in seeds:
            say(f"{name}: {', '.join(columns) or 'no columns'}{f', seed {seed}' if len(seeds) > 1 else ''}")
            settings = msgspec.structs.replace(plan.settings, seed=seed)
            reading = phase._replace(content=part_of(phase.content, columns))
            shop = Workshop(settings, say, lambda stage, at, name=name: show(f"{name}, {stage}", at))  # type: ignore[misc]
            one = choose_network(settings.model.cell, reading, plan.judge, plan.rule, shop)
            if one.interrupted:
                interrupted = True
                break
            scored, predictions = validated(one.model, reading, settings)
            recall = np.asarray(rank_values(RARE_METRIC, predictions), float)
            judged.append(Judged(scored, recall, one.epochs, one.seconds))
            user, rare = predictions.user, rare_targets(phase, predictions.target)
        if interrupted:
            break
        found[name] = judged
    if not found:
        raise InterruptedTrainingError("interrupted before the network with all columns was judged: nothing to compare")
    rows = [row_of(name, kinds[name], found, user, rare, plan) for name in found]
    return Ablation(
        metric=plan.settings.train.metric,
        predictions=len(user),
        users=len(np.unique(user)),
        rare_predictions=int(rare.sum()),
        seeds=list(seeds),
        rows=rows,
        verdict=verdict_of(rows, plan.settings.train.metric),
        notes=[
            *plan.notes,
            "judged on the part that also chose the epochs: every figure is a little too high, and alike for all",
        ],
        interrupted=interrupted,
    )


def variants(encoder: TableEncoder) -> Iterator[tuple[str, list[str]]]:
    """Names, and the columns that are read: all, without each, none."""
    names = list(encoder.columns)
    yield ALL, names
    if len(names) > 1:  # without the only one it is ids alone
        for left_out in names:
            yield f"without {left_out}", [name for name in names if name != left_out]
    yield NONE, []


def part_of(content: Content | None, columns: Sequence[str]) -> Content | None:
    """The content of some columns, as they were encoded; None for none."""
    if content is None or not columns:
        return None
    parts = content.encoder.parts
    encoder = TableEncoder({name: content.encoder.columns[name] for name in columns})
    return Content(encoder, np.concatenate([content.numbers[:, parts[name]] for name in columns], axis=1))


def rare_targets(phase: Phase, target: Array) -> Bools:
    """(P,) the targets that were learned from, and rarely."""
    return np.asarray((target >= 0) & (phase.counts[np.maximum(target, 0)] < RARE))


def row_of(
    name: str, columns: list[str], found: Mapping[str, list[Judged]], user: Array, rare: Bools, plan: Plan
) -> Without:
    """What a kind of network reaches, and how far it is from that with all columns: of each prediction the mean."""
    own, full = found[name], found[ALL]
    seed, replicates = plan.settings.seed, plan.settings.evaluate.replicates
    resamples = Bootstrap(user, rng=stream(seed, "ablation"), replicates=replicates)
    value, whole = mean_of([one.scored for one in own]), mean_of([one.scored for one in full])
    few, few_whole = (Scored(np.mean([one.recall[rare] for one in of], axis=0)) for of in (own, full))
    rarely = Bootstrap(user[rare], rng=stream(seed, "rare"), replicates=replicates) if rare.any() else None
    other = name != ALL
    return Without(
        name=name,
        columns=columns,
        value=interval(resamples, value),
        difference=compared(resamples, value, whole) if other else None,
        rare=Value(None) if rarely is None else interval(rarely, few),
        rare_difference=compared(rarely, few, few_whole) if other and rarely is not None else None,
        epochs=[one.epochs for one in own],
        by_seed=[one.scored.mean() - of.scored.mean() for one, of in zip(own, full, strict=True)] if other else [],
        seconds=round(sum(one.seconds for one in own), 2),
    )


def mean_of(seeds: Sequence[Scored]) -> Scored:
    """Of each prediction the mean over the seeds."""
    return Scored(np.mean([one.values for one in seeds], axis=0), seeds[0].weights)
