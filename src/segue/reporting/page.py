"""All parts in one page, the verdict first."""

from __future__ import annotations

from importlib import resources

from segue.reporting import bought
from segue.reporting.content import Content
from segue.reporting.markup import Child, document, element
from segue.reporting.sections.cost import cost_part
from segue.reporting.sections.data import data_part
from segue.reporting.sections.examples import examples_part
from segue.reporting.sections.frontier import frontier_part
from segue.reporting.sections.groups import groups_part
from segue.reporting.sections.models import models_part
from segue.reporting.sections.run import run_part
from segue.reporting.sections.split import split_part
from segue.reporting.sections.top import header, verdict_part
from segue.reporting.verdict import verdict_of


def page_of(content: Content) -> str:
    """The whole report as the text of an HTML file."""
    parts = [header(content), *findings(content), data_part(content), split_part(content), run_part(content)]
    made = f"Made by segue {content.run.version}. This file loads nothing and runs nothing."
    foot = element("footer", element("p", made, class_="quiet"))
    style = resources.files("segue.reporting").joinpath("report.css").read_text("utf-8")
    return document(f"{content.run.title} segue report", [element("main", *parts, foot)], style)


def findings(content: Content) -> list[Child]:
    """What was found, of a table or of a frontier."""
    found: list[Child] = []
    report, evidence, frontier = content.report, content.evidence, content.frontier
    if report is not None and evidence is not None:
        found += [
            verdict_part(content, verdict_of(report, evidence)),
            models_part(report, evidence.finest),
            cost_part(report),
            groups_part(report, evidence),
            None if evidence.examples is None else examples_part(evidence.examples),
        ]
    if frontier is not None:
        if report is None:
            found.append(verdict_part(content, bought.verdict_of(frontier)))
        found.append(frontier_part(frontier, content.measured_at))
    return found
