"""The table: every model on the same predictions, with intervals and the paired test."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from segue.charts import whisker
from segue.evaluation.figures import differs, figure
from segue.evaluation.report import Report, Row, Value
from segue.reporting.markup import Child, element, picture
from segue.reporting.sections.parts import row, section, table
from segue.reporting.words import learned_in, name

SHOWN = ("recall@10", "mrr@10", "ndcg@10", "recall@20", "coverage@10", "novelty@10", "intra_list_diversity@10")


def models_part(report: Report, finest: float) -> Element:
    """Every model, best first."""
    reach = reach_of([one.metrics[report.main] for one in report.rows])
    best = next((one for one in report.rows if one.baseline), None)
    mark = None if best is None else best.metrics[report.main].value
    excluded = {"none": "nothing", "current": "the item just seen", "seen": "what the user had"}[report.exclude]
    foot = (
        "± is half of a 95 % interval, by a bootstrap over users. The test against the best baseline is paired: the "
        "same resamples, the same predictions. The dotted line is the best baseline."
    )
    return section(
        "models",
        "How good each model is",
        f"All were asked for the same {report.split['predictions']:,} events of the test part: where stands what came "
        f"next, among all items? Left out of every list: {excluded}.",
        table(
            ["model", report.main, "<95 % interval", "against the best baseline", "p", "learned in"],
            [model_row(one, report, reach, mark, finest) for one in report.rows],
            label="Models",
            foot=foot,
        ),
        element("h3", "By other metrics"),
        others(report),
    )


def others(report: Report) -> Element:
    """The same models by what else was measured."""
    names = [one for one in dict.fromkeys((*SHOWN, *report.asked)) if one != report.main]
    rows = [
        row(called(one), *(metric(key, one.metrics[key]) for key in names), data_model=one.model) for one in report.rows
    ]
    return table(["model", *(label_of(one) for one in names)], rows, label="Other metrics")


def label_of(metric: str) -> str:
    """A metric as a heading, which may break."""
    return metric.replace("intra_list_diversity", "diversity in a list").replace("_", " ")


def called(one: Row) -> Child:
    """A model's name, and whether it is a baseline."""
    if one.baseline:
        return [name(one.model), " ", element("small", "baseline")]
    return element("strong", name(one.model))


def model_row(one: Row, report: Report, reach: tuple[float, float], mark: float | None, finest: float) -> Element:
    """One model."""
    main = one.metrics[report.main]
    label = f"{one.model}: {report.main} {figure(main)}"
    drawn = whisker(main.value, interval(main), reach, title=label, mark=mark, series=1 if one.baseline else 0)
    return row(
        called(one),
        metric(report.main, main),
        picture(drawn, "strip"),
        *against(one, finest),
        learned_in(one.seconds),
        data_model=one.model,
    )


def metric(key: str, value: Value) -> Element:
    """A figure of the table, which says what it is."""
    return element("td", figure(value), data_metric=key)


def against(one: Row, finest: float) -> tuple[Element, Element]:
    """The paired test: how far apart, and its p."""
    found = one.against_best_baseline
    if found is None:
        return element("td", "the best baseline" if one.baseline else "-", class_="quiet"), element("td")
    p, low, high = found["p"], found["low"], found["high"]
    kind = None
    if low is not None and high is not None:
        kind = "ahead" if low > 0 else "behind" if high < 0 else None
    told = "-" if p is None or low is None else f"≤ {p:.2g}" if p <= finest else f"{p:.2g}"
    return element("td", differs(found), class_=kind, data_test=one.model), element("td", told)


def interval(value: Value) -> tuple[float, float] | None:
    """The interval of a figure, if it has one."""
    return None if value.low is None or value.high is None else (value.low, value.high)


def reach_of(values: list[Value], *more: float) -> tuple[float, float]:
    """An axis that holds all of them."""
    ends = [end for one in values for end in (one.value, one.low, one.high) if end is not None]
    ends += more
    return (min(ends), max(ends)) if ends else (0.0, 1.0)
