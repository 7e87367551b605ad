"""The default store: one SQLite file in a folder, one process that writes it, every commit on the disk."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from segue.data.sessions import Moment
from segue.errors import StoreError
from segue.serving.store.base import Change, Memory, StoredEvent
from segue.serving.store.codec import decode_state, encode_state
from segue.serving.store.sqlite_errors import explained

SCHEMA_VERSION = 1

_APPLICATION_ID = 0x73656775  # "segu"

_SCHEMA = """
CREATE TABLE events (
    user_id TEXT NOT NULL, seq INTEGER NOT NULL,
    item_id TEXT NOT NULL, time REAL NOT NULL, stamped INTEGER NOT NULL,
    session_id TEXT, event_id TEXT, event_type TEXT,
    PRIMARY KEY (user_id, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX events_by_event_id ON events (user_id, event_id) WHERE event_id IS NOT NULL;
CREATE INDEX events_by_item ON events (user_id, item_id);
CREATE TABLE states (
    user_id TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL, seq INTEGER NOT NULL,
    time REAL, session_id TEXT, item_id TEXT, state BLOB NOT NULL
);
"""

_EVENT = "seq, item_id, time, stamped, session_id, event_id, event_type"

_MEMORY = "version, seq, time, session_id, item_id, state"


class SqliteStore:
    """Events and memories in `segue.db`; a commit is on the disk (write-ahead log, synced) when it returns.

    Args:
        folder: made if it is not there; `segue.lock` in it keeps a second process out.

    Raises:
        StoreError: the folder is in use or cannot be written to; its database is damaged, foreign or newer.
    """

    def __init__(self, folder: Path | str) -> None:
        self.path = Path(folder) / "segue.db"
        self._lock: int | None = _locked(Path(folder))
        try:
            with explained(self.path, "open"):
                self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
                self._prepare()
        except BaseException:
            self.close()
            raise

    def load(self, user_id: str) -> Memory | None:
        """See `Store`."""
        rows = self._read(f"SELECT {_MEMORY} FROM states WHERE user_id = ?", user_id)
        for version, seq, time, session_id, item_id, state in rows:
            moment = None if time is None else Moment(time, session_id)
            return Memory(version, seq, moment, item_id, decode_state(state))
        return None

    def history(self, user_id: str) -> list[StoredEvent]:
        """See `Store`."""
        rows = self._read(f"SELECT {_EVENT} FROM events WHERE user_id = ? ORDER BY seq", user_id)
        return [_event(row) for row in rows]

    def find(self, user_id: str, event_id: str) -> StoredEvent | None:
        """See `Store`."""
        by_event_id = f"SELECT {_EVENT} FROM events WHERE user_id = ? AND event_id = ?"
        rows = self._read(by_event_id, user_id, event_id)
        return _event(rows[0]) if rows else None

    def item_ids(self, user_id: str) -> list[str]:
        """See `Store`."""
        rows = self._read("SELECT DISTINCT item_id FROM events WHERE user_id = ?", user_id)
        return [item_id for (item_id,) in rows]

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store`."""
        events = [(change.user_id, *event) for change in changes for event in change.events]
        memories = [(change.user_id, *_memory_row(change.memory)) for change in changes]
        with explained(self.path, "write to"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(
                    f"INSERT INTO events (user_id, {_EVENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", events
                )
                self._connection.executemany(
                    f"REPLACE INTO states (user_id, {_MEMORY}) VALUES (?, ?, ?, ?, ?, ?, ?)", memories
                )
                self._connection.execute("COMMIT")
            except BaseException:
                # a full disk may have rolled back already
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """See `Store`."""
        if hasattr(self, "_connection"):
            self._connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _read(self, statement: str, *values: str) -> list[Any]:
        with explained(self.path, "read"):
            return self._connection.execute(statement, values).fetchall()

    def _prepare(self) -> None:
        """Settle how the file is written, and lay it out or recognise it."""
        application = self._read("PRAGMA application_id")[0][0]
        version = self._read("PRAGMA user_version")[0][0]
        tables = self._read("SELECT count(*) FROM sqlite_master")[0][0]
        if tables and application != _APPLICATION_ID:
            raise StoreError(f"{self.path} is no store of segue; move it away, or choose another folder")
        if tables and version != SCHEMA_VERSION:
            raise StoreError(
                f"{self.path} has layout {version}; this segue reads layout {SCHEMA_VERSION}: "
                "open it with the segue that wrote it, or choose another folder"
            )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        if not tables:
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA application_id = {_APPLICATION_ID};"
                f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )


def _locked(folder: Path) -> int:
    """Take the folder for this process; the system lets go of it when the process ends, however it ends."""
    path = folder / "segue.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(
            f"cannot open a store in {folder} ({error.strerror}); choose a folder that this user may write to"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(lock, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise StoreError(
            f"the store in {folder} is in use (process {holder}); stop that server, or choose another folder"
        ) from error
    os.truncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    return lock


def _event(row: tuple[Any, ...]) -> StoredEvent:
    seq, item_id, time, stamped, *rest = row
    return StoredEvent(seq, item_id, time, bool(stamped), *rest)


def _memory_row(memory: Memory) -> tuple[Any, ...]:
    time, session_id = (None, None) if memory.moment is None else memory.moment
    return memory.version, memory.seq, time, session_id, memory.item_id, encode_state(memory.state)
