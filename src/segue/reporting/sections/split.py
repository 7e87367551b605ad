"""How the log was parted, on a time line."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from segue.charts import timeline
from segue.charts.marks import fill
from segue.evaluation.report import utc
from segue.reporting.content import Content
from segue.reporting.markup import element, picture
from segue.reporting.sections.parts import row, section, table
from segue.reporting.words import day, share

PARTS = {"train": "training", "valid": "validation", "test": "test"}
KINDS = {
    "time": "Everything before the cutoff was learned from; everything after it was asked for, for everybody at one "
    "moment, as a live system would meet it.",
    "leave-one-out": "The last event of each user was asked for. This mixes times: a model has learned from what "
    "happened after what it is asked for.",
    "column": "The log says itself which part each event is of.",
}


def split_part(content: Content) -> Element:
    """A histogram of the parts with the cutoff, and the parts in figures."""
    known, split = content.stretches, content.split
    total = max(int(known.counts.sum()), 1)
    rows = []
    for series, (part, word) in enumerate(PARTS.items()):
        events = int(known.counts[:, series].sum()) if len(known.counts) else split.get(part, 0)
        span = known.spans.get(part)
        dates = ["-", "-"] if span is None else [day(span[0]), day(span[1])]
        if events:
            of = share(events / total) if len(known.counts) else "-"
            rows.append(row([swatch(series), " ", word], f"{events:,}", of, *dates))
    cutoff = split.get("cutoff")
    return section(
        "split",
        "What was learned from, and what was asked",
        KINDS.get(split["kind"], ""),
        line(content)
        if len(known.counts)
        else element("p", "The log has an order and no times to draw.", class_="quiet"),
        table(
            ["part", "events", "share", "from", "to"],
            rows,
            label="Parts",
            foot=None if cutoff is None else f"Cutoff: {utc(cutoff)}. Times are UTC.",
        ),
    )


def line(content: Content) -> Element:
    """The picture."""
    known, split = content.stretches, content.split
    first, last = known.first or 0.0, known.last or 0.0
    cuts = []
    span, cutoff = known.spans.get("valid"), split.get("cutoff")
    if cutoff is not None:
        if span is not None:
            cuts.append((known.share(span[0]), f"validation from {day(span[0])}"))
        cuts.append((known.share(cutoff), f"test from {day(cutoff)}"))
    title = f"Events along time: {split['kind']} split, from {day(first)} to {day(last)}"
    drawn = timeline(known.counts.tolist(), cuts=cuts, ends=(day(first), day(last)), unit=known.unit, title=title)
    return picture(drawn, "timeline")


def swatch(series: int) -> Element:
    """The colour of a part, which is printed too."""
    size = 'width="10" height="10"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size} aria-hidden="true"><rect {size} {fill(series)}/></svg>'
    return picture(svg, "swatch")
