"""`segue backfill`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from segue.cli.options import Folder, Log, LogColumns, Own


def command(
    folder: Folder,
    log: Log,
    /,
    *,
    store: Annotated[str, Parameter(help="A folder or a URL, as for `segue serve --store`.")],
    shards: Annotated[int | None, Parameter(help="Of a new store: see `segue serve`.")] = None,
    before_test: Annotated[
        bool, Parameter(negative="", help="Only what comes before the test part: for `segue replay --url`.")
    ] = False,
    columns: LogColumns | None = None,
    own: Own = None,
) -> None:
    """Put a log into a store, so that no user whom it knows starts cold. It goes on where it was stopped."""
    from segue.cli.show import say
    from segue.data.log import read_log
    from segue.recommender import load
    from segue.serving.backfill import backfill
    from segue.serving.engine import Engine
    from segue.serving.store.opening import open_stores, shown

    recommender = load(folder, light=True)
    events = read_log(log, **recommender.columns((columns or LogColumns()).named()))
    for note in events.notes:
        say(f"note: {note}")
    if before_test:
        from segue.traffic.log_plan import before_test as kept
        from segue.training.evaluate import split_for

        events = events.where(kept(events, split_for(recommender.artifact, events)))
    engine = Engine(recommender.bundle, open_stores(store, shards=shards))
    told = 0

    def show(done: int, users: int) -> None:
        nonlocal told
        if done * 10 // users > told:
            told = done * 10 // users
            say(f"{done:,} of {users:,} users")

    try:
        found = backfill(engine, events, show)
    finally:
        engine.close()
    say(f"{shown(store)}: {found.events:,} events of {found.users:,} users stored")
    if found.skipped:
        say(f"note: {found.skipped:,} users were in the store already, and are as they were")
