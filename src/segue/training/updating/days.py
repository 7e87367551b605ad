"""The log of an update: what is new to the model, and what only says where its users stand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.artifact import Facts
from segue.config import Settings
from segue.data.batches import runs
from segue.data.encoding.bound import EventFeatures
from segue.data.events import EventLog
from segue.data.objective import worth_of
from segue.data.sessions import Sequences
from segue.data.splits import TRAIN, Split, by_time
from segue.errors import LogError, TrainingError
from segue.evaluation.report import utc
from segue.models.base import SessionRule
from segue.shapes import Bools, Floats


class Days(NamedTuple):
    """A log parted at the time from which on a model has learned nothing.

    Attributes:
        log: E events, old ones and new ones.
        first: the place of the first new event.
        split: of all events: those before `first` and what is learned first are `TRAIN`, the last of the new ones
            choose and judge.
        worth: (E,) see `worth_of`.
        notes: what one who updates should know.
        features: of the events, for a model that reads them.
    """

    log: EventLog
    first: int
    split: Split
    worth: Floats | None
    notes: list[str]
    features: EventFeatures | None = None

    @property
    def new(self) -> int:
        """How many events are new."""
        return len(self.log) - self.first


def days_of(log: EventLog, facts: Facts, settings: Settings) -> Days:
    """Part a log.

    Raises:
        TrainingError: the model has no time from which on it has learned nothing.
        LogError: the log has no times, or nothing that is new to the model.
    """
    if facts.cutoff is None:
        raise TrainingError(
            f"the model was trained under a {facts.split} split: there is no time from which on it has learned "
            "nothing, so nobody can say which events are new to it. Train one with --split time (--final learns from "
            "everything), and update that"
        )
    if not log.timed:
        raise LogError("this log has only an order: an update needs times, to know what the model has not learned yet")
    first = int(np.searchsorted(log.time, facts.cutoff))
    if first == len(log):
        last = f", the last one at {utc(float(log.time[-1]))}" if len(log) else ""
        raise LogError(
            f"all {len(log):,} events lie before {utc(facts.cutoff)}, the model's cutoff{last}: it has learned all "
            "that it may of them. Give a log with later events"
        )
    part = by_time(log.where(np.arange(len(log)) >= first), settings.split.valid, settings.split.test)
    role = np.concatenate([np.full(first, TRAIN, np.int8), part.role])
    worth = worth_of(log, settings.objective, strict=False)
    notes = list(log.remarks)
    if first:
        notes.append(
            f"{first:,} of {len(log):,} events lie before {utc(facts.cutoff)}, the model's cutoff: they say where "
            "their users stand, and are not learned again"
        )
    before = np.zeros(len(log.users), bool)
    before[log.user[:first]] = True
    users = np.unique(log.user[first:])
    unknown = int(np.count_nonzero(~before[users]))
    if unknown and not log.anonymous:  # there every session is a user of its own
        notes.append(
            f"{unknown:,} of {len(users):,} users with new events have no earlier one in this log: they begin at the "
            "initial state, as new users do; a log with older events says where they stand"
        )
    return Days(log, first, Split("time", role, part.cutoff, ()), worth, notes)


def learned_of(sequences: Sequences, first: int, rule: SessionRule, context: int) -> tuple[Sequences, Bools]:
    """Of a log's sequences what an update reads, and (E,) which events it learns: the new ones.

    A user without new events is left out. Of the others' old events there stay the last ones: those that a server
    would fold a state anew from, as far as they are of the session in hand where a new one forgets those before it.

    Args:
        sequences: laid out from a log.
        first: the place in the log of the first new event.
        rule: when a session is over.
        context: so many old events of a user stay at most.
    """
    new = np.asarray(sequences.order >= first)
    count = sequences.count_of(new)
    fresh = count > 0
    begins, ends = sequences.bounds[:-1][fresh], sequences.bounds[1:][fresh]
    first_new = ends - count[fresh]
    starts = np.flatnonzero(sequences.starts)
    session = starts[np.searchsorted(starts, first_new, side="right") - 1] if rule.resets else begins
    begins = np.maximum(session, first_new - context)
    places = runs(begins, ends - begins)
    bounds = np.concatenate([[0], np.cumsum(ends - begins)]).astype(np.int64)
    part = sequences.part(places, bounds=bounds, of=sequences.of[fresh])
    begun = np.array(part.starts, bool)
    begun[bounds[:-1]] = True
    return part.other(starts=begun), new[places]
