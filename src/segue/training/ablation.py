"""Which columns of the items table help: the network learned with all, without each, and with none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np

from segue.data.encoding import Content, TableEncoder
from segue.errors import ConfigError, InterruptedTrainingError
from segue.evaluation.judge import rank_values
from segue.evaluation.phase import Phase
from segue.shapes import Array, Bools
from segue.training.ablation_report import RARE, RARE_METRIC, Ablation, Judged, row_of, verdict_of
from segue.training.candidates import Say, validated
from segue.training.loop import Progress
from segue.training.networks import Show, Workshop, choose_network
from segue.training.plan import Plan
from segue.training.preparing import prepare

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


def ablate_plan(plan: Plan, seeds: Sequence[int], say: Say, show: Show) -> Ablation:
    """The same for a log with everything decided."""
    assert plan.encoder is not None
    found: dict[str, list[Judged]] = {}
    interrupted, kinds = False, dict(variants(plan.encoder))
    for name, columns in kinds.items():
        say(f"{name}: {', '.join(columns) or 'no columns'}")
        try:
            found[name] = [judged(plan, columns, seed, say, partial(under, show, name)) for seed in seeds]
        except KeyboardInterrupt:
            interrupted = True
            break
    if not found:
        raise InterruptedTrainingError("interrupted before the network with all columns was judged: nothing to compare")
    user, rare = found[ALL][0].user, found[ALL][0].rare
    told = {"seed": plan.settings.seed, "replicates": plan.settings.evaluate.replicates}
    rows = [row_of(name, kinds[name], one, None if name == ALL else found[ALL], **told) for name, one in found.items()]
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


def under(show: Show, name: str, stage: str, at: Progress) -> None:
    """Progress with the name of the network."""
    show(f"{name}, {stage}", at)


def judged(plan: Plan, columns: Sequence[str], seed: int, say: Say, show: Show) -> Judged:
    """A network that reads some columns. Raises KeyboardInterrupt where Ctrl-C stopped it."""
    settings, phase = msgspec.structs.replace(plan.settings, seed=seed), plan.choose
    phase = phase._replace(content=part_of(phase.content, columns))
    one = choose_network(settings.model.cell, phase, plan.judge, plan.rule, Workshop(settings, say, show))
    if one.interrupted:
        raise KeyboardInterrupt
    scored, predictions = validated(one.model, phase, settings)
    recall = np.asarray(rank_values(RARE_METRIC, predictions), float)
    rare = rare_targets(phase, predictions.target)
    return Judged(scored, recall, predictions.user, rare, one.epochs, one.seconds)


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
