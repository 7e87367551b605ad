"""A log as a report tells of it."""

from __future__ import annotations

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
        rejected: rows left out, by reason.
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
    return Data(measure(log), census_of(log, laid), log.timed, log.rejected, log.notes)
