"""What is told of columns: what a network loses without each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from segue.evaluation.context import Scored
from segue.evaluation.measures import compared, interval
from segue.evaluation.report import Value
from segue.metrics import Bootstrap
from segue.rng import stream
from segue.shapes import Array, Bools, Doubles

RARE = 10
"""A target with fewer training events is rare."""

RARE_METRIC = "recall@20"


class Judged(NamedTuple):
    """One network on the validation part.

    Attributes:
        scored: the metric.
        recall: (P,) of `RARE_METRIC`.
        user, rare: (P,) whose each prediction is, and whether its target is rare: alike for all networks.
        epochs, seconds: how it came about.
    """

    scored: Scored
    recall: Doubles
    user: Array
    rare: Bools
    epochs: int
    seconds: float


class Without(Struct, frozen=True, kw_only=True):
    """A network that reads some of the columns.

    Attributes:
        name: `all`, `without price`, or `ids alone`.
        columns: what it reads.
        value: the metric on the validation part, the mean over the seeds, with its 95 % interval.
        difference: to `all`, paired: difference, low, high, p; null for `all` itself.
        rare: recall@20 on rare targets; null values where there are none.
        rare_difference: of that.
        epochs: that were best, seed by seed.
        by_seed: the difference of each seed; empty for `all`.
        seconds: of learning, all seeds together.
    """

    name: str
    columns: list[str]
    value: Value
    difference: dict[str, float | None] | None
    rare: Value
    rare_difference: dict[str, float | None] | None
    epochs: list[int]
    by_seed: list[float]
    seconds: float


class Ablation(Struct, frozen=True, kw_only=True):
    """Which columns of the items table help.

    Attributes:
        metric: the networks were chosen and are compared by it.
        predictions, users: of the validation part.
        rare_predictions: with a target of 1 to 9 training events.
        seeds: of the networks.
        rows: all columns first, ids alone last.
        verdict: which help and which do not, in a sentence.
        notes: what a reader must know.
        interrupted: stopped by Ctrl-C: rows are missing.
    """

    metric: str
    predictions: int
    users: int
    rare_predictions: int
    seeds: list[int]
    rows: list[Without]
    verdict: str
    notes: list[str]
    interrupted: bool = False


def verdict_of(rows: list[Without], metric: str) -> str:
    """Which columns help, as far as the intervals tell."""
    told: dict[str, list[str]] = {"helps": [], "hurts": [], "cannot be told": []}
    for row in rows:
        found = row.difference
        if found is None:
            continue
        low, high = found["low"], found["high"]
        name = "all of them together" if not row.columns else f"`{row.name.removeprefix('without ')}`"
        if low is None or high is None or low <= 0 <= high:
            told["cannot be told"].append(name)
        else:
            told["helps" if high < 0 else "hurts"].append(name)
    words = {"helps": "help", "hurts": "hurt", "cannot be told": "cannot be told from nothing"}
    parts = [f"{words[kind]}: {', '.join(names)}" for kind, names in told.items() if names]
    return f"{metric} on validation: {'; '.join(parts)}" if parts else f"{metric} on validation: nothing to compare"


def row_of(
    name: str, columns: list[str], own: Sequence[Judged], full: Sequence[Judged] | None, *, seed: int, replicates: int
) -> Without:
    """What a kind of network reaches, and how far it is from that with all columns: of each prediction the mean.

    Args:
        own: seed by seed.
        full: the same of the network with all columns; None where this is it.
        seed, replicates: of the resamples.
    """
    user, rare = own[0].user, own[0].rare
    resamples = Bootstrap(user, rng=stream(seed, "ablation"), replicates=replicates)
    rarely = Bootstrap(user[rare], rng=stream(seed, "rare"), replicates=replicates) if rare.any() else None
    value, few = mean_of(own), few_of(own)
    return Without(
        name=name,
        columns=columns,
        value=interval(resamples, value),
        difference=None if full is None else compared(resamples, value, mean_of(full)),
        rare=Value(None) if rarely is None else interval(rarely, few),
        rare_difference=None if full is None or rarely is None else compared(rarely, few, few_of(full)),
        epochs=[one.epochs for one in own],
        by_seed=[one.scored.mean() - of.scored.mean() for one, of in zip(own, full or (), strict=False)],
        seconds=round(sum(one.seconds for one in own), 2),
    )


def mean_of(seeds: Sequence[Judged]) -> Scored:
    """Of each prediction the mean over the seeds."""
    return Scored(np.mean([one.scored.values for one in seeds], axis=0), seeds[0].scored.weights)


def few_of(seeds: Sequence[Judged]) -> Scored:
    """The same of recall on rare targets."""
    return Scored(np.mean([one.recall[one.rare] for one in seeds], axis=0))
