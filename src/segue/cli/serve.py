"""`segue serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from segue.cli.options import Folder, Own
from segue.cli.wishes import LessAlike
from segue.errors import ConfigError


def command(
    folder: Folder,
    /,
    *,
    port: Annotated[int, Parameter(help="0: any free one, which is named on stderr.")] = 8000,
    host: Annotated[str, Parameter(help="An address of this machine.")] = "127.0.0.1",
    store: Annotated[
        str | None,
        Parameter(
            help="The folder of events and states, or valkey://HOST:PORT/0?prefix=NAME; without it they are forgotten."
        ),
    ] = None,
    durability: Annotated[
        Literal["durable", "fast"],
        Parameter(help="fast: a loss of power may cost the last events. A killed process costs none in either."),
    ] = "durable",
    shards: Annotated[
        int | None, Parameter(help="Of a new store: how many files its users are parted into. By default 1.")
    ] = None,
    late: Annotated[
        Literal["append", "reject", "refold"],
        Parameter(help="An event older than the user's last: it counts as simultaneous, is refused, or is sorted in."),
    ] = "append",
    refold_events: Annotated[
        int | None, Parameter(help="How many last events a state is folded anew from. By default train.window.")
    ] = None,
    keys: Annotated[
        Path | None, Parameter(help="A file of keys (`segue key` makes it); without one whoever reaches it may ask.")
    ] = None,
    open_to_all: Annotated[
        bool, Parameter(name="--open", negative="", help="Listen to other machines without keys all the same.")
    ] = False,
    log_requests: Annotated[bool, Parameter(negative="", help="A line on stderr for each request.")] = False,
    deadline: Annotated[str, Parameter(help="When a request is given up.")] = "10s",
    scenarios: Annotated[
        Path | None, Parameter(help="A TOML file of named sets of rules, read again when it changes.")
    ] = None,
    less_alike: LessAlike | None = None,
    keep: Annotated[str | None, Parameter(help="How long events are kept, such as 365d. By default for ever.")] = None,
    own: Own = None,
) -> None:
    """Serve a model over HTTP: events in, lists out."""
    from segue.artifact.current import is_home
    from segue.cli.show import say
    from segue.durations import seconds_of
    from segue.serving.engine import Engine
    from segue.serving.lists.diverse import Wish, check_usual
    from segue.serving.lists.scenario_watcher import ScenarioWatcher
    from segue.serving.lists.scenarios import read_scenarios
    from segue.serving.policy import Policy
    from segue.serving.recurring import Recurring
    from segue.serving.store.base import Store, Stores
    from segue.serving.store.memory import MemoryStore
    from segue.serving.store.opening import open_stores
    from segue.serving.swap import Watcher, first
    from segue.serving.upkeep import Upkeep
    from segue.web.keys import Keys
    from segue.web.logs import set_up
    from segue.web.serve import Access, serve

    if refold_events is not None and refold_events < 1:
        raise ConfigError(f"--refold-events is {refold_events}; expected at least 1")
    seconds = None if keep is None else seconds_of(keep, of="--keep")
    access = Access(
        None if keys is None else Keys(keys), open_to_all, log_requests, seconds_of(deadline, of="--deadline")
    )
    bundle, refused = first(folder)
    for one in refused:
        say(f"warning: version {one.version} is refused: {one.message}")
    if scenarios is not None:
        for note in read_scenarios(scenarios, bundle)[1]:
            say(f"warning: {scenarios}: {note}")
    usual = Wish(**(less_alike or LessAlike()).named())
    check_usual(bundle, usual)
    policy = Policy(late, refold_events)
    kept: Store | Stores = MemoryStore()
    if store is not None:
        kept = open_stores(store, shards=shards, durability=durability)
    if store is None:
        say("note: without --store, events and states are kept in memory and are gone when the server stops")
    engine = Engine(bundle, kept, policy=policy, threads=True)
    del bundle  # or it would be kept for as long as the server runs, whatever takes its place
    engine.refused, engine.usual = refused[0] if refused else None, usual
    set_up()
    threads: list[Recurring] = [Upkeep(engine, keep=seconds)]
    if scenarios is not None:
        threads.append(ScenarioWatcher(engine, scenarios))
    if is_home(folder):
        threads.append(Watcher(engine, folder))
    try:
        serve(engine, host=host, port=port, access=access)
    finally:
        for thread in threads:
            thread.close()
