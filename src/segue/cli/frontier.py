"""`segue frontier`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from segue.cli.chart import check_chart, write_chart
from segue.cli.options import GIVEN, Folder, K, Log, LogColumns, Own
from segue.cli.report import ReportFile, mailed, say_mailed
from segue.cli.show import out, print_json, print_table, say
from segue.cli.wishes import Alike
from segue.errors import ArtifactError, ConfigError
from segue.evaluation.figures import figure
from segue.places import check_place, write_whole

if TYPE_CHECKING:
    from segue.evaluation.points import Frontier

METRICS = ("ndcg", "intra_list_diversity", "coverage", "gini", "novelty")


def command(
    folder: Folder,
    log: Log,
    /,
    *,
    strategies: Annotated[
        str | None, Parameter(help="Names separated by commas; by default all that this catalog can have.")
    ] = None,
    knobs: Annotated[str, Parameter(help="Places of the knob from 0 to 1, separated by commas.")] = (
        "0,0.05,0.1,0.2,0.3,0.5,0.7,1"
    ),
    similarity: Alike = "auto",
    k: K = 10,
    pool: Annotated[int, Parameter(help="Lists are chosen from so many of the best.")] = 200,
    loss: Annotated[float, Parameter(help="The share of ndcg that the best points may lose.")] = 0.02,
    predictions: Annotated[int, Parameter(help="Ask for about so many at most, of whole users.")] = 5000,
    items: Annotated[str | None, Parameter(help="An items table, where the model has none.")] = None,
    chart: Annotated[Path | None, Parameter(help="A .svg file for a picture."), GIVEN] = None,
    keep: Annotated[
        bool,
        Parameter(negative="--no-keep", help="Keep the points in the model's folder, for the page and for reports."),
    ] = True,
    report: ReportFile = None,
    columns: LogColumns | None = None,
    own: Own = None,
    json: Annotated[
        list[str] | None,
        Parameter(
            name="--json",
            negative="",
            consume_multiple=(0, 1),
            help="Print JSON; or, after LOG, a .json file to write it to.",
        ),
    ] = None,
) -> None:
    """Measure what diversity costs: walk the knob of each strategy, on events the model cannot have learned from."""
    from segue.recommender import load

    to, mail = json_target(json, log), mailed(report)
    if to not in (None, "-"):
        check_place(Path(to), ".json", "the JSON")
    if chart is not None:
        check_chart(chart)
    recommender = load(folder)
    found = recommender.frontier(
        log,
        items=items,
        strategies=None if strategies is None else [name.strip() for name in strategies.split(",") if name.strip()],
        knobs=numbers_of(knobs),
        similarity=similarity,
        k=k,
        pool=pool,
        allowed_loss=loss,
        predictions=predictions,
        say=say,
        report=mail,
        columns=(columns or LogColumns()).named(),
    )
    if to == "-":
        print_json(found)
    else:
        print_frontier(found)
    if to not in (None, "-"):
        write_whole(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n", Path(to), "the JSON")
        say(f"the points are in {to}")
    if chart is not None:
        write_chart(found.chart(), chart)
        say(f"the chart is in {chart}")
    if keep:
        try:
            say(f"the points are kept in {recommender.keep_frontier(found)}")
        except ArtifactError as error:
            say(f"warning: the points are not kept with the model: {error}")
    say_mailed(mail)


def json_target(given: list[str] | None, log: list[str]) -> str | None:
    """Where JSON goes: None nowhere, `-` to stdout, or a file. In `--json -` the parser takes `-` for the log's."""
    if given is None:
        return None
    if not given and len(log) > 1 and log[-1] == "-":
        log.pop()
    return given[0] if given else "-"


def numbers_of(text: str) -> list[float]:
    """Numbers separated by commas. Raises ConfigError for what is none."""
    try:
        return [float(word) for word in text.split(",")]
    except ValueError:
        raise ConfigError(
            f"--knobs {text}: expected numbers from 0 to 1 separated by commas, such as 0,0.1,0.3"
        ) from None


def print_frontier(found: Frontier) -> None:
    """The table of all points, what is bought, and notes."""
    names = [f"{metric}@{found.k}" for metric in METRICS]
    print_table(
        ["strategy", "knob", names[0], "lost", *names[1:], "marks"],
        [
            [
                point.strategy,
                f"{point.diversity:g}",
                figure(point.metrics[names[0]]),
                lost(point.loss.value),
                *(figure(point.metrics[name]) for name in names[1:]),
                ", ".join(
                    [*(f"knee of {name}" for name in point.knee_of), *(f"best {name}" for name in point.best_of)]
                ),
            ]
            for point in found.points
        ],
        title=(
            f"{found.split['predictions']:,} predictions of {found.split['users']:,} users, "
            f"lists of {found.k} from the best {found.pool}, "
            f"exclude {found.exclude}; alike by {found.similarity}, measured by {found.measured_by}; "
            "± is half of a 95 % interval"
        ),
        words=["marks"],
    )
    for verdict in found.verdicts:
        out().print(verdict, markup=False)
    for note in found.notes:
        say(f"note: {note}")


def lost(share: float | None) -> str:
    """A loss for people; nothing lost is 0."""
    return "-" if share is None else f"{100 * share + 0.0:.1f} %"
