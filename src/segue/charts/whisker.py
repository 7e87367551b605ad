"""One figure with its interval on an axis that several share: a cell of a table."""

from __future__ import annotations

from segue.charts.axis import Point
from segue.charts.marks import GRID, QUIET, drawable, fill, line, written

WIDTH, HEIGHT, EDGE = 180, 22, 8


def whisker(
    value: float | None, interval: Point | None, reach: Point, *, title: str, mark: float | None = None, series: int = 0
) -> str:
    """A dot and its whisker as the text of an SVG file; an empty axis where there is no figure.

    Args:
        value: the figure.
        interval: its (low, high).
        reach: what the axis reaches from and to.
        title: what is read out in place of the picture.
        mark: where an upright line stands, such as 0 or what the others are compared with.
        series: which colour, from 0.
    """
    low, high = reach

    def across(at: float) -> float:
        share = (at - low) / (high - low) if high > low else 0.5
        return EDGE + min(max(share, 0.0), 1.0) * (WIDTH - 2 * EDGE)

    middle = HEIGHT / 2
    drawn = [f'<line x1="0" x2="{WIDTH}" y1="{middle}" y2="{middle}" stroke="{GRID}" class="grid"/>']
    if mark is not None and drawable([mark]):
        place = f'x1="{across(mark):.1f}" x2="{across(mark):.1f}" y1="1" y2="{HEIGHT - 1}"'
        drawn.append(f'<line {place} stroke="{QUIET}" class="mark" stroke-dasharray="2 2"/>')
    if interval is not None and drawable(interval):
        left, right = map(across, interval)
        drawn.append(
            f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{middle}" y2="{middle}" {line(series)} '
            'stroke-width="3" stroke-linecap="round" opacity="0.55"/>'
        )
    if value is not None and drawable([value]):
        drawn.append(f'<circle cx="{across(value):.1f}" cy="{middle}" r="4.5" {fill(series)}/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{written(title)}">{"".join(drawn)}</svg>\n'
    )
