"""How results look: tables on stdout, notes and progress on stderr."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table

from segue.evaluation.figures import figure

if TYPE_CHECKING:
    from segue.evaluation.report import Report, Row
    from segue.training.loop import Progress as Training

SHOWN = (
    "ndcg@10",
    "mrr@10",
    "recall@10",
    "recall@20",
    "coverage@10",
    "novelty@10",
    "intra_list_diversity@10",
)
WIDEST = 200


def out() -> Console:
    """Where results go."""
    return Console(soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else WIDEST, highlight=False)


def say(line: str) -> None:
    """A line for the person who waits."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(line, markup=False)


def print_json(value: Any) -> None:
    """JSON on stdout."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None, words: Collection[str] = ()
) -> None:
    """A table whose first column is a name and whose others are numbers, but for those headed by `words`."""
    table = Table(title=title, title_justify="left")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place == 0 or heading in words else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(escaped, row))
    out().print(table)


def escaped(text: str) -> str:
    """Text that rich takes as it is."""
    return text.replace("[", r"\[")


def print_report(report: Report, said: Sequence[str] = ()) -> None:
    """The table of a report, its costs, its groups, the verdict, and the notes that were not said before."""
    split = report.split
    print_table(
        ["model", *SHOWN, "seconds"],
        [
            [
                row.model,
                *(figure(row.metrics[name]) for name in SHOWN),
                "-" if row.seconds is None else f"{row.seconds:.1f}",
            ]
            for row in report.rows
        ],
        title=(
            f"{split['kind']} split, {split['predictions']:,} predictions, exclude {report.exclude}, "
            "full ranking; ± is half of a 95 % interval"
        ),
    )
    print_asked(report)
    print_costs(report)
    print_groups(report)
    out().print(report.verdict, markup=False)
    for note in report.notes:
        if note not in said:
            say(f"note: {note}")


def print_groups(report: Report) -> None:
    """The main metric where it differs, with the number of predictions: by kind, by the user's events, the target's."""
    from segue.evaluation.groups import tables_of

    for names in tables_of(report.groups):
        print_table(
            [f"{report.main} of", *(f"{name} ({report.groups[name]:,})" for name in names)],
            [[row.model, *(figure(row.groups[name]) for name in names)] for row in report.rows],
        )


def print_asked(report: Report) -> None:
    """What was asked for beside the metrics that are always shown, the one that models are compared by among it."""
    names = [name for name in dict.fromkeys((report.main, *report.asked)) if name not in SHOWN]
    if names:
        print_table(
            ["model", *names], [[row.model, *(figure(row.metrics[name]) for name in names)] for row in report.rows]
        )


def print_costs(report: Report) -> None:
    """What each model of a report costs, beside what it is worth; nothing where that was not measured."""
    if any(row.cost is not None for row in report.rows):
        print_table(
            ["model", report.main, *COSTS],
            [[row.model, figure(row.metrics[report.main]), *costs(row)] for row in report.rows],
            title=(
                "what that costs: a step is one event of one user, absorbed on this machine (median; nine of ten "
                "stay below p90); its list comes on top"
            ),
        )


COSTS = ("parameters", "trained, events/s", "step, µs", "p90, µs", "state, bytes", "peak memory, MB")


def costs(row: Row) -> list[str]:
    """The cells of a model under `COSTS`; "-" for what is not known of it."""
    cost = row.cost
    if cost is None:
        return ["-"] * len(COSTS)
    return [
        f"{cost.parameters:,}",
        "-" if cost.events_per_s is None else f"{cost.events_per_s:,.0f}",
        f"{cost.step_us:,.1f}",
        f"{cost.step_p90_us:,.1f}",
        f"{cost.state_bytes:,}",
        "-" if cost.peak_memory_mb is None else f"{cost.peak_memory_mb:,.0f}",
    ]


@contextmanager
def progress() -> Iterator[Any]:
    """A bar for a training; gives a function that is told of it. Plain lines where stderr is no terminal."""
    if not sys.stderr.isatty():
        epochs: dict[str, int] = {}

        def plain(stage: str, at: Training) -> None:
            if epochs.get(stage) != at.epoch:
                epochs[stage] = at.epoch
                say(f"{stage}: {described(at)}")

        yield plain
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[at]}"),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, TaskID] = {}

    def show(stage: str, at: Training) -> None:
        if stage not in tasks:
            tasks[stage] = bar.add_task(stage, total=1.0, at="")
        bar.update(tasks[stage], completed=at.share, at=described(at))

    with bar:
        yield show


def described(at: Training) -> str:
    """Where a training stands, in words."""
    value = "" if at.value is None else f", last validation {at.value:.4f}"
    left = f"{at.seconds_left / 60:.0f} min" if at.seconds_left > 90 else f"{at.seconds_left:.0f} s"
    pace = f"{at.events_per_s:,.0f} events/s, at most {left} left"
    return f"epoch {at.epoch} of {at.epochs}, loss {at.loss:.3f}, {pace}{value}"
