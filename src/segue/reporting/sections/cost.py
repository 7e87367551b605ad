"""What accuracy costs: time of a step, time of learning, memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element

from segue.charts import scatter
from segue.evaluation.figures import figure
from segue.evaluation.report import Report, Row
from segue.reporting.markup import element, picture
from segue.reporting.sections.models import called
from segue.reporting.sections.parts import row, section, table, wide
from segue.reporting.words import lasting, name

AXES: Mapping[str, tuple[str, Callable[[Row], float | None]]] = {
    "the time of a step": (
        "microseconds to absorb an event of one user",
        lambda one: None if one.cost is None else one.cost.step_us,
    ),
    "the time of learning": ("seconds to learn, choosing of settings included", lambda one: one.seconds),
    "memory while learning": (
        "megabytes of the process at its most",
        lambda one: None if one.cost is None else one.cost.peak_memory_mb,
    ),
    "what is kept for a user": (
        "bytes of a state",
        lambda one: None if one.cost is None else float(one.cost.state_bytes),
    ),
}
"""What the main metric is drawn against: in a few words, the words at the axis, and the figure of a model."""


def cost_part(report: Report) -> Element | None:
    """A table and a picture for each kind of cost; nothing where no cost was measured."""
    if not any(one.cost is not None for one in report.rows):
        return None
    return section(
        "cost",
        "What that costs",
        "A step is one event of one user, absorbed on this machine: the median, and what nine of ten stay below. Its "
        "list comes on top. Memory is that of the whole process while a network learned, the log in it.",
        table(
            ["model", report.main, "parameters", "learned in", "events/s", "step", "nine of ten", "state", "memory"],
            [cost_row(one, report.main) for one in report.rows],
            label="Costs",
        ),
        element("div", *(drawn(report, *axis) for axis in AXES.items()), class_="pictures"),
    )


def cost_row(one: Row, main: str) -> Element:
    """What one model costs."""
    cost = one.cost
    if cost is None:
        return row(called(one), *["-"] * 8)
    return row(
        called(one),
        figure(one.metrics[main]),
        f"{cost.parameters:,}",
        "-" if one.seconds is None else lasting(one.seconds),
        "-" if cost.events_per_s is None else f"{cost.events_per_s:,.0f}",
        f"{cost.step_us:,.1f} µs",
        f"{cost.step_p90_us:,.1f} µs",
        f"{cost.state_bytes:,} B",
        "-" if cost.peak_memory_mb is None else f"{cost.peak_memory_mb:,.0f} MB",
    )


def drawn(report: Report, what: str, axis: tuple[str, Callable[[Row], float | None]]) -> Element | None:
    """The main metric against one kind of cost; nothing where fewer than three models have a figure."""
    words, of = axis
    points, intervals = {}, {}
    for one in report.rows:
        value, cost = one.metrics[report.main], of(one)
        if value.value is None or cost is None or cost <= 0:
            continue
        points[name(one.model)] = cost, value.value
        if value.low is not None and value.high is not None:
            intervals[name(one.model)] = value.low, value.high
    if len(points) < 3:
        return None
    title = f"{report.main} against {what}"
    return wide(picture(scatter(points, title=title, x=words, y=report.main, intervals=intervals)), label=title)
