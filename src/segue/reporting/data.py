"""A log as a report tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from segue.data.events import EventLog, Rejection
from segue.data.sessions import lay_out
from segue.data.statistics import Statistics, measure
from segue.reporting.census import Census, census_of


class Data(NamedTuple):
    """A log as a report tells of it.

    Attributes:
        statistics, census: its measures.
        timed: it has times.
        rejected: rows left out, by reason; the examples name no user.
        notes: what the reader decided and saw.
    """

    statistics: Statistics
    census: Census
    timed: bool
    rejected: tuple[Rejection, ...]
    notes: tuple[str, ...]


def data_of(log: EventLog) -> Data:
    """Measure a log."""
    laid = lay_out(log, gap=None, at_session_start="mark")
    rejected = tuple(replace(one, example=nameless(one)) for one in log.rejected)
    return Data(measure(log), census_of(log, laid), log.timed, rejected, log.notes)


def nameless(one: Rejection) -> str:
    """The example of a rejection without what stood in the cell, where that is of a user or a session."""
    where, found, _ = one.example.partition(": found ")
    return f"{where} (not shown)" if found and one.reason.startswith(("user", "session")) else one.example


def nameless_notes(notes: Sequence[str], rejected: Sequence[Rejection]) -> list[str]:
    """Notes that tell of rejections, in the same way: a report is mailed to people who may not know the users."""
    told = list(notes)
    for one in rejected:
        told = [note.replace(one.example, nameless(one)) if one.example else note for note in told]
    return told
