"""What diversity costs: the points of each strategy, knees in rings, and the point that is served today."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from segue.evaluation.figures import figure
from segue.evaluation.points import BESIDE, GAINS, WORTH, Frontier, Point
from segue.reporting.bought import SPOKEN, best_of
from segue.reporting.markup import element, picture
from segue.reporting.sections.parts import row, section, table, wide
from segue.reporting.words import NARROW


def frontier_part(found: Frontier) -> Element:
    """A picture for each thing that is bought, and every point in figures."""
    names = [f"{name}@{found.k}" for name in (*GAINS, *BESIDE)]
    pictures = [
        wide(picture(svg), label=f"{WORTH} against {name}") for svg, name in zip(found.pictures(), names, strict=True)
    ]
    bests = {name: best_of(found, name) for name in (f"{gain}@{found.k}" for gain in GAINS)}
    return section(
        "frontier",
        "What diversity costs",
        "Each line is a strategy, each point a place of its knob. At the diamond are the best scores alone (knob 0): "
        "what is served unless a request asks for diversity. Rings are knees, where a strategy begins to cost much.",
        element("div", *pictures, class_="pictures"),
        table(
            ["strategy", "knob", f"{WORTH}@{found.k}", "lost, 95 %", *names, "<marks"],
            [point_row(point, names, bests) for point in found.points],
            label="Points",
        ),
    )


def point_row(point: Point, names: list[str], bests: dict[str, Point | None]) -> Element:
    """One strategy at one place of its knob."""
    worth = next(name for name in point.metrics if name.partition("@")[0] == WORTH)
    return row(
        point.strategy,
        f"{point.diversity:g}",
        element("td", figure(point.metrics[worth]), data_metric=worth),
        lost(point),
        *(element("td", figure(point.metrics[name]), data_metric=name) for name in names),
        element("td", marks(point, bests), class_="words"),
        data_point=f"{point.strategy} {point.diversity:g}",
    )


def lost(point: Point) -> str:
    """The share of accuracy that is lost, with half its interval."""
    loss = point.loss
    if loss.value is None:
        return "-"
    around = "" if loss.low is None or loss.high is None else f"{NARROW}±{NARROW}{50 * (loss.high - loss.low):.1f}"
    return f"{100 * loss.value + 0.0:.1f}{NARROW}%{around}"


def marks(point: Point, bests: dict[str, Point | None]) -> str:
    """What there is to know of a point."""
    found = ["served unless asked otherwise"] if point.diversity == 0 else []
    found += [f"knee of {SPOKEN[name.partition('@')[0]]}" for name in point.knee_of]
    found += [f"most of {SPOKEN[name.partition('@')[0]]}" for name, best in bests.items() if best is point]
    return ", ".join(found)
