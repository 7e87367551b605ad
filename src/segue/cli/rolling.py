"""`segue evaluate --rolling`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from segue.choices import settings_tree
from segue.cli.chart import check_chart, write_chart
from segue.cli.show import out, print_json, print_table, progress, say
from segue.errors import ConfigError, EvaluationError

if TYPE_CHECKING:
    from segue.recommender import Recommender
    from segue.training.rolling.report import Rolling


class Asked(NamedTuple):
    """What was asked for."""

    every: str
    weeks: int | None
    retrain: bool
    set: tuple[str, ...]
    chart: Path | None
    json: bool


def check(rolling: str | None, *, retrain: bool, metrics: str | None, **given: Any) -> None:
    """Raise ConfigError, before any work, for options that do not go together or a chart that cannot be written."""
    if rolling is None:
        spare = [f"--{name}" for name, value in given.items() if value] + ["--no-retrain"] * (not retrain)
        if spare:
            raise ConfigError(f"{', '.join(spare)}: only with --rolling, such as --rolling 7d")
    elif metrics:
        raise ConfigError("--metrics does not go with --rolling, which tells of train.metric and recall@20")
    if given["chart"] is not None:
        check_chart(given["chart"])


def print_weeks(
    recommender: Recommender, log: list[str], items: str | None, asked: Asked, columns: Mapping[str, Any]
) -> None:
    """Roll over the weeks, and say what was found; of what Ctrl-C or an error left, too."""
    with progress() as show:
        report = recommender.rolling(
            log,
            every=asked.every,
            weeks=asked.weeks,
            items=items,
            retrain=asked.retrain,
            settings=settings_tree(None, asked.set),
            say=say,
            show=show,
            **columns,
        )
    print_json(report) if asked.json else print_rolling(report)
    if asked.chart is not None:
        write_chart(report.chart(), asked.chart)
        say(f"the chart is in {asked.chart}")
    if report.interrupted:
        raise KeyboardInterrupt
    if report.ended:
        raise EvaluationError(report.ended)


def print_rolling(report: Rolling) -> None:
    """The tables, the verdicts, and notes."""
    from segue.training.rolling.telling import tables_of

    for table in tables_of(report):
        print_table(table.headings, table.rows, title=table.title)
    for verdict in report.verdicts:
        out().print(verdict, markup=False)
    for note in report.notes:
        say(f"note: {note}")
