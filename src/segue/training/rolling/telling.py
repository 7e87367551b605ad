"""What a reader of weeks must know, and the tables of weeks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from segue.durations import UNITS, spoken
from segue.evaluation.figures import figure
from segue.training.rolling.report import KEPT, UPDATED, Rolling, day

FEW = 50
"""A week of fewer predictions says little by itself."""


class Table(NamedTuple):
    """A table, cell by cell."""

    title: str
    headings: list[str]
    rows: list[list[str]]


def tables_of(report: Rolling) -> Iterator[Table]:
    """A table for each metric, and one of what was learned."""
    names = report.names
    for metric in report.metrics:
        rows = [
            [
                f"{week.number}  {day(week.begins)}",
                f"{week.predictions:,}",
                *(figure(week.models[name].metrics[metric]) for name in names),
            ]
            for week in report.weeks
        ]
        if report.overall:
            rows.append(
                [after(report), f"{report.predictions:,}", *(figure(report.overall[name][metric]) for name in names)]
            )
        title = (
            f"{metric} of each {spoken_week(report.every)}, asked before anybody learned it; exclude {report.exclude}, "
            "full ranking; ± is half of a 95 % interval"
        )
        yield Table(title, ["week", "predictions", *names], rows)
    learners = [name for name in names if name != KEPT]
    rows = [
        [
            f"{week.number}  {day(week.begins)}",
            f"{week.models[UPDATED].events:,}",
            *(seconds(week.models[name].seconds) for name in learners),
            *(f"{week.models[name].unknown:,}" for name in names),
        ]
        for week in report.weeks
    ]
    rows.append([after(report), "", *(seconds(report.seconds.get(name)) for name in learners), *("" for _ in names)])
    headings = [
        "week",
        "new events",
        *(f"{name}, s" for name in learners),
        *(f"unknown to {name}" for name in names),
    ]
    yield Table(
        "what was learned just before each week, and how many of its targets each model does not know", headings, rows
    )


def after(report: Rolling) -> str:
    """The heading of the row of all weeks in which models were compared."""
    numbers = [week.number for week in report.weeks if week.compared]
    return f"all of {said(numbers)}" if numbers else "none compared"


def spoken_week(every: float) -> str:
    """A week, with its length where it is another."""
    if every == 7 * UNITS["d"]:
        return "week"
    unit, name = next(((UNITS[u], u) for u in ("d", "h") if every % UNITS[u] == 0), (0.0, ""))
    return f"stretch of {every / unit:g} {name}" if unit else f"stretch of {spoken(every)}"


def seconds(taken: float | None) -> str:
    """Seconds, for people."""
    return "-" if taken is None else f"{taken:.1f}"


def notes_of(report: Rolling, last: float, planned: int, left_out: int) -> list[str]:
    """What a reader must know of the weeks.

    Args:
        last: Unix seconds of the last event of the log.
        planned: how many weeks were to be asked.
        left_out: predictions beyond the cap on their number.
    """
    weeks, notes = report.weeks, []
    same = [week.number for week in weeks if not week.compared]
    if same:
        notes.append(
            f"week {said(same)}: nobody can have learned anything since the model's cutoff, so kept, updated and "
            "retrained are one model there; they are compared in the weeks after"
        )
    few = [week.number for week in weeks if week.predictions < FEW]
    if few:
        notes.append(
            f"week {said(few)}: fewer than {FEW} predictions, which say little by themselves; over all weeks every "
            "prediction counts alike"
        )
    reached = report.weeks[-1].number if report.ended else planned
    silent = sorted(set(range(1, reached + 1)) - {week.number for week in weeks})
    if silent:
        notes.append(f"week {said(silent)}: nothing to ask; what came in it was learned before the next one")
    if weeks[-1].ends - last > 0.1 * report.every:
        notes.append(
            f"week {weeks[-1].number} is not whole: the log ends {spoken(last - weeks[-1].begins)} after it begins"
        )
    worse = [week.number for week in weeks if UPDATED in week.models and week.models[UPDATED].worse]
    if worse:
        notes.append(
            f"before week {said(worse)} the update was worse on the last of its own days beyond the interval: "
            "`segue update` would have refused it, here it was taken"
        )
    stood = [week.number for week in weeks if week.compared and week.models[UPDATED].passes == 0]
    if stood:
        notes.append(f"before week {said(stood)} no pass of the update was better than none: its weights stayed")
    if left_out:
        notes.append(
            f"{left_out:,} predictions were left out (evaluate.max_predictions): whole users drawn by the seed"
        )
    if report.baseline:
        notes.append(
            f"{report.baseline} was the best baseline when the model was trained; it is fitted before each week to all "
            "events before it, with the settings of then"
        )
    return notes


def said(numbers: list[int]) -> str:
    """Numbers, runs of them together.

    >>> said([1, 3, 4, 5, 8])
    '1, 3 to 5, 8'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
