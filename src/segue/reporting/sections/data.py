"""The log and its traps."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from segue.reporting.content import Content
from segue.reporting.markup import clamped, element
from segue.reporting.sections.parts import row, section, table
from segue.reporting.traps import Trap, traps_of
from segue.reporting.words import counted, day, lasting, share

LEVELS = {"matters": "matters", "note": "worth knowing", "fine": "fine"}
MOST_NOTES = 30


def data_part(content: Content) -> Element:
    """What the log is, what was looked at, and what the reader decided."""
    data, traps = content.data, traps_of(content.data, content.split, content.users)
    rejected = [
        row(clamped(one.reason, 120), f"{one.rows:,}", element("td", clamped(one.example, 300), class_="words"))
        for one in data.rejected
    ]
    return section(
        "data",
        "The data and its traps",
        "What was looked at in the log, and which of it matters for trust in the figures above.",
        measures(content),
        table(["looked at", "<for trust", "<found", "<what that means"], map(trap_row, traps), label="Traps"),
        [element("h3", "Rows left out"), table(["reason", "rows", "<the first"], rejected, label="Rows left out")]
        if rejected
        else None,
        notes(content),
    )


def measures(content: Content) -> Element:
    """The size of a log, in a few figures."""
    known = content.data.statistics
    facts = [
        ("events", f"{known.events:,}"),
        ("users", f"{known.users:,}"),
        ("items", f"{known.items:,}"),
        ("sessions", f"{known.sessions:,}"),
        ("events a user", "{} / {} / {}".format(*known.length[:3])),
        ("density", share(known.density, 1)),
    ]
    if known.first_time is not None and known.last_time is not None:
        facts.append(("from", day(known.first_time)))
        facts.append(("to", day(known.last_time)))
    if known.median_pause is not None:
        facts.append(("median pause", lasting(known.median_pause)))
    return element(
        "dl", *(element("div", element("dt", key), element("dd", value)) for key, value in facts), class_="facts"
    )


def trap_row(trap: Trap) -> Element:
    """One thing that was looked at."""
    return row(
        trap.name,
        element("td", LEVELS[trap.level], class_=f"level {trap.level}"),
        element("td", trap.found, class_="words"),
        element("td", trap.why, class_="words"),
        data_trap=trap.level,
    )


def notes(content: Content) -> Element | None:
    """What a reader must know, one sentence each; those of the reader of the log among them."""
    found = list(dict.fromkeys([*content.notes, *content.data.notes]))
    if not found:
        return None
    more = len(found) - MOST_NOTES
    return element(
        "div",
        element("h3", "Notes"),
        element(
            "ul",
            *(element("li", clamped(note, 400)) for note in found[:MOST_NOTES]),
            element("li", f"and {counted(more, 'further note')}", class_="quiet") if more > 0 else None,
            class_="notes",
        ),
    )
