"""`segue store`: what can be done with a folder of events and states while no server uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from segue.cli.options import GIVEN

app = App(name="store", help="Look at, and change, a folder of events and states that no server uses.")

Where = Annotated[Path, Parameter(help="The folder, as given to `segue serve --store`.")]


@app.command
def reshard(folder: Where, /, *, shards: Annotated[int, Parameter(help="How many from now on.")]) -> None:
    """Part the users of a store into another number of shards."""
    from segue.cli.show import say
    from segue.serving.store.reshard import reshard

    check_there(folder)
    users, events = reshard(folder, shards)
    say(f"{folder}: {users:,} users with {events:,} events in {shards} shards")


@app.command
def info(folder: Where, /) -> None:
    """Count users, events and states."""
    from segue.cli.show import print_json
    from segue.serving.store.folder import StoreFolder

    check_there(folder)
    home = StoreFolder(folder)
    try:
        counts = [store.count() for store in home.stores]
    finally:
        home.close()
    states: dict[str, int] = {}
    for one in counts:
        for version, number in one.memories.items():
            states[version] = states.get(version, 0) + number
    users, events = sum(one.users for one in counts), sum(one.events for one in counts)
    print_json({"shards": len(counts), "users": users, "events": events, "states_by_model_version": states})


@app.command
def backup(folder: Where, /, *, out: Annotated[Path, Parameter(help="A new folder."), GIVEN]) -> None:
    """Copy a store into another folder, which is a store itself. A server may use the first one meanwhile."""
    from segue.cli.show import say
    from segue.serving.store.backup import back_up

    say(f"{out}: {back_up(folder, out) / 1e6:,.1f} MB")


@app.command
def export(
    folder: Where, /, *, out: Annotated[Path, Parameter(help="A .parquet, .csv or .jsonl file."), GIVEN]
) -> None:
    """Write all events into a file that `segue train` reads. A server may use the store meanwhile."""
    import polars as pl

    from segue.cli.lists import write_frames
    from segue.cli.show import say
    from segue.serving.store.export import exported_events, without_session

    schema = {
        "user_id": pl.String,
        "item_id": pl.String,
        "timestamp": pl.Float64,
        "session_id": pl.String,
        "event_type": pl.String,
    }
    without, events = without_session(folder)
    frames = (pl.DataFrame(rows, schema=schema, orient="row") for rows in exported_events(folder))
    kept = {name: kind for name, kind in schema.items() if name != "session_id" or not without}
    frames = (frame.select(list(kept)) for frame in frames)
    if 0 < without < events:
        say(f"note: {without:,} of {events:,} events have no session_id: the column is left out, pauses part sessions")
    say(f"{out}: {write_frames(frames, out, kept):,} events")


def check_there(folder: Path) -> None:
    """Raise StoreError where there is no store: none is to be made by looking at it."""
    from segue.errors import StoreError
    from segue.serving.store.folder import MANIFEST

    if not (folder / MANIFEST).exists():
        raise StoreError(f"{folder} holds no store of segue ({MANIFEST} is missing)")
