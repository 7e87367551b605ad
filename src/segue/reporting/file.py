"""A report as a file: where it goes, what is asked of it, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from segue.config import Settings
from segue.data.events import EventLog
from segue.data.splits import Split
from segue.evaluation.judged import Judged
from segue.evaluation.points import Frontier
from segue.places import check_place, write_whole
from segue.reporting.content import Content, Run
from segue.reporting.data import data_of
from segue.reporting.evidence import evidence_of
from segue.reporting.machine import installed, machine_of
from segue.reporting.page import page_of
from segue.reporting.timeline import stretches_of
from segue.reporting.words import listed, name


class Mail(NamedTuple):
    """Where a report goes, and the command that asked for it; a path alone will do where there was none."""

    file: Path
    command: str = ""

    @classmethod
    def to(cls, asked: Mail | str | Path | None) -> Mail | None:
        """What was asked for. Raises ConfigError, before any work, for a file that could not be written."""
        if asked is None:
            return None
        mail = asked if isinstance(asked, Mail) else cls(Path(asked))
        check_place(mail.file, ".html", "the report")
        return mail


def write_judged(mail: Mail, judged: Judged, log: EventLog, split: Split, settings: Settings, source: Any) -> None:
    """Write the report of a table.

    Args:
        mail: where.
        judged: the table, and what it was made from.
        log, split: of the table.
        settings: that it was made with.
        source: the log as it was named.
    """
    report, evidence = judged.report, evidence_of(judged, log)
    networks = [name(row.model) for row in report.rows if not row.baseline] or [name(report.rows[0].model)]
    title = f"How good {'is' if len(networks) == 1 else 'are'} {listed(networks[:6])}?"
    content = Content(
        run_of(mail, title, settings, source),
        data_of(log),
        stretches_of(log, split),
        report.split,
        report.exclude,
        report.notes,
        report=report,
        evidence=evidence,
    )
    write_whole(page_of(content), mail.file, "the report")


def write_frontier(mail: Mail, found: Frontier, log: EventLog, split: Split, settings: Settings, source: Any) -> None:
    """Write the report of a frontier; the arguments are those of `write_judged`."""
    content = Content(
        run_of(mail, "What does diversity cost?", settings, source),
        data_of(log),
        stretches_of(log, split),
        found.split,
        found.exclude,
        found.notes,
        frontier=found,
    )
    write_whole(page_of(content), mail.file, "the report")


def run_of(mail: Mail, title: str, settings: Settings, source: Any) -> Run:
    """How a report came to be."""
    return Run(
        title=title,
        source=spoken(source),
        command=mail.command,
        settings=dict(flat(msgspec.to_builtins(settings))),
        defaults=dict(flat(msgspec.to_builtins(Settings()))),
        seed=settings.seed,
        machine=machine_of(),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=installed("segue") or "unknown",
    )


def spoken(source: Any) -> str:
    """A log as it was named: the last part of a path, or what kind of thing it was."""
    if isinstance(source, str | Path):
        return "standard input" if str(source) == "-" else Path(source).name
    if isinstance(source, Sequence):
        named = [spoken(one) for one in source[:3]]
        return ", ".join(named) + (f" and {len(source) - 3} more" if len(source) > 3 else "")
    return f"{type(source).__name__} in memory"


def flat(tree: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Settings by dotted key."""
    found: list[tuple[str, Any]] = []
    for key, value in tree.items():
        found += flat(value, f"{before}{key}.") if isinstance(value, dict) else [(f"{before}{key}", value)]
    return found
