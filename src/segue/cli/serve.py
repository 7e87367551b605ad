"""`segue serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from segue.cli.options import Folder


def command(
    folder: Folder,
    /,
    *,
    port: Annotated[int, Parameter(help="0: any free one, which is named on stderr.")] = 8000,
    host: Annotated[str, Parameter(help="An address of this machine.")] = "127.0.0.1",
    store: Annotated[
        Path | None, Parameter(help="The folder of events and states; without it they are forgotten.")
    ] = None,
) -> None:
    """Serve a model over HTTP: events in, lists out."""
    from segue.cli.show import say
    from segue.recommender import load
    from segue.serving.engine import Engine
    from segue.serving.store.base import Store
    from segue.serving.store.memory import MemoryStore
    from segue.serving.store.sqlite import SqliteStore
    from segue.web.serve import serve

    bundle = load(folder).bundle
    kept: Store = MemoryStore() if store is None else SqliteStore(store)
    if store is None:
        say("note: without --store, events and states are kept in memory and are gone when the server stops")
    serve(Engine(bundle, kept), host=host, port=port)
