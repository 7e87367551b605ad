"""How a network learned, as numbers, from what `metrics.json` keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from msgspec import Struct


class Epoch(Struct, frozen=True):
    """One epoch; 0 is before the first.

    Attributes:
        epoch: from 1.
        loss: mean of the training loss; null where it was not a number, and before the first epoch.
        value: the validation metric after it; null where it was not asked for.
    """

    epoch: int
    loss: float | None
    value: float | None


class Curve(Struct, frozen=True):
    """One course of training.

    Attributes:
        of: `training`, or the last `update`.
        metric: what was asked on the validation part.
        epochs: in order.
        taken: the epoch whose weights were best on validation; null: nothing was asked.
    """

    of: str
    metric: str
    epochs: list[Epoch]
    taken: int | None


def curves_of(metrics: Mapping[str, Any], metric: str) -> list[Curve]:
    """The curves that are kept, of training first; what cannot be meant is left out.

    Args:
        metrics: as decoded from `metrics.json`.
        metric: of the validation part.

    >>> curves_of({"curve": [[2.5, 0.1], [2.0, 0.3]]}, "ndcg@10")[0].taken
    2
    """
    found = []
    course = metrics.get("curve")
    if isinstance(course, Sequence) and all(isinstance(one, Sequence) and len(one) == 2 for one in course):
        found.append(
            curve("training", metric, [Epoch(place, *map(number, one)) for place, one in enumerate(course, 1)])
        )
    update = metrics.get("update")
    if isinstance(update, Mapping):
        losses, values = [None, *update.get("losses", ())], update.get("validation", ())
        epochs = [
            Epoch(place, number(loss), number(value)) for place, (loss, value) in enumerate(zip_longest(losses, values))
        ]
        found.append(curve("update", str(update.get("metric", metric)), epochs))
    return [one for one in found if any(epoch.epoch for epoch in one.epochs)]


def curve(of: str, metric: str, epochs: list[Epoch]) -> Curve:
    """A course with its best epoch: of equals the first, as in training."""
    known = [one for one in epochs if one.value is not None]
    best = max(known, key=lambda one: one.value or 0.0, default=None)
    return Curve(of, metric, epochs, None if best is None else best.epoch)


def number(value: Any) -> float | None:
    """A number as it is; None for what is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
