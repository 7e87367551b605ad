"""`segue evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from segue.cli import rolling as weeks_of
from segue.cli.options import GIVEN, Folder, Json, Log, LogColumns, Metrics, Own, split
from segue.cli.show import print_json, print_report

WEEKS = Group("Week after week", help="With --rolling: the model kept, updated and trained anew, side by side.")


def command(
    folder: Folder,
    log: Log,
    /,
    *,
    items: Annotated[str | None, Parameter(help="An items table, for columns that the model does not have.")] = None,
    metrics: Metrics = None,
    rolling: Annotated[str | None, Parameter(group=WEEKS, help="How long a week is, such as 7d.")] = None,
    weeks: Annotated[int | None, Parameter(group=WEEKS, help="So many at most, the first one included.")] = None,
    retrain: Annotated[bool, Parameter(group=WEEKS, help="Train a network anew before each week as well.")] = True,
    set: Annotated[  # noqa: A002
        list[str] | None,
        Parameter(name="--set", negative="", group=WEEKS, help="A setting of updates, such as update.freeze=core."),
    ] = None,
    chart: Annotated[Path | None, Parameter(group=WEEKS, help="A .svg file for a picture."), GIVEN] = None,
    columns: LogColumns | None = None,
    own: Own = None,
    json: Json = False,
) -> None:
    """Ask a model for the events of a log that it cannot have learned from, beside baselines that saw the same."""
    from segue.recommender import load

    weeks_of.check(rolling, weeks=weeks, retrain=retrain, set=set, chart=chart, metrics=metrics)
    recommender = load(folder)
    named = recommender.columns((columns or LogColumns()).named())
    if rolling is not None:
        given = weeks_of.Asked(rolling, weeks, retrain, tuple(set or ()), chart, json)
        weeks_of.print_weeks(recommender, log, items, given, named)
        return
    report = recommender.evaluate(log, items=items, metrics=split(metrics or ""), **named)
    print_json(report) if json else print_report(report)
