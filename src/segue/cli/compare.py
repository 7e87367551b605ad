"""`segue compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from segue.cli.chart import check_chart, write_chart
from segue.cli.options import GIVEN, Chosen, Json, Log, LogColumns
from segue.cli.report import ReportFile, mailed, say_mailed
from segue.cli.show import print_json, print_report, progress, say


def command(
    log: Log,
    /,
    *,
    models: Annotated[
        str | None,
        Parameter(help="Names separated by commas; the baselines are always among them. By default model.cell."),
    ] = None,
    items: Annotated[str | None, Parameter(help="An items table: item_id, title, categories, ...")] = None,
    items_col: Annotated[str | None, Parameter(help="The column of item ids in the items table.")] = None,
    chart: Annotated[
        Path | None, Parameter(help="A .svg file for a picture: the main metric against the time of a step."), GIVEN
    ] = None,
    report: ReportFile = None,
    columns: LogColumns | None = None,
    settings: Chosen | None = None,
    json: Json = False,
) -> None:
    """Tune and train models on the same events, and ask all of them for the same targets."""
    from segue import api
    from segue.training.latency import named
    from segue.training.run import check_models

    mail = mailed(report)
    if chart is not None:
        check_chart(chart)
    wanted = [] if models is None else named(models)
    if models is not None:
        check_models(wanted)
    with progress() as show:
        found = api.compare(
            log,
            models=wanted,
            items=items,
            items_col=items_col,
            settings=(settings or Chosen()).tree(),
            report=mail,
            say=say,
            show=show,
            **(columns or LogColumns()).named(),
        )
    print_json(found) if json else print_report(found)
    if chart is not None:
        write_chart(found.chart(), chart)
        say(f"the chart is in {chart}")
    say_mailed(mail)
