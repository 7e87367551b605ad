"""For whom the network is ahead: by activity of the user, and by popularity of what came next."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from segue.charts import whisker
from segue.evaluation.figures import figure
from segue.evaluation.report import Report
from segue.reporting.evidence import Difference, Evidence
from segue.reporting.markup import element, picture
from segue.reporting.sections.models import interval, reach_of
from segue.reporting.sections.parts import row, section, table
from segue.reporting.verdict import figure as relative
from segue.reporting.words import name, sentence

OUTCOMES = {"ahead": "ahead", "behind": "behind", "open": "not told apart", "few": "too few users to tell"}


def groups_part(report: Report, evidence: Evidence) -> Element | None:
    """A table for each kind of groups; nothing where there is no network and baseline to compare."""
    if evidence.network is None or evidence.baseline is None:
        return None
    where = "in the session" if evidence.within_session else "of the user"
    kinds = (
        (f"By events {where} before", evidence.activity),
        ("By popularity of what came next", evidence.popularity),
        ("By how often what came next was learned from", evidence.learned),
        ("Known and new", evidence.others),
    )
    tables = [
        [element("h3", title), groups_table(title, groups, report, evidence)] for title, groups in kinds if groups
    ]
    ours, theirs = name(evidence.network), name(evidence.baseline)
    return section(
        "groups",
        "For whom",
        f"{sentence(ours)} less {theirs}, in {report.main}: right of the dotted line {ours} is ahead. Each interval "
        "stands for itself, so one in twenty may miss by chance.",
        tables or element("p", "There is only one kind of user and target."),
    )


def groups_table(title: str, groups: Sequence[Difference], report: Report, evidence: Evidence) -> Element:
    """The groups of one kind."""
    reach = reach_of([one.difference for one in groups], 0.0)
    headings = [
        "group",
        "predictions",
        "users",
        name(evidence.network or ""),
        name(evidence.baseline or ""),
        "<difference, 95 %",
        "relative",
        "outcome",
    ]
    return table(headings, [group_row(one, reach) for one in groups], label=title)


def group_row(one: Difference, reach: tuple[float, float]) -> Element:
    """One group."""
    label = f"{one.name}: {relative(one)}"
    drawn = whisker(one.difference.value, interval(one.difference), reach, title=label, mark=0.0)
    return row(
        sentence(one.name),
        f"{one.predictions:,}",
        f"{one.users:,}",
        element("td", figure(one.network), data_of="network"),
        element("td", figure(one.baseline), data_of="baseline"),
        picture(drawn, "strip"),
        relative(one),
        element("td", OUTCOMES[one.outcome], class_=one.outcome),
        data_group=one.name,
    )
