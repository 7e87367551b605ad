"""Counts along time, in parts on top of each other, with lines where something begins.

Places across are shares of the width, so that a page may stretch the picture and its letters keep their size.
"""

from __future__ import annotations

from collections.abc import Sequence

from segue.charts.marks import GRID, INK, fill, written

HEIGHT, TOP, BOTTOM = 190, 44, 22


def timeline(
    bars: Sequence[Sequence[int]],
    *,
    cuts: Sequence[tuple[float, str]] = (),
    ends: tuple[str, str] = ("", ""),
    unit: str = "events a day",
    title: str,
) -> str:
    """A histogram along time as the text of an SVG file.

    Args:
        bars: for each stretch of time, how many of each part.
        cuts: the share of the time, from 0 to 1, at which something begins, and its words.
        ends: what is written below the first and the last stretch.
        unit: of a bar's height.
        title: what is read out in place of the picture.
    """
    most = max(map(sum, bars), default=0) or 1
    width = 100 / max(len(bars), 1)
    floor = HEIGHT - BOTTOM
    drawn = []
    for place, parts in enumerate(bars):
        top = float(floor)
        for series, count in enumerate(parts):
            if not count:
                continue
            tall = max(count / most * (floor - TOP), 0.5)
            top -= tall
            at = f'x="{place * width:.3f}%" width="{width * 0.9:.3f}%" y="{top:.1f}" height="{tall:.1f}"'
            drawn.append(f"<rect {at} {fill(series)}/>")
    drawn.append(f'<line x1="0" x2="100%" y1="{floor}" y2="{floor}" stroke="{GRID}" class="grid"/>')
    for number, (share, label) in enumerate(cuts):
        at, left = f"{100 * share:.3f}%", share > 0.5
        y = 12 + 15 * (number % 2)
        drawn.append(
            f'<line x1="{at}" x2="{at}" y1="{y - 9}" y2="{floor}" stroke="{INK}" class="mark" stroke-dasharray="3 3"/>'
        )
        drawn.append(text(at, y, label, anchor="end" if left else "start", dx=-5 if left else 5))
    drawn.append(text("0", TOP - 4, f"{most:,} {unit} at most", kind="quiet"))
    drawn.append(text("0", HEIGHT - 6, ends[0], kind="quiet"))
    drawn.append(text("100%", HEIGHT - 6, ends[1], anchor="end", kind="quiet"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="{HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img" aria-label="{written(title)}">{"".join(drawn)}</svg>\n'
    )


def text(x: str, y: float, label: str, *, anchor: str = "start", dx: int = 0, kind: str = "ink") -> str:
    """A line of text at a share of the width."""
    return f'<text x="{x}" y="{y}" dx="{dx}" text-anchor="{anchor}" fill="{INK}" class="{kind}">{written(label)}</text>'
