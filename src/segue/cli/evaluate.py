"""`segue evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from segue.cli import rolling as weeks_of
from segue.cli.options import GIVEN, Folder, Json, Log, LogColumns, Metrics, Own, split
from segue.cli.report import ReportFile, mailed, say_mailed
from segue.cli.show import out as results
from segue.cli.show import print_json, print_report, print_table, say
from segue.errors import ConfigError
from segue.evaluation.figures import differs, figure

if TYPE_CHECKING:
    from segue.training.cold_report import ColdItems

WEEKS = Group("Week after week", help="With --rolling: the model kept, updated and trained anew, side by side.")


def command(
    folder: Folder,
    log: Log,
    /,
    *,
    items: Annotated[str | None, Parameter(help="An items table, for columns and items that the model lacks.")] = None,
    metrics: Metrics = None,
    new_items: Annotated[
        str | None,
        Parameter(help="An items table: ask for the items that the model never met, by what this says of them alone."),
    ] = None,
    lift: Annotated[
        float | None, Parameter(help="With --new-items: added to the bias of new items, instead of content.lift.")
    ] = None,
    rolling: Annotated[str | None, Parameter(group=WEEKS, help="How long a week is, such as 7d.")] = None,
    weeks: Annotated[int | None, Parameter(group=WEEKS, help="So many at most, the first one included.")] = None,
    retrain: Annotated[bool, Parameter(group=WEEKS, help="Train a network anew before each week as well.")] = True,
    set: Annotated[  # noqa: A002
        list[str] | None,
        Parameter(name="--set", negative="", group=WEEKS, help="A setting of updates, such as update.freeze=core."),
    ] = None,
    chart: Annotated[Path | None, Parameter(group=WEEKS, help="A .svg file for a picture."), GIVEN] = None,
    report: ReportFile = None,
    columns: LogColumns | None = None,
    own: Own = None,
    json: Json = False,
) -> None:
    """Ask a model for the events of a log that it cannot have learned from, beside baselines that saw the same."""
    from segue.recommender import load

    if new_items is None and lift is not None:
        raise ConfigError("--lift is of new items: give their table (--new-items ITEMS)")
    if new_items is not None and (items or metrics):
        raise ConfigError("--new-items has a report of its own: leave --items and --metrics out")
    if rolling is not None and new_items is not None:
        raise ConfigError("--new-items and --rolling have reports of their own: leave one of them out")
    if report is not None and (new_items is not None or rolling is not None):
        raise ConfigError("--report is of one table: leave --new-items and --rolling out")
    weeks_of.check(rolling, weeks=weeks, retrain=retrain, set=set, chart=chart, metrics=metrics)
    mail = mailed(report)
    recommender = load(folder)
    named = recommender.columns((columns or LogColumns()).named())
    if new_items is not None:
        cold = recommender.evaluate_new_items(log, new_items, lift=lift, **named)
        print_json({**structs(cold), "verdict": cold.verdict}) if json else print_cold(cold)
        return
    if rolling is not None:
        given = weeks_of.Asked(rolling, weeks, retrain, tuple(set or ()), chart, json)
        weeks_of.print_weeks(recommender, log, items, given, named)
        return
    found = recommender.evaluate(log, items=items, metrics=split(metrics or ""), report=mail, **named)
    print_json(found) if json else print_report(found)
    say_mailed(mail)


def structs(found: ColdItems) -> dict[str, object]:
    """The fields by name."""
    return {name: getattr(found, name) for name in found.__struct_fields__}


def print_cold(found: ColdItems) -> None:
    """New items beside chance and content neighbours; known ones without and with the new ones."""
    names, lift = list(found.cold), f", lift {found.lift:g}" if found.lift else ""
    print_table(
        ["new items", *names],
        [
            [f"network, by content alone{lift}", *(figure(found.cold[name].network) for name in names)],
            [f"content neighbours, last {found.last}", *(figure(found.cold[name].neighbours) for name in names)],
            ["chance", *(f"{found.cold[name].chance:.4f}" for name in names)],
            ["network over neighbours", *(differs(found.cold[name].difference) for name in names)],
        ],
        title=(
            f"{found.predictions:,} predictions of {found.users:,} users, targets among {found.new_items:,} items that "
            f"the model never met; all {found.n_items + found.new_items:,} items ranked, exclude {found.exclude}; ± is "
            "half of a 95 % interval"
        ),
    )
    if found.known:
        print_table(
            ["known items", *names],
            [
                ["without the new ones", *(figure(found.known[name].before) for name in names)],
                ["with them", *(figure(found.known[name].after) for name in names)],
                ["difference", *(differs(found.known[name].difference) for name in names)],
            ],
            title=f"{found.known_predictions:,} predictions, targets among {found.n_items:,} items that the model knew",
        )
    results().print(found.verdict, markup=False)
    if found.undescribed:
        say(
            f"note: {found.undescribed:,} further items of the asked part are unknown, and the table says nothing of "
            "them that was learned: they are in no list"
        )
    for note in found.notes:
        say(f"note: {note}")
