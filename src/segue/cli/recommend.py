"""`segue recommend`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from segue.cli.options import FILES, GIVEN, Exclude, Folder, Json, K, LogColumns, Own
from segue.cli.show import say
from segue.errors import ConfigError


def command(
    folder: Folder,
    /,
    *,
    items: Annotated[str | None, Parameter(help="A history: item ids, oldest first, separated by commas.")] = None,
    log: Annotated[list[str] | None, Parameter(negative="", help="Or a log, for the users in it."), FILES] = None,
    users: Annotated[str, Parameter(help="User ids separated by commas, or all.")] = "all",
    out: Annotated[
        Path | None, Parameter(help="With --log: a .parquet, .csv or .jsonl file for the lists."), GIVEN
    ] = None,
    k: K = 10,
    exclude: Exclude = None,
    explain: Annotated[bool, Parameter(negative="", help="Say why: with --items, or with --log for one user.")] = False,
    columns: LogColumns | None = None,
    own: Own = None,
    json: Json = False,
) -> None:
    """Say what comes next after some items, or for the users of a log."""
    from segue.cli.reasons import ids_of, print_list, rows_of
    from segue.recommender import load

    if (items is None) == (log is None):
        raise ConfigError(f"{'neither' if items is None else 'both'} of --items and --log given; expected one of them")
    if items is not None and out is not None:
        raise ConfigError(f"--out {out} is for the lists of a log; with --items the one list goes to stdout")
    if explain and log is not None and (users == "all" or len(split(users)) != 1 or out is not None):
        raise ConfigError("--explain is for one list: give --items, or --log with one user as --users, and no --out")
    if items is not None:
        recommender = load(folder, light=True)
        history = split(items)
        found = recommender.recommend(items=history, k=k, exclude=exclude)
        unknown = [item for item in history if recommender.bundle.item_ids.place_of(item) < 0]
        if unknown:
            say(f"note: not in the catalog: {', '.join(unknown)}")
        if len(unknown) == len(history):
            say("note: no item is known, so this is the list for someone of whom nothing is known")
        reasons = recommender.explain(found, items=history, before_rules=ids_of(found)) if explain else None
        print_list(recommender, found, reasons, json=json, unknown_items=unknown)
        return
    from segue.cli.lists import print_lists, write_frames
    from segue.data.log import read_log
    from segue.serving.given import events_in

    recommender = load(folder)
    events = read_log(log, **recommender.columns((columns or LogColumns()).named()))
    chosen: str | list[str] = users if users == "all" else split(users)
    frames = recommender.lists(events, users=chosen, k=k, exclude=exclude)
    if explain:
        found = rows_of(recommender, frames)
        reasons = recommender.explain(found, events=events_in(events, chosen[0]), before_rules=ids_of(found))
        print_list(recommender, found, reasons, json=json, user_id=chosen[0])
    elif out is None:
        print_lists(frames, json=json)
    else:
        rows_written = write_frames(frames, out)
        say(f"{rows_written:,} rows in {out}")


def split(text: str) -> list[str]:
    """Ids separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]
