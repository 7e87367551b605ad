"""What every picture is drawn of.

Colours are attributes, so that a file by itself looks right wherever it is opened, and each has a class, so that a page
may give it another: `ground`, `grid`, `mark`, `ink`, `quiet`, and `fill-1` or `line-1` for the first series.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22")
INK, QUIET, GRID = "#333", "#666", "#ddd"
FARTHEST = 1e150
"""What lies beyond is no more drawn than infinity: differences of such numbers are no numbers."""
UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML has no place for."""


def fill(series: int) -> str:
    """The attributes of what is filled with the colour of a series, from 0."""
    return f'fill="{COLORS[series % len(COLORS)]}" class="fill-{series % len(COLORS) + 1}"'


def line(series: int) -> str:
    """The attributes of what is drawn in the colour of a series, from 0."""
    return f'stroke="{COLORS[series % len(COLORS)]}" class="line-{series % len(COLORS) + 1}"'


def span(across: float, low: float, high: float, series: int) -> str:
    """An upright line, at places in the picture."""
    place = f'x1="{across:.1f}" x2="{across:.1f}" y1="{low:.1f}" y2="{high:.1f}"'
    return f'<line {place} {line(series)} stroke-width="2" opacity="0.5"/>'


def diamond(across: float, down: float) -> str:
    """An open diamond, at a place in the picture."""
    path = f"M{across:.1f} {down - 7:.1f}l7 7l-7 7l-7 -7z"
    return f'<path d="{path}" fill="none" stroke="{INK}" class="mark" stroke-width="1.5"/>'


def words(x: float, y: float, text: str, *, anchor: str = "start", series: int | None = None, size: int = 12) -> str:
    """A line of text."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    color = f'fill="{INK}" class="ink"' if series is None else fill(series)
    return f'<text {place} {color} font-size="{size}">{written(text)}</text>'


def drawable(point: Sequence[float]) -> bool:
    """Whether these are numbers that a picture can hold."""
    return all(abs(value) < FARTHEST for value in point)  # no comparison is true of nan


def written(text: str) -> str:
    """Text as XML takes it."""
    return escape(UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text))
