"""The time after a model's cutoff, parted into weeks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.artifact import Facts
from segue.data.events import EventLog
from segue.errors import EvaluationError
from segue.evaluation.report import utc

MOST = 1000
"""So many weeks are rolled over at most: more were not meant."""


class Week(NamedTuple):
    """A stretch of time, as long as was asked for.

    Attributes:
        number: from 1.
        begins, ends: Unix seconds; an event at `ends` is of the next one.
        first, last: the places in the log of its events; the one at `last` is of the next.
    """

    number: int
    begins: float
    ends: float
    first: int
    last: int


def check_facts(facts: Facts) -> float:
    """The time from which on a model has learned nothing.

    Raises:
        EvaluationError: it has none, or is no network.
    """
    if facts.kind != "network":
        raise EvaluationError(
            f"`{facts.name}` is no network: only networks are updated, and compared with themselves kept and trained "
            "anew. Give a model such as `segue train LOG --model gru` makes; the best baseline stands beside it anyway"
        )
    if facts.cutoff is None:
        raise EvaluationError(
            f"the model was trained under a {facts.split} split: there is no time from which on it has learned "
            "nothing, and so no week that is new to it. Train one with --split time"
        )
    return facts.cutoff


def weeks_of(log: EventLog, cutoff: float, length: float, at_most: int | None = None) -> list[Week]:
    """The weeks from a cutoff on until the log ends.

    Args:
        log: E events.
        cutoff: Unix seconds from which on a model has learned nothing.
        length: of a week, in seconds.
        at_most: so many, the first ones.

    Raises:
        EvaluationError: the log has no times or no later events, or ends before anybody could have learned.
    """
    if not log.timed:
        raise EvaluationError("this log has only an order: weeks need times")
    last = float(log.time[-1]) if len(log) else cutoff - 1
    if last < cutoff:
        raise EvaluationError(
            f"all {len(log):,} events lie before {utc(cutoff)}, the model's cutoff"
            + (f", the last one at {utc(last)}" if len(log) else "")
            + ": no week is left to ask for. Give a log that goes on (best the whole one), or an earlier model"
        )
    count = int((last - cutoff) // length) + 1
    if count == 1:
        raise EvaluationError(
            f"the log ends at {utc(last)}, within the first week after {utc(cutoff)}, the model's cutoff: nobody could "
            "learn in between. Give a longer log or shorter weeks, such as --rolling 1d; or leave --rolling out"
        )
    count = count if at_most is None else min(count, at_most)
    if count > MOST:
        raise EvaluationError(
            f"{count:,} weeks are more than {MOST:,}: take longer ones (--rolling 7d), or the first ones (--weeks 8)"
        )
    times = cutoff + length * np.arange(count + 1)
    places = np.searchsorted(log.time, times).tolist()
    return [
        Week(number + 1, float(times[number]), float(times[number + 1]), places[number], places[number + 1])
        for number in range(count)
    ]
