"""What an update gains and what it costs: before and after, on events that neither has learned from in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct

from segue.config import Settings
from segue.data.catalog import Catalog
from segue.data.replay_sample import ReplaySample
from segue.errors import EvaluationError
from segue.evaluation.context import Context, Scored, chosen_length
from segue.evaluation.measures import compared, interval
from segue.evaluation.phase import Phase, asked_of_drawn
from segue.evaluation.replay import Predictions, askable, replay
from segue.evaluation.report import Value
from segue.metrics import Bootstrap
from segue.models.base import Model
from segue.rng import stream
from segue.shapes import Array, Bools, Ints

NEW, OLD = "new events", "old sequences"
"""The parts that are always told of, as far as they are there."""

OLD_PREDICTIONS = 5_000
"""So many old events are asked for at most."""


class Change(Struct, frozen=True, kw_only=True):
    """A figure before and after.

    Attributes:
        part: of the events that were asked for.
        predictions, users: how many.
        before, after: the metric with its 95 % interval.
        difference: of the two, paired: difference, low, high, p.
    """

    part: str
    predictions: int
    users: int
    before: Value
    after: Value
    difference: dict[str, float | None]

    @property
    def worse(self) -> bool:
        """Whether it fell beyond the interval."""
        high = self.difference["high"]
        return high is not None and high < 0


class Side(Struct, frozen=True):
    """A model, and how many items it knows: the first ones of the larger catalog."""

    model: Model
    n_items: int


def changes_on(
    phase: Phase, before: Side, after: Side, settings: Settings, *, exclude: str, old_users: Bools
) -> list[Change]:
    """Before and after on what a phase asks, and on its parts by known and new items and users.

    Args:
        phase: with the catalog of `after`.
        before, after: the models; what one does not know is a miss for it.
        settings: the metric, the bootstrap and the bound of memory are read from them.
        exclude: see `replay`.
        old_users: by the number of the user, who had events before.
    """
    asked = [seen_by(phase, one.n_items) for one in (before, after)]
    both = [answers_of(one, view, settings, exclude) for one, view in zip((before, after), asked, strict=True)]
    one, other = (Context(view).scored(settings.train.metric, found) for view, found in zip(asked, both, strict=True))
    predictions = both[1]
    old_item = (predictions.target >= 0) & (predictions.target < before.n_items)
    old_user = old_users[predictions.user]
    parts = {
        NEW: np.ones(len(old_item), bool),
        "of known items": old_item,
        "of new items": ~old_item,
        "of known users": old_user,
        "of new users": ~old_user,
    }
    told = {name: which for name, which in parts.items() if name == NEW or (which.any() and not which.all())}
    return [change(name, predictions.user, which, one, other, settings) for name, which in told.items()]


def change_on_old(
    sample: ReplaySample, catalog: Catalog, before: Side, after: Side, settings: Settings, *, exclude: str
) -> Change | None:
    """Before and after on old sequences that are held out of every replay; None where there are none to ask for."""
    sequences = sample.only(sample.held_out).sequences()
    if not len(sequences):
        return None
    asked = askable(sequences)
    if not asked.any():
        return None
    most = min(OLD_PREDICTIONS, settings.train.validation_predictions)
    if int(asked.sum()) > most:
        asked = asked_of_drawn(sequences, asked, most, settings.seed)
    nothing = np.zeros(len(asked), bool)
    phase = Phase(catalog, sequences, sequences, asked, nothing, None)
    both = [answers_of(one, seen_by(phase, one.n_items), settings, exclude) for one in (before, after)]
    try:
        one, other = (Context(phase).scored(settings.train.metric, found) for found in both)
    except EvaluationError:  # a metric of what the log says of each event, which the sample does not keep
        return None
    return change(OLD, both[1].user, np.ones(len(both[1].user), bool), one, other, settings)


def seen_by(phase: Phase, n_items: int) -> Phase:
    """The same question to a model that knows the first so many items."""

    def known(item: Ints | Array) -> Array:
        return np.where(np.asarray(item) < n_items, item, -1).astype(np.int32)

    both = {name: getattr(phase, name) for name in ("replayed", "learned")}
    return phase._replace(**{name: one.other(item=known(one.item)) for name, one in both.items()})


def answers_of(side: Side, phase: Phase, settings: Settings, exclude: str) -> Predictions:
    """What a model answers."""
    k, memory = chosen_length(settings.train.metric), settings.evaluate.memory_mb
    return replay(side.model, phase.replayed, phase.asked, exclude=exclude, k=k, memory_mb=memory)


def change(part: str, user: Array, which: Bools, one: Scored, other: Scored, settings: Settings) -> Change:
    """The figures of a part of the predictions."""
    rng = stream(settings.seed, f"update: {part}")
    resamples = Bootstrap(user[which], rng=rng, replicates=settings.evaluate.replicates)
    before, after = one.of(which), other.of(which)
    return Change(
        part=part,
        predictions=int(which.sum()),
        users=len(np.unique(user[which])),
        before=interval(resamples, before),
        after=interval(resamples, after),
        difference=compared(resamples, after, before),
    )


def verdict_of(changes: list[Change], metric: str) -> str:
    """What the new events say, in a sentence."""
    new = next((one for one in changes if one.part == NEW), None)
    if new is None:
        return "not judged: no new event could be held out and asked for"
    told: Mapping[str, Any] = new.difference
    if told["low"] is None or told["high"] is None:
        return f"too few users to tell whether the update is better in {metric}"
    span = f"{told['difference']:+.4f} in {metric} on new events, 95 % {told['low']:+.4f} to {told['high']:+.4f}"
    old = next((one for one in changes if one.part == OLD and one.worse), None)
    if old is not None:
        span += f"; it forgets: {old.difference['difference']:+.4f} on old sequences"
    if new.worse:
        return f"THE UPDATE IS WORSE: {span}"
    return f"the update is better: {span}" if told["low"] > 0 else f"the update cannot be told from before: {span}"
