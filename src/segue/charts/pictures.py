"""Lines and named points as SVG text."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence

from segue.charts.axis import Point, bounds, powers, round_numbers
from segue.charts.marks import GRID, diamond, drawable, fill, line, span, words, written

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 40, 50
LINE, LETTER = 18, 7
"""Of a name beside the picture: its height, and the width of a letter."""

Series = Mapping[str, Sequence[Point]]
Spans = Mapping[str, Sequence[tuple[float, float, float]]]


def lines(
    series: Series,
    *,
    title: str,
    x: str,
    y: str,
    spans: Spans | None = None,
    rings: Series | None = None,
    marks: Mapping[str, Point] | None = None,
) -> str:
    """A chart of lines by name; points that are no numbers are left out, a line without points too.

    Args:
        series: points (x, y) of each line.
        title, x, y: what is written above, below and at the side.
        spans, rings: by line, upright lines (x, low, high), and points to draw a ring around.
        marks: points with words of their own.
    """
    known = {name: found for name, points in series.items() if (found := list(filter(drawable, points)))}
    upright = {name: list(filter(drawable, (spans or {}).get(name, ()))) for name in known}
    together = [point for points in known.values() for point in points]
    together += [(at, end) for found in upright.values() for at, *ends in found for end in ends]
    across, down = scales(together, logarithmic=False)
    drawn = axes(together, logarithmic=False)
    for number, (name, points) in enumerate(known.items()):
        path = " ".join(f"{across(a):.1f},{down(b):.1f}" for a, b in points)
        drawn.append(f'<polyline points="{path}" fill="none" {line(number)} stroke-width="2"/>')
        drawn += [f'<circle cx="{across(a):.1f}" cy="{down(b):.1f}" r="2.5" {fill(number)}/>' for a, b in points]
        drawn += [span(across(at), down(low), down(high), number) for at, low, high in upright[name]]
        for a, b in filter(drawable, (rings or {}).get(name, ())):
            drawn.append(f'<circle cx="{across(a):.1f}" cy="{down(b):.1f}" r="7" fill="none" {line(number)}/>')
        drawn.append(words(WIDTH - RIGHT + 10, TOP + 10 + LINE * number, name, series=number))
    for name, (a, b) in (marks or {}).items():
        if known and drawable((a, b)):
            drawn.append(diamond(across(a), down(b)))
            left = across(a) > (LEFT + WIDTH - RIGHT) / 2  # so that it stays inside
            place = across(a) - 10 if left else across(a) + 10
            drawn.append(words(place, down(b) - 10, name, anchor="end" if left else "start"))
    return framed(drawn, known, title, x, y)


def scatter(
    points: Mapping[str, Point], *, title: str, x: str, y: str, intervals: Mapping[str, Point] | None = None
) -> str:
    """A chart of named points, x on a logarithmic scale; points that are no numbers or not above 0 in x are left out.

    Args:
        points: (x, y) by name.
        title, x, y: what is written above, below and at the side.
        intervals: (low, high) of y by name, where there is one; drawn as an upright line.
    """
    known = {name: point for name, point in points.items() if drawable(point) and point[0] > 0}
    spans = {name: span for name, span in (intervals or {}).items() if name in known and drawable(span)}
    together = [*known.values(), *((known[name][0], end) for name, span in spans.items() for end in span)]
    across, down = scales(together, logarithmic=True)
    drawn = axes(together, logarithmic=True)
    for number, (name, (a, b)) in enumerate(known.items()):
        for low, high in [spans[name]] if name in spans else []:
            drawn.append(span(across(a), down(low), down(high), number))
        drawn.append(f'<circle cx="{across(a):.1f}" cy="{down(b):.1f}" r="5" {fill(number)}/>')
        # Names would lie over each other where points are near, and colors come again.
        drawn.append(words(across(a) + 8, down(b) + 4, str(number + 1), series=number))
        drawn.append(words(WIDTH - RIGHT + 10, TOP + 10 + LINE * number, str(number + 1), series=number))
        drawn.append(words(WIDTH - RIGHT + 10 + 3 * LETTER, TOP + 10 + LINE * number, name, series=number))
    return framed(drawn, [f"00 {name}" for name in known], title, x, y)


def stacked(pictures: Sequence[str]) -> str:
    """Several charts as one picture, one below the other."""
    placed = (
        picture.replace("<svg ", f'<svg y="{HEIGHT * number}" width="{WIDTH}" height="{HEIGHT}" ', 1)
        for number, picture in enumerate(pictures)
    )
    size = f'viewBox="0 0 {WIDTH} {HEIGHT * len(pictures)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{"".join(placed)}</svg>\n'


def scales(points: Sequence[Point], *, logarithmic: bool) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """From values to places in the picture."""
    (left, right), (low, high) = bounds(points, logarithmic=logarithmic)

    def across(value: float) -> float:
        at = math.log10(value) if logarithmic else value
        return LEFT + (at - left) / (right - left) * (WIDTH - LEFT - RIGHT)

    def down(value: float) -> float:
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    return across, down


def axes(points: Sequence[Point], *, logarithmic: bool) -> list[str]:
    """Ticks with their numbers; nothing without points."""
    if not points:
        return []
    (left, right), (low, high) = bounds(points, logarithmic=logarithmic)
    across, down = scales(points, logarithmic=logarithmic)
    drawn = [
        words(across(value), HEIGHT - BOTTOM + LINE, f"{value:.4g}", anchor="middle")
        for value in (powers if logarithmic else round_numbers)(left, right)
    ]
    for value in round_numbers(low, high):
        drawn.append(words(LEFT - 8, down(value) + 4, f"{value:.4g}", anchor="end"))
        place = f'x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{down(value):.1f}" y2="{down(value):.1f}"'
        drawn.append(f'<line {place} stroke="{GRID}" class="grid"/>')
    return drawn


def framed(drawn: Sequence[str], names: Collection[str], title: str, x: str, y: str) -> str:
    """The whole picture, large enough for its names, or one that says that there is nothing to show."""
    width = WIDTH - RIGHT + max(RIGHT, 20 + LETTER * max(map(len, names), default=0))
    height = max(HEIGHT, TOP + LINE * (len(names) + 1))
    inside = drawn or [words(WIDTH / 2, HEIGHT / 2, "nothing to show", anchor="middle")]
    middle = (TOP + HEIGHT - BOTTOM) / 2
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
            f'font-size="12" role="img" aria-label="{written(title)}">',
            f'<rect width="{width}" height="{height}" fill="white" class="ground"/>',
            *inside,
            words(LEFT, 22, title, size=15),
            words((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x, anchor="middle"),
            f'<text x="16" y="{middle}" text-anchor="middle" transform="rotate(-90 16 {middle})" class="ink">'
            f"{written(y)}</text>",
            "</svg>",
            "",
        ]
    )
