"""One thing that was looked at in a log."""

from __future__ import annotations

from typing import Literal, NamedTuple

Level = Literal["matters", "note", "fine"]


class Trap(NamedTuple):
    """One thing that was looked at.

    Attributes:
        name: of what.
        level: `matters` for trust, worth a `note`, or `fine`.
        found: the figure.
        why: what it means.
    """

    name: str
    level: Level
    found: str
    why: str


def level(value: float, note: float, matters: float) -> Level:
    """Above which a share is worth a note, and above which it matters."""
    return "matters" if value > matters else "note" if value > note else "fine"
