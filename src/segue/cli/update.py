"""`segue update`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from segue.choices import settings_tree
from segue.cli.options import GIVEN, SETTINGS, Folder, Json, LogColumns, Own
from segue.cli.show import out as results
from segue.cli.show import print_json, print_table, progress, say

if TYPE_CHECKING:
    from segue.training.updating.report import UpdateReport


def command(
    folder: Folder,
    /,
    *,
    out: Annotated[Path, Parameter(help="The folder of the updated model."), GIVEN],
    log: Annotated[
        list[str] | None,
        Parameter(negative="", help="New events, and old ones of their users: as in `segue train`; may be repeated."),
    ] = None,
    items: Annotated[str | None, Parameter(help="An items table, with new items and with what has changed.")] = None,
    items_col: Annotated[str | None, Parameter(help="The column of item ids in tables of items.")] = None,
    withdraw: Annotated[
        str | None, Parameter(help="A table with the ids of items that may not be answered any more.")
    ] = None,
    force: Annotated[
        bool, Parameter(negative="", help="Write a model that is worse on new events, or that nobody could judge.")
    ] = False,
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the model that is there.")] = False,
    columns: LogColumns | None = None,
    set: Annotated[  # noqa: A002
        list[str] | None,
        Parameter(
            name="--set", negative="", group=SETTINGS, help="One setting, such as update.freeze=both; may be repeated."
        ),
    ] = None,
    own: Own = None,
    json: Json = False,
) -> None:
    """Let a model take in new items and go on learning from new days, and say what it gains and what it forgets."""
    from segue import api
    from segue.errors import WorseUpdateError

    given: dict[str, Any] = {"items": items, "items_col": items_col, "withdraw": withdraw or ()}
    named = (columns or LogColumns()).named()
    tree = settings_tree(None, set or ())
    try:
        with progress() as show:
            updated = api.update(
                folder,
                log,
                out=out,
                overwrite=overwrite,
                settings=tree,
                force=force,
                say=say,
                show=show,
                **given,
                **named,
            )
    except WorseUpdateError as error:
        told(error.report, {}, json=json)
        raise
    report = updated.update_report
    told(report, {"model": str(out), "version": updated.bundle.version}, json=json)
    if report.states_stay:
        say(f"states that {report.update_of} made stay valid: a server goes on with them")
    say(f"the model is in {out}: read {out}/README.md, or run: segue publish {out} HOME")


def told(report: UpdateReport, made: dict[str, Any], *, json: bool) -> None:
    """A report on stdout."""
    from segue.training.updating.telling import HEADINGS, rows_of

    if json:
        print_json({**made, "report": report})
        return
    if report.changes:
        print_table(HEADINGS, rows_of(report), title=f"{report.metric} before and after; ± is half of a 95 % interval")
    results().print(report.verdict, markup=False)
