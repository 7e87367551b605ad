"""An update on the card of its model."""

from __future__ import annotations

from segue.artifact import Facts
from segue.evaluation.figures import differs, figure
from segue.evaluation.report import utc
from segue.training.updating.report import UpdateReport

HEADINGS = ("part", "predictions", "users", "before", "after", "difference")


def told_on_card(report: UpdateReport, before: Facts) -> list[str]:
    """Lines of Markdown: which version this is an update of, and what that changed."""
    of = f"version `{report.update_of}`" if report.update_of else "a model that was never saved"
    learned = "Nothing was learned."
    if report.events:
        since = f"{report.events:,} new events from {utc(before.cutoff or 0)} on"
        learned = (
            f"It learned {since} in {report.passes:.3g} passes, beside {report.replayed:,} old ones of its sample."
            if report.passes
            else f"Of {since} no pass was better than none: only vectors of new items have come of them."
        )
    states = "States of the version before stay valid." if report.states_stay else ""
    lines = [
        f"**This is an update of {of}.** {learned} New items: {report.items:,}; withdrawn ones: "
        f"{report.withdrawn:,}. {states}".rstrip(),
        "",
        f"{report.verdict[0].upper()}{report.verdict[1:]}.",
        "",
    ]
    if report.changes:
        lines += [
            f"| {' | '.join(HEADINGS)} |",
            f"|{'---|' * len(HEADINGS)}",
            *(f"| {' | '.join(row)} |" for row in rows_of(report)),
            "",
            f"{report.metric}, with 95 % intervals by a bootstrap over users, of a network that had not learned the "
            "last of the new days; this one has, for as many passes. Old sequences are of users held out of every "
            "replay: the model before learned them once.",
            "",
        ]
    return [*lines, "**What follows is of the model as it was trained, before any update.**", ""]


def rows_of(report: UpdateReport) -> list[list[str]]:
    """The table of an update, cell by cell."""
    return [
        [
            one.part,
            f"{one.predictions:,}",
            f"{one.users:,}",
            figure(one.before),
            figure(one.after),
            differs(one.difference),
        ]
        for one in report.changes
    ]
