"""All events of a store, read beside a server that goes on writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from segue.errors import StoreError
from segue.serving.store.folder import MANIFEST, read_manifest, shard_paths
from segue.serving.store.sqlite_errors import explained

TOGETHER = 50_000
"""So many events are read at once: a longer look would keep the server's write-ahead log from being moved."""

SELECT = """
SELECT user, seq, user_id, item_id, time, session_id, event_type FROM events JOIN users USING (user)
WHERE (user, seq) > (?, ?) ORDER BY user, seq LIMIT ?
"""


class ExportedEvent(NamedTuple):
    """An event as a log has it."""

    user_id: str
    item_id: str
    timestamp: float
    session_id: str | None
    event_type: str | None


def exported_events(folder: Path) -> Iterator[list[ExportedEvent]]:
    """The events of a store, user by user in order of arrival, some at a time. A server may use it meanwhile.

    Raises:
        StoreError: there is no store, or it cannot be read.
    """
    for path in paths_of(folder):
        with explained(path, "read"), closing(opened(path)) as reader:
            last = (-1, 0)
            while rows := reader.execute(SELECT, (*last, TOGETHER)).fetchall():
                last = rows[-1][:2]
                yield [ExportedEvent(*row[2:]) for row in rows]


def in_sessions(parts: Iterable[list[ExportedEvent]]) -> Iterator[list[ExportedEvent]]:
    """The same events; one without a session id gets that of its user's event before, with which it went on.

    Args:
        parts: user by user, in order of arrival.
    """
    user_id, session_id = "", ""
    for some in parts:
        named = []
        for event in some:
            if event.user_id != user_id:
                user_id, session_id = event.user_id, f"{event.user_id} 0"  # before the first that is named
            session_id = event.session_id or session_id
            named.append(event._replace(session_id=session_id))
        yield named


def without_session(folder: Path) -> tuple[int, int]:
    """How many events came without a session id, and how many there are."""
    without = events = 0
    for path in paths_of(folder):
        with explained(path, "read"), closing(opened(path)) as reader:
            some = reader.execute("SELECT count(*) - count(session_id), count(*) FROM events").fetchone()
            without, events = without + some[0], events + some[1]
    return without, events


def paths_of(folder: Path) -> list[Path]:
    """The files of a store. Raises StoreError where there is none."""
    manifest = read_manifest(folder)
    if manifest is None:
        raise StoreError(f"{folder} holds no store of segue ({MANIFEST} is missing)")
    return shard_paths(folder, manifest)


def opened(path: Path) -> sqlite3.Connection:
    """A connection that only reads; whoever writes the rows elsewhere may do it in threads of their own."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
