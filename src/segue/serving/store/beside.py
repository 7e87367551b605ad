"""Reads of a SQLite file by connections of their own: any thread may look while the writer writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from segue.serving.store.base import Order, StoredEvent
from segue.serving.store.looks import KnownUser, LastEvents
from segue.serving.store.schema import EVENT
from segue.serving.store.sqlite_errors import explained

HISTORY = f"SELECT {EVENT} FROM events JOIN users USING (user) WHERE user_id = ? ORDER BY {{by}} LIMIT ?"
"""The last events of a user, the last one first."""

DOWN: dict[Order, str] = {"arrival": "seq DESC", "time": "time DESC, seq DESC"}

SIZE = "SELECT count(*) FROM events JOIN users USING (user) WHERE user_id = ?"

# the numbers of users were given in the order in which they came
LATEST = """
SELECT user_id, (SELECT count(*) FROM events WHERE events.user = users.user),
    (SELECT time FROM events WHERE events.user = users.user ORDER BY seq DESC LIMIT 1)
FROM users WHERE EXISTS (SELECT 1 FROM events WHERE events.user = users.user) ORDER BY user DESC LIMIT ?
"""

VERSIONS = "SELECT name, count(*) FROM states JOIN versions USING (version) GROUP BY version"


@contextmanager
def beside(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for one who only reads, and sees one moment of the file. Raises StoreError."""
    with (
        explained(path, "read"),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as connection,
    ):
        connection.execute("BEGIN")
        yield connection


def last_events(path: Path, user_id: str, most: int, order: Order) -> LastEvents:
    """See `Looks`."""
    with beside(path) as connection:
        rows = connection.execute(HISTORY.format(by=DOWN[order]), (user_id, most)).fetchall()
        ((total,),) = connection.execute(SIZE, (user_id,))
    return LastEvents(total, [event_of(row) for row in reversed(rows)])


def recent_users(path: Path, most: int) -> list[KnownUser]:
    """See `Looks`."""
    with beside(path) as connection:
        return [KnownUser(*row) for row in connection.execute(LATEST, (most,))]


def versions(path: Path) -> dict[str, int]:
    """See `Looks`."""
    with beside(path) as connection:
        return dict(connection.execute(VERSIONS))


def event_of(row: tuple[Any, ...]) -> StoredEvent:
    """An event from the columns of `EVENT`."""
    seq, item_id, time, stamped, *rest = row
    return StoredEvent(seq, item_id, time, bool(stamped), *rest)
