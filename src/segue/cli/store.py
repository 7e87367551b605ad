"""`segue store`: what can be done with events and states beside, or instead of, a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from segue.cli.options import GIVEN

app = App(name="store", help="Look at, and change, a store of events and states.")

Where = Annotated[str, Parameter(help="The folder or URL, as given to `segue serve --store`.")]


@app.command
def reshard(store: Where, /, *, shards: Annotated[int, Parameter(help="How many from now on.")]) -> None:
    """Part the users of a folder that no server uses into another number of shards."""
    from segue.cli.show import say
    from segue.serving.store.opening import folder_of
    from segue.serving.store.reshard import reshard

    folder = folder_of(store, instead="each `segue serve` says its own --shards")
    users, events = reshard(folder, shards)
    say(f"{folder}: {users:,} users with {events:,} events in {shards} shards")


@app.command
def info(store: Where, /) -> None:
    """Count users, events and states: of a folder that no server uses, or of a store in Valkey."""
    from segue.cli.show import print_json
    from segue.serving.store.opening import open_stores
    from segue.serving.store.valkey.place import is_place

    home = open_stores(store, durability="fast", new=False)
    try:
        counts = [one.count() for one in home.stores]
    finally:
        home.close()
    states: dict[str, int] = {}
    for one in counts:
        for version, number in one.memories.items():
            states[version] = states.get(version, 0) + number
    users, events = sum(one.users for one in counts), sum(one.events for one in counts)
    parts = {} if is_place(store) else {"shards": len(counts)}
    print_json({**parts, "users": users, "events": events, "states_by_model_version": states})


@app.command
def backup(store: Where, /, *, out: Annotated[Path, Parameter(help="A new folder."), GIVEN]) -> None:
    """Copy a store into another folder, which is a store itself. A server may use the first one meanwhile."""
    from segue.cli.show import say
    from segue.serving.store.backup import back_up
    from segue.serving.store.opening import folder_of

    folder = folder_of(store, instead="back that server up by its own means")
    say(f"{out}: {back_up(folder, out) / 1e6:,.1f} MB")


@app.command
def export(store: Where, /, *, out: Annotated[Path, Parameter(help="A .parquet, .csv or .jsonl file."), GIVEN]) -> None:
    """Write all events into a file that `segue train` reads. A server may use the store meanwhile."""
    import polars as pl

    from segue.cli.lists import write_frames
    from segue.cli.show import say
    from segue.serving.store.export import as_columns, in_sessions
    from segue.serving.store.opening import exported

    schema = {
        "user_id": pl.String,
        "item_id": pl.String,
        "timestamp": pl.Float64,
        "session_id": pl.String,
        "event_type": pl.String,
    }
    (without, events, features), parts = exported(store)
    schema |= dict.fromkeys(features, pl.String)
    left_out = 2 * without > events
    if 0 < without < events:
        then = "the column is left out, pauses part sessions" if left_out else "each goes on with the user's last one"
        say(f"note: {without:,} of {events:,} events have no session_id: {then}")
    rows = as_columns(parts if left_out else in_sessions(parts), features)
    frames = (pl.DataFrame(some, schema=schema, orient="row") for some in rows)
    kept = {name: kind for name, kind in schema.items() if name != "session_id" or not left_out}
    frames = (frame.select(list(kept)) for frame in frames)
    say(f"{out}: {write_frames(frames, out, kept):,} events")
