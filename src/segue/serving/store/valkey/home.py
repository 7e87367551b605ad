"""The stores of all shards in one Valkey server, and what the server must be like."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from segue.errors import ConfigError, StoreError
from segue.serving.store.sqlite import Durability
from segue.serving.store.valkey.keys import BUCKETS, LAYOUT, Keys
from segue.serving.store.valkey.place import Place
from segue.serving.store.valkey.server import ValkeyServer
from segue.serving.store.valkey.store import ValkeyStore

SYNCED = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no"}
"""What a server must be set to, so that each write is on its disk before it answers, while it writes a snapshot too."""

_log = logging.getLogger("segue.serving")


class ValkeyStores:
    """The stores in a Valkey server, open until `close`.

    Other processes may have the same open, with any number of shards.

    Args:
        shards: into how many the users are parted; None: one.
        durability: `durable` refuses a server that does not keep each write before it answers.
        new: whether the store may be made; without, one that is not there is an error.

    Raises:
        ConfigError: a number of shards that does not divide 16.
        StoreError: the server cannot be reached, is not as durable as is asked for, or holds another layout.
    """

    def __init__(
        self, place: Place, *, shards: int | None = None, durability: Durability = "durable", new: bool = True
    ) -> None:
        number = 1 if shards is None else shards
        if number < 1 or BUCKETS % number:
            raise ConfigError(f"--shards is {number}; expected 1, 2, 4, 8 or 16 for a store in Valkey")
        self.place = place
        self.stores: Sequence[ValkeyStore] = []
        server = ValkeyServer(place)
        try:
            check_layout(server, Keys(place.prefix), new=new)
            check_policy(server, durability)
            if durability == "durable" and place.appendfsync is None:
                check_synced(server)
            server.load_functions()
        finally:
            server.close()
        self.stores = [
            ValkeyStore(ValkeyServer(place), place.prefix, range(first, BUCKETS, number)) for first in range(number)
        ]

    def close(self) -> None:
        """Close all of them; a second call does nothing."""
        for store in self.stores:
            store.close()


def check_layout(server: ValkeyServer, keys: Keys, *, new: bool) -> None:
    """Raise StoreError where a store has another layout, or there is none and it may not be made."""
    if new:
        server.ask(("SET", keys.layout, LAYOUT, "NX"))
    found = server.ask(("GET", keys.layout))[0]
    if found is None:
        raise StoreError(f"{server.name} holds no store of segue (of this prefix)")
    if found != LAYOUT.encode():
        raise StoreError(
            f"{server.name} has layout {found.decode('ascii', 'replace')}; this segue reads layout {LAYOUT}: "
            "use the segue that wrote it, or choose another prefix"
        )


def check_policy(server: ValkeyServer, durability: Durability) -> None:
    """Raise StoreError where the server may drop keys when it is full; `fast` is warned."""
    policy = server.ask(("INFO", "memory"))[0].get("maxmemory_policy", "unknown")
    if policy == "noeviction":
        return
    found = f"{server.name} has `maxmemory-policy {policy}`: it may drop events when its memory is full"
    if durability == "durable":
        raise StoreError(f"{found}; set it to `noeviction`, or say --durability fast")
    _log.warning("%s", found)


def check_synced(server: ValkeyServer) -> None:
    """Raise StoreError unless each write is on the server's disk before it answers."""
    try:
        settings: dict[str, Any] = server.ask(("CONFIG GET", "*append*"))[0]
    except StoreError as error:
        raise StoreError(
            f"{server.name} does not say how it keeps what is written ({error.__cause__}). If whoever runs it promises "
            "that each write is on a disk before it is answered, add `appendfsync=always` to the URL; "
            "else say --durability fast"
        ) from error
    found = {name: settings.get(name, "unknown") for name in SYNCED}
    if found != SYNCED:
        told = ", ".join(f"`{name} {value}`" for name, value in found.items())
        wanted = ", ".join(f"`{name} {value}`" for name, value in SYNCED.items())
        raise StoreError(
            f"{server.name} has {told}: a loss of power may cost answered events; set {wanted}, or say "
            "--durability fast"
        )
