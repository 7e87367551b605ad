"""A report as a file: where it goes, what is asked of it, and how it is written."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from segue.config import Settings
from segue.data.catalog import ItemTable
from segue.data.events import EventLog
from segue.data.splits import Split
from segue.errors import SegueError
from segue.evaluation.judged import Judged
from segue.evaluation.points import Frontier
from segue.places import check_place, write_whole
from segue.reporting.content import Content, Run
from segue.reporting.data import data_of, nameless_notes
from segue.reporting.evidence import evidence_of
from segue.reporting.kept import Kept
from segue.reporting.machine import installed, machine_of
from segue.reporting.page import page_of
from segue.reporting.timeline import stretches_of
from segue.reporting.words import listed, name


class Mail:
    """Where a report goes, and the command that asked for it; a path alone will do where there was none.

    Args:
        file: where.
        command: as it was typed.
        held: whoever asked writes it, once the result is safe; by default it is written as soon as it is known.

    Raises:
        ConfigError: the file could not be written; no work was done.
    """

    def __init__(self, file: Path, command: str = "", *, held: bool = False) -> None:
        check_place(file, ".html", "the report")
        self.file, self.command, self.held = file, command, held
        self.page = self.failure = ""

    @classmethod
    def to(cls, asked: Mail | str | Path | None) -> Mail | None:
        """What was asked for. Raises ConfigError for a file that could not be written."""
        return asked if asked is None or isinstance(asked, Mail) else cls(Path(asked))

    def take(self, make: Callable[[], Content]) -> None:
        """Make the page while all that it tells of is there. Whatever fails in it costs the report, not the result."""
        try:
            self.page = page_of(make())
        except Exception as error:
            self.failure = f"{self.file}: the report could not be made ({type(error).__name__}: {error})"
        if self.held:
            return
        try:
            self.write()
        except SegueError as error:
            warnings.warn(f"{error}; the result stands", stacklevel=2)

    def write(self) -> None:
        """Write it, whole or not at all. Raises SegueError if it could not be made, or the disk does not take it."""
        if self.failure:
            raise SegueError(self.failure)
        if self.page:
            write_whole(self.page, self.file, "the report")


def mail_judged(
    mail: Mail,
    judged: Judged,
    log: EventLog,
    split: Split,
    settings: Settings,
    source: Any,
    kept: Callable[[], Kept | None] = lambda: None,
    items: ItemTable | None = None,
) -> None:
    """Tell of a table.

    Args:
        mail: where.
        judged: the table, and what it was made from.
        log, split: of the table.
        settings: that it was made with.
        source: the log as it was named.
        kept: what diversity costs, as measured earlier.
        items: names items that were not learned from.
    """
    mail.take(lambda: content_of(mail, judged, log, split, settings, source, kept(), items))


def content_of(
    mail: Mail,
    judged: Judged,
    log: EventLog,
    split: Split,
    settings: Settings,
    source: Any,
    kept: Kept | None,
    items: ItemTable | None,
) -> Content:
    """All that is told of a table; the arguments are those of `mail_judged`."""
    report, evidence = judged.report, evidence_of(judged, log, items)
    networks = [name(row.model) for row in report.rows if not row.baseline] or [name(report.rows[0].model)]
    title = f"How good {'is' if len(networks) == 1 else 'are'} {listed(networks[:6])}?"
    return Content(
        run_of(mail, title, settings, source),
        data_of(log),
        stretches_of(log, split),
        report.split,
        report.exclude,
        nameless_notes(report.notes, log.rejected),
        report=report,
        evidence=evidence,
        frontier=None if kept is None else kept.frontier,
        measured_at=None if kept is None else kept.measured_at,
    )


def mail_frontier(
    mail: Mail, found: Frontier, log: EventLog, split: Callable[[], Split], settings: Settings, source: Any
) -> None:
    """Tell of a frontier; the arguments are those of `mail_judged`."""
    mail.take(
        lambda: Content(
            run_of(mail, "What does diversity cost?", settings, source),
            data_of(log),
            stretches_of(log, split()),
            found.split,
            found.exclude,
            nameless_notes(found.notes, log.rejected),
            frontier=found,
        )
    )


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
