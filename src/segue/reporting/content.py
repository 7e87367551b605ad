"""What a report is made of: whoever knows less leaves parts out."""

from __future__ import annotations

from typing import Any, NamedTuple

from segue.evaluation.points import Frontier
from segue.evaluation.report import Report
from segue.reporting.data import Data
from segue.reporting.evidence import Evidence
from segue.reporting.timeline import Stretches


class Run(NamedTuple):
    """What was asked, of what, with what.

    Attributes:
        title: what the report is of.
        source: the log, in words.
        command: as it was typed; empty where it was called from Python.
        settings, defaults: by dotted key.
        seed: where all randomness came from.
        machine: facts by name.
        made: when, in UTC.
        version: of segue.
    """

    title: str
    source: str
    command: str
    settings: dict[str, Any]
    defaults: dict[str, Any]
    seed: int
    machine: dict[str, str]
    made: str
    version: str


class Content(NamedTuple):
    """All that a report tells.

    Attributes:
        run: how it came to be.
        data: the log.
        stretches: the log along time.
        split: kind, cutoff, predictions and so on, as in a table.
        exclude: what was not answered.
        notes: what a reader must know.
        report, evidence: a table, and what it stands on.
        frontier: what diversity costs.
    """

    run: Run
    data: Data
    stretches: Stretches
    split: dict[str, Any]
    exclude: str
    notes: list[str]
    report: Report | None = None
    evidence: Evidence | None = None
    frontier: Frontier | None = None

    @property
    def users(self) -> int | None:
        """Who were asked for."""
        return self.split.get("users") if self.evidence is None else self.evidence.users
