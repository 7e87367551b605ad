"""`segue evaluate`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from segue.cli.options import Folder, Json, Log, LogColumns, Metrics, Own, split
from segue.cli.show import print_json, print_report


def command(
    folder: Folder,
    log: Log,
    /,
    *,
    items: Annotated[str | None, Parameter(help="An items table, for columns that the model does not have.")] = None,
    metrics: Metrics = None,
    columns: LogColumns | None = None,
    own: Own = None,
    json: Json = False,
) -> None:
    """Ask a model for the events of a log that it cannot have learned from, beside baselines that saw the same."""
    from segue.recommender import load

    recommender = load(folder)
    named = recommender.columns((columns or LogColumns()).named())
    report = recommender.evaluate(log, items=items, metrics=split(metrics or ""), **named)
    print_json(report) if json else print_report(report)
