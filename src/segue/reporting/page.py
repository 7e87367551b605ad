"""All parts in one page, the verdict first."""

from __future__ import annotations

from importlib import resources

from segue.reporting.content import Content
from segue.reporting.markup import document, element
from segue.reporting.sections.data import data_part
from segue.reporting.sections.examples import examples_part
from segue.reporting.sections.groups import groups_part
from segue.reporting.sections.models import models_part
from segue.reporting.sections.run import run_part
from segue.reporting.sections.split import split_part
from segue.reporting.sections.top import header, verdict_part
from segue.reporting.verdict import verdict_of


def page_of(content: Content) -> str:
    """The whole report as the text of an HTML file."""
    report, evidence = content.report, content.evidence
    assert report is not None
    assert evidence is not None
    parts = [
        verdict_part(content, verdict_of(report, evidence)),
        models_part(content, report),
        groups_part(report, evidence),
        None if evidence.examples is None else examples_part(evidence.examples),
        data_part(content),
        split_part(content),
        run_part(content),
    ]
    style = resources.files("segue.reporting").joinpath("report.css").read_text("utf-8")
    foot = element(
        "footer",
        element("p", f"Made by segue {content.run.version}. This file loads nothing and runs nothing.", class_="quiet"),
    )
    return document(f"{content.run.title}: segue report", [element("main", header(content), *parts, foot)], style)
