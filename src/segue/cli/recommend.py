"""`segue recommend`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from segue.cli.options import FILES, GIVEN, Exclude, Folder, Json, K, LogColumns, Own, split
from segue.cli.show import say
from segue.cli.wishes import LessAlike, RuleFiles
from segue.errors import ConfigError


def command(
    folder: Folder,
    /,
    *,
    items: Annotated[str | None, Parameter(help="A history: item ids, oldest first, separated by commas.")] = None,
    log: Annotated[list[str] | None, Parameter(negative="", help="Or a log, for the users in it."), FILES] = None,
    users: Annotated[str | None, Parameter(help="With --log: user ids separated by commas. By default all.")] = None,
    out: Annotated[
        Path | None, Parameter(help="With --log: a .parquet, .csv or .jsonl file for the lists."), GIVEN
    ] = None,
    k: K = 10,
    exclude: Exclude = None,
    less_alike: LessAlike | None = None,
    seed: Annotated[int | None, Parameter(help="Of a strategy that draws.")] = None,
    rules: RuleFiles | None = None,
    explain: Annotated[bool, Parameter(negative="", help="Say why: with --items, or with --log for one user.")] = False,
    columns: LogColumns | None = None,
    own: Own = None,
    json: Json = False,
) -> None:
    """Say what comes next after some items, or for the users of a log."""
    from segue.recommender import load

    rules = rules or RuleFiles()
    wish = (less_alike or LessAlike()).named(seed)
    if (items is None) == (log is None):
        raise ConfigError(f"{'neither' if items is None else 'both'} of --items and --log given; expected one of them")
    if items is not None and out is not None:
        raise ConfigError(f"--out {out} is for the lists of a log; with --items the one list goes to stdout")
    if items is not None and users is not None:
        raise ConfigError(
            f"--users {users} is for the users of a log; --items is a history of its own. Give --log FILE"
        )
    chosen: str | list[str] = "all" if users in (None, "all") else split(users or "")
    if explain and log is not None and (chosen == "all" or len(chosen) != 1 or out is not None):
        raise ConfigError("--explain is for one list: give --items, or --log with one user as --users, and no --out")
    rules.check(log is not None)
    if items is not None:
        from segue.cli.reasons import after_items

        recommender = load(folder, light=True)
        given = rules.read(recommender)
        after_items(recommender, split(items), {"k": k, "exclude": exclude}, wish | given, explain=explain, json=json)
        return
    from segue.cli.lists import print_lists, write_frames
    from segue.cli.reasons import for_one_user, say_chosen
    from segue.data.log import read_log

    recommender = load(folder)
    events = read_log(log, **recommender.columns((columns or LogColumns()).named()))
    if explain:
        for_one_user(recommender, events, chosen[0], {"k": k, "exclude": exclude}, wish, json=json)
        return
    frames = recommender.lists(events, users=chosen, k=k, exclude=exclude, **wish)
    say_chosen(wish)
    if out is None:
        print_lists(frames, json=json)
    else:
        rows_written = write_frames(frames, out)
        say(f"{rows_written:,} rows in {out}")
