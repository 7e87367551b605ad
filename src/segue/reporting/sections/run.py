"""How it came to be: command, settings, seed, machine."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from segue.reporting.content import Content
from segue.reporting.markup import clamped, element
from segue.reporting.sections.parts import section


def run_part(content: Content) -> Element:
    """All that it takes to make it again."""
    run = content.run
    facts = {
        "made": run.made,
        "segue": run.version,
        "seed": str(run.seed),
        **run.machine,
    }
    changed = {key for key, value in run.settings.items() if run.defaults.get(key) != value}
    return section(
        "run",
        "How it was made",
        "The same command, seed and machine give the same figures; times of steps and of learning are the machine's.",
        element("pre", element("code", clamped(run.command, 2000)))
        if run.command
        else element("p", "Called from Python, not by a command.", class_="quiet"),
        element(
            "dl",
            *(element("div", element("dt", key), element("dd", clamped(value, 200))) for key, value in facts.items()),
            class_="facts",
        ),
        element("h3", "Settings"),
        element("p", "In bold what differs from the default: it was set, or chosen from the log.", class_="quiet"),
        element(
            "ul",
            *(setting(key, value, changed=key in changed) for key, value in run.settings.items()),
            class_="settings",
        ),
    )


def setting(key: str, value: Any, *, changed: bool) -> Element:
    """One setting."""
    text = clamped(f"{key} = {shown(value)}", 160)
    return element("li", element("strong", text) if changed else text)


def shown(value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value)) or "none"
    return "none" if value is None or value == "" else str(value)
