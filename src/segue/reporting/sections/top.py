"""What a report says first: what it is of, and the verdict."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from segue.reporting.content import Content
from segue.reporting.markup import clamped, element
from segue.reporting.traps import traps_of
from segue.reporting.verdict import Verdict
from segue.reporting.words import counted, listed

TONES = {"good": "The network wins", "bad": "The network does not win", "open": "Not decided"}


def header(content: Content) -> Element:
    """The title, of which log, when."""
    run = content.run
    return element(
        "header",
        element("p", "segue report", class_="brand"),
        element("h1", clamped(run.title, 120)),
        element("p", clamped(run.source, 200), ", ", element("time", run.made), class_="quiet"),
    )


def verdict_part(content: Content, verdict: Verdict) -> Element:
    """The verdict, what limits it, and what of the data makes it mean less."""
    label = TONES[verdict.tone] if content.report is not None else "What diversity costs"
    return element(
        "section",
        element("p", label, class_="label"),
        element("h2", f"{verdict.headline}.", id="verdict-title"),
        element("ul", *(element("li", line) for line in verdict.lines)) if verdict.lines else None,
        trust(content),
        id="verdict",
        class_=verdict.tone,
        aria_labelledby="verdict-title",
    )


def trust(content: Content) -> Element:
    """A line on the data, which leads to all of it."""
    found = traps_of(content.data, content.split, content.users)
    heavy = [trap.name.lower() for trap in found if trap.level == "matters"]
    light = sum(trap.level == "note" for trap in found)
    if heavy:
        matter = "matters" if len(heavy) == 1 else "matter"
        text = f"Before you trust this: {counted(len(heavy), 'thing')} about the data {matter} ({listed(heavy)})"
    elif light:
        text = f"The data: nothing that stands against this, {counted(light, 'thing')} worth knowing"
    else:
        text = "The data: nothing found that makes this mean less than it seems"
    return element("p", element("a", text, href="#data"), ".", class_="trust")
