"""What a week asks, and what models of different catalogs answer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.config import Settings
from segue.data.catalog import Catalog
from segue.data.encoding.events import EventEncoder
from segue.data.events import EventLog
from segue.data.objective import worth_of
from segue.data.sessions import Sequences, lay_out
from segue.evaluation.context import Context, Scored, chosen_length
from segue.evaluation.phase import Phase, asked_of_drawn, count
from segue.evaluation.replay import askable, only_users_with, replay
from segue.models.base import Model, SessionRule
from segue.shapes import Array, Bools, Ints
from segue.training.rolling.weeks import Week

BESIDE = "recall@20"
"""Reported beside the metric that chooses."""


class Question(NamedTuple):
    """What a week asks of every model.

    Attributes:
        log: the events up to the week's end.
        sequences: those of the users who are asked; items are places in the log's own ids.
        asked: which of them are asked for, all of the week.
        left_out: further ones that the cap on their number left out.
    """

    log: EventLog
    sequences: Sequences
    asked: Bools
    left_out: int


class Answers(NamedTuple):
    """What a model answered, P times.

    Attributes:
        user, target: (P,) whose prediction it is; the item in the model's catalog, -1 for one outside it.
        scored: by the name of the metric.
    """

    user: Array
    target: Ints
    scored: dict[str, Scored]

    @property
    def unknown(self) -> int:
        """How many targets the model does not know: misses."""
        return int(np.count_nonzero(self.target < 0))


def question_of(
    log: EventLog, week: Week, rule: SessionRule, settings: Settings, events: EventEncoder | None = None
) -> Question | None:
    """What a week asks; None where that is nothing. `events`: what the network reads of each event."""
    part = log.where(np.arange(len(log)) < week.last)
    worth = worth_of(part, settings.objective, strict=False) if len(part) else None
    features = None if events is None else events.bound(part)
    laid = lay_out(part, gap=rule.gap, at_session_start=rule.at_session_start, worth=worth, features=features)
    asked = (laid.order >= week.first) & askable(laid)
    whole, most = count(asked), settings.evaluate.max_predictions
    if not whole:
        return None
    if whole > most:
        asked = asked_of_drawn(laid, asked, most, settings.seed)
    sequences, asked = only_users_with(laid, asked)
    return Question(part, sequences, asked, whole - count(asked))


def answers_of(question: Question, model: Model, catalog: Catalog, settings: Settings, exclude: str) -> Answers:
    """Ask a model, which ranks its own catalog: an item outside it tells little and is a miss."""
    item = catalog.items_of(question.log)[question.sequences.order]
    sequences, asked = question.sequences.other(item=item), question.asked
    nothing = np.zeros(len(asked), bool)
    phase = Phase(catalog, sequences, sequences, asked, nothing, None, weight=question.log.weight)
    main, evaluate = settings.train.metric, settings.evaluate
    found = replay(model, sequences, asked, exclude=exclude, k=chosen_length(main), memory_mb=evaluate.memory_mb)
    context = Context(phase)
    scored = {name: context.scored(name, found) for name in dict.fromkeys((main, BESIDE))}
    return Answers(found.user, found.target, scored)
