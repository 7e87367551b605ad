"""`segue forget`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from segue.cli.options import GIVEN, Json, LogColumns, Own
from segue.cli.show import out as stdout
from segue.cli.show import print_json, print_table, progress, say
from segue.errors import ConfigError

if TYPE_CHECKING:
    from segue.forgetting import Forgotten


def command(
    folder: Annotated[Path, Parameter(help="The folder of a model, or of versions of one.")],
    /,
    *,
    user: Annotated[list[str] | None, Parameter(negative="", help="The id of a user; may be repeated.")] = None,
    users: Annotated[Path | None, Parameter(help="A file of ids, one a line.")] = None,
    store: Annotated[
        str | None, Parameter(help="A folder that no server uses, or valkey://HOST:PORT/0?prefix=NAME.")
    ] = None,
    url: Annotated[str | None, Parameter(help="Or a server that runs: it deletes them from its store.")] = None,
    key: Annotated[str | None, Parameter(help="Of its API, where it wants one.", env_var="SEGUE_KEY")] = None,
    log: Annotated[
        list[str] | None, Parameter(negative="", consume_multiple=True, help="Files, globs and folders of the log.")
    ] = None,
    dry_run: Annotated[bool, Parameter(negative="", help="Only say what would go.")] = False,
    retrain: Annotated[bool, Parameter(negative="", help="Make the model anew without them, into --out.")] = False,
    out: Annotated[Path | None, Parameter(help="The folder of the new model."), GIVEN] = None,
    items: Annotated[
        str | None, Parameter(help="For --retrain: an items table in place of what the model knows.")
    ] = None,
    items_col: Annotated[str | None, Parameter(help="The column of item ids in the items table.")] = None,
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the model that is in --out.")] = False,
    columns: LogColumns | None = None,
    own: Own = None,
    json: Json = False,
) -> None:
    """Take users out of a store and a log, and say what remains of them in a model."""
    from segue.forgetting import forget

    wanted = [*(user or ()), *(() if users is None else read_users(users))]
    with progress() as show:
        answer = forget(
            folder,
            wanted,
            store=store,
            url=url,
            key=key,
            log=log or (),
            dry_run=dry_run,
            retrain=retrain,
            out=out,
            items=items,
            items_col=items_col,
            overwrite=overwrite,
            say=say,
            show=show,
            **(columns or LogColumns()).named(),
        )
    for missing in answer.not_found:
        say(f"warning: user {missing!r} is nowhere")
    print_json(answer) if json else print_forgotten(answer)


def read_users(file: Path) -> list[str]:
    """The ids in a file, one a line; empty lines are none. Raises ConfigError where it cannot be read."""
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--users {file} cannot be read ({error}); expected ids in UTF-8, one a line") from None
    return [line for line in text.split("\n") for line in [line.removesuffix("\r")] if line]


def print_forgotten(answer: Forgotten) -> None:
    """What went, as a table, and what remains."""
    rows = [[one.place, "store", f"{one.users:,}", f"{one.events:,} events"] for one in answer.stores]
    rows += [[one.place, "log", f"{one.users:,}", f"{one.rows:,} rows"] for one in answer.logs]
    rows += [[one.place, "replay", "-", f"{one.sequences:,} sequences"] for one in answer.models if one.sequences]
    title = "would be forgotten (nothing was changed)" if answer.dry_run else f"forgotten at {answer.at}"
    print_table(["where", "what", "users", "how much"], rows, title=title, words=["what"])
    stdout().print("what remains:")
    for line in answer.remains:
        stdout().print(f"- {line}", markup=False)
    if answer.base is not None:
        stdout().print(
            f"{answer.base} learned nothing from their first known event on: an update may go on from it", markup=False
        )
    if answer.retrained is not None:
        say(f"a model without them is in {answer.retrained}: serve that one, or segue publish it")
