"""Users who are forgotten in a store, down to the bytes of its files."""

from __future__ import annotations

import mmap
import sqlite3
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from segue.errors import StoreError
from segue.serving.hashing import shard_of
from segue.serving.store.base import Store, Stores
from segue.serving.store.folder import StoreFolder
from segue.serving.store.sqlite import BUSY
from segue.serving.store.sqlite_errors import explained

SEARCHED = 64
"""So many bytes of an id are looked for in a file: what is longer may be parted among its pages."""


class Erased(NamedTuple):
    """What became of users in a store.

    Attributes:
        events: of each user who was there, how many; a user with a state alone has 0.
        first: Unix seconds of the first of all these events; None without any.
        rewritten: files that were written anew, so that nothing of what was deleted is left in them.
    """

    events: dict[str, int]
    first: float | None
    rewritten: list[Path]


def found_in(home: Stores, user_ids: Collection[str]) -> Erased:
    """What there is of users; nothing is changed."""
    events: dict[str, int] = {}
    first: float | None = None
    for user_id in user_ids:
        store = store_of(home, user_id)
        history = store.history(user_id)
        if history or any(store.load([user_id])):
            events[user_id] = len(history)
        first = min([*([] if first is None else [first]), *(event.time for event in history)], default=None)
    return Erased(events, first, [])


def erase(home: Stores, user_ids: Collection[str]) -> Erased:
    """Delete users, and have the files of a folder written anew that still hold what was deleted.

    A file where such bytes are left of an earlier deletion is written anew as well.

    Raises:
        StoreError: it cannot be written. What was deleted by then stays deleted; a second call does the rest.
    """
    found = found_in(home, user_ids)
    for user_id in found.events:
        store_of(home, user_id).delete(user_id)
    if not isinstance(home, StoreFolder):
        return found
    paths = home.paths()
    of_path: dict[Path, list[str]] = {}
    for user_id in user_ids:
        of_path.setdefault(paths[shard_of(user_id, len(paths))], []).append(user_id)
    left = [path for path, users in of_path.items() if not found.events.keys().isdisjoint(users) or holds(path, users)]
    for path in left:
        write_anew(path)
    return found._replace(rewritten=left)


def store_of(home: Stores, user_id: str) -> Store:
    """The store of a user's shard."""
    return home.stores[shard_of(user_id, len(home.stores))]


def holds(path: Path, user_ids: Sequence[str]) -> bool:
    """Whether the bytes of one of these ids are anywhere in a database or its write-ahead log."""
    needles = [user_id.encode("utf-8", "surrogatepass")[:SEARCHED] for user_id in user_ids]
    for file in (path, path.with_name(f"{path.name}-wal")):
        if not file.exists() or not file.stat().st_size:
            continue
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if any(content.find(needle) >= 0 for needle in needles):
                return True
    return False


def write_anew(path: Path) -> None:
    """Write a database anew without its free pages, and make its write-ahead log empty. Raises StoreError."""
    busy = 0
    try:
        with (
            explained(path, "write"),
            closing(sqlite3.connect(path, isolation_level=None, timeout=BUSY)) as connection,
        ):
            connection.execute("PRAGMA secure_delete = ON")  # or pages get what the memory they are made in had
            connection.execute("VACUUM")
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except StoreError as error:
        raise StoreError(
            f"the users are deleted from {path}, but their bytes may still be in its free pages, since it was not "
            f"written anew ({error.__cause__}): make room for a second file of its size, and do this again"
        ) from error
    if busy:
        raise StoreError(
            f"the users are deleted from {path}, but their bytes may still be in its write-ahead log, which something "
            "reads, such as an export or a backup: wait for it, and do this again"
        )
