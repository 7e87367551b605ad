"""What is told of columns: what a network loses without each."""

from __future__ import annotations

from msgspec import Struct

from segue.evaluation.report import Value


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
