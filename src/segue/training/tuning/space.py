"""What a tuning tries: a few values of each setting, from the measures of the training part."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from segue.choices import assign, look_up, settings_of
from segue.config import INSIDE_BLOCKS, Settings
from segue.data.proposals import FULL_LOSS_ITEMS, RANKING
from segue.evaluation.phase import Phase
from segue.training.losses import LOSSES

WEIGHTS_AN_EVENT = 20
"""A network may have so many weights for each event it learns from."""

FEW_EVENTS, MANY_EVENTS = 20_000, 1_000_000
DROPS = (0.0, 0.1, 0.2, 0.35, 0.5)
NEGATIVES = (128, 512, 2048, 8192)


class Dimension(NamedTuple):
    """One setting and the values to try.

    Attributes:
        key: a dotted key.
        choices: at least two; in ascending order where that means something.
        start: the place of the value that holds without tuning.
        ordered: whether neighbours are alike.
        reason: why these.
    """

    key: str
    choices: tuple[Any, ...]
    start: int
    ordered: bool
    reason: str


def space_of(phase: Phase, settings: Settings, cells: Sequence[str], fixed: Collection[str] = ()) -> list[Dimension]:
    """What to try on a log; nothing of what the user has fixed.

    Args:
        phase: for choosing; only what it learns from is measured.
        settings: those that hold without tuning: each is among the values of its dimension.
        cells: recurrent layers to try, the first one first.
        fixed: dotted keys.
    """
    events, items = len(phase.learned), len(phase.catalog)
    model, train = settings.model, settings.train
    drops = DROPS if events < MANY_EVENTS else DROPS[:4]
    of_drops = f"{events:,} events to learn from: " + ("much may have to be dropped" if drops is DROPS else "many")
    losses = losses_for(items)
    if model.cosine and "model.cosine" in fixed:
        losses = [name for name in losses if name not in RANKING]
    inside = any(f"model.{name}" in fixed and getattr(model, name) not in idle for name, idle in INSIDE_BLOCKS.items())
    blocks = ("residual",) if inside else ("plain", "residual")
    draws = [draw for draw in NEGATIVES if draw <= items // 2] or [NEGATIVES[0]]
    found = [
        Dimension("model.cell", tuple(cells), 0, False, "as asked for" if len(cells) > 1 else ""),
        unordered("model.block", blocks, model.block, "residual blocks bear depth; small logs may not"),
        ordered("model.width", widths_for(events, items, model.width), model.width, width_reason(events, items)),
        ordered("model.layers", (1,) if events < FEW_EVENTS else (1, 2, 3), model.layers, layers_reason(events)),
        ordered("model.dropout", drops, model.dropout, of_drops),
        ordered("model.embedding_dropout", drops, model.embedding_dropout, of_drops),
        ordered(
            "train.learning_rate",
            [train.learning_rate * factor for factor in (0.25, 0.5, 1, 2, 4)],
            train.learning_rate,
            "two doublings either way",
        ),
        ordered(
            "train.rows",
            [rows for rows in (train.rows // 2, train.rows, train.rows * 2) if 4 <= rows <= 512],
            train.rows,
            "half and twice the steps an epoch",
        ),
        unordered("train.loss", losses, train.loss, loss_reason(items)),
    ]
    if "model.block" not in fixed or model.block != "plain":
        reason = "the last events as they were, beside what is remembered"
        found.append(ordered("model.convolution", (0, 4), model.convolution, reason))
    if train.loss != "full" or ("train.loss" not in fixed and set(losses) != {"full"}):
        # `full` draws none: the first trial is the same whatever stands there.
        at_start = train.negatives if train.loss != "full" else min(train.negatives, draws[-1])
        found.append(ordered("train.negatives", draws, at_start, f"at most half of {items:,} items"))
    return [one for one in found if one.key not in fixed and len(one.choices) > 1]


def ordered(key: str, choices: Sequence[Any], start: Any, reason: str) -> Dimension:
    """A dimension in ascending order, the value that holds without tuning among its choices."""
    chosen = tuple(sorted({*choices, start}))
    return Dimension(key, chosen, chosen.index(start), True, reason)


def unordered(key: str, choices: Sequence[Any], start: Any, reason: str) -> Dimension:
    """A dimension of names, the one that holds without tuning first."""
    chosen = (start, *(choice for choice in choices if choice != start))
    return Dimension(key, chosen, 0, False, reason)


def widths_for(events: int, items: int, start: int) -> list[int]:
    """Powers of two, the largest as the number of events bears it, between 8 and 512; also those below the start."""
    largest = 8
    while largest < 512 and weights(2 * largest, items) <= WEIGHTS_AN_EVENT * events:
        largest *= 2
    smallest = max(8, largest // 8)
    return [width for width in (2**power for power in range(3, 10)) if smallest <= width <= max(largest, start)]


def weights(width: int, items: int) -> int:
    """About so many numbers a network with one plain gated layer has; most are the items', whatever the layers."""
    return width * items + 6 * width * width


def width_reason(events: int, items: int) -> str:
    """Why these widths."""
    return f"at most {WEIGHTS_AN_EVENT} weights for each of {events:,} events, {items:,} items"


def layers_reason(events: int) -> str:
    """Why so many layers."""
    return f"{events:,} events" + (f", fewer than {FEW_EVENTS:,}: one layer" if events < FEW_EVENTS else "")


def losses_for(items: int) -> list[str]:
    """The registered losses that suit a catalog of so many items."""
    leave = {"full"} if items > FULL_LOSS_ITEMS else {"sampled"}
    return [name for name in LOSSES if name not in leave] or list(LOSSES)


def loss_reason(items: int) -> str:
    """Why these losses."""
    if items > FULL_LOSS_ITEMS:
        return f"{items:,} items are too many to compare at every step"
    return f"{items:,} items can all be compared at every step: a sample would only stand for them"


def values_at(space: Sequence[Dimension], place: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a point of the space, less what has no effect beside the others."""
    values = {one.key: one.choices[place[one.key]] if one.ordered else place[one.key] for one in space}
    for key, chosen, idle in (("train.loss", "full", "train.negatives"), ("model.block", "plain", "model.convolution")):
        if values.get(key) == chosen:
            values.pop(idle, None)
    return values


def start_of(space: Sequence[Dimension]) -> dict[str, Any]:
    """The point that holds without tuning."""
    return {one.key: one.start if one.ordered else one.choices[one.start] for one in space}


def applied(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Settings with other values at some dotted keys."""
    tree: dict[str, Any] = msgspec.to_builtins(settings)
    for key, value in values.items():
        assign(tree, key, value)
    if tree["model"]["block"] == "plain":  # what was proposed for blocks
        tree["model"] |= {name: idle[0] for name, idle in INSIDE_BLOCKS.items() if tree["model"][name] not in idle}
    if values.get("train.loss") in RANKING:  # what was proposed for a softmax
        tree["model"]["cosine"] = 0.0
    return settings_of(tree)


def keys_of(tree: Mapping[str, Any]) -> set[str]:
    """The dotted keys of what the user set, as a tree or as dotted keys already."""
    keys = set()
    for key, value in tree.items():
        keys |= {f"{key}.{inner}" for inner in value} if isinstance(value, Mapping) else {key}
    return keys


def stays(settings: Settings, key: str) -> Any:
    """What stands at a dotted key of settings."""
    return look_up(msgspec.to_builtins(settings), key)
