"""The default store: a SQLite file, written by one process, each commit on the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from segue.data.sessions import Moment
from segue.serving.store import beside
from segue.serving.store.base import Change, Counts, EventKey, Loaded, Memory, Order, StoredEvent
from segue.serving.store.codec import DamagedStateError, decode_state, encode_state
from segue.serving.store.looks import KnownUser, LastEvents
from segue.serving.store.numbers import Numbers, insert, rows_of
from segue.serving.store.schema import EVENT, MEMORY, prepare
from segue.serving.store.sqlite_errors import explained

Durability = Literal["durable", "fast"]
"""What outlives a loss of power: every answered event, or all but the last ones. A killed process loses none."""

SYNCHRONOUS = {"durable": "FULL", "fast": "NORMAL"}

BUSY = 10.0
"""Seconds that a write waits for a checkpoint, which lets go much sooner."""


class SqliteStore:
    """Events and memories in one file.

    Args:
        path: of the file; made if it is not there. Whoever opens it sees to it that no other process does.
        durability: see `Durability`.

    Raises:
        StoreError: it cannot be read or written; or it is damaged, foreign, or newer.
    """

    shared = False

    def __init__(self, path: Path, durability: Durability = "durable") -> None:
        self.path = path
        try:
            with explained(path, "open"):
                self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY)
                prepare(self._connection, path)
                self._numbers = Numbers(self._connection)
                # Checkpoints are another thread's, see `Checkpointer`: here an answer would wait for them.
                self._connection.execute("PRAGMA wal_autocheckpoint = 0")
                self._connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS[durability]}")
        except BaseException:
            self.close()
            raise

    def load(self, user_ids: Collection[str]) -> Loaded:
        """See `Store`."""
        loaded = Loaded({}, [], [])
        select = f"SELECT user_id, {MEMORY} FROM users LEFT JOIN states USING (user) LEFT JOIN versions USING (version)"
        with explained(self.path, "read"):
            rows = rows_of(self._connection, f"{select} WHERE user_id IN", list(user_ids))
        for user_id, version, seq, time, session_id, item_id, state in rows:
            if state is None:
                loaded.unfolded.append(user_id)
                continue
            moment = None if time is None else Moment(time, session_id)
            try:
                loaded.memories[user_id] = Memory(version, seq, moment, item_id, decode_state(state))
            except DamagedStateError:
                loaded.damaged.append(user_id)
        return loaded

    def last_seq(self, user_id: str) -> int:
        """See `Store`."""
        rows = self._read("SELECT max(seq) FROM events JOIN users USING (user) WHERE user_id = ?", user_id)
        return int(rows[0][0] or 0)

    def history(self, user_id: str, last: int | None = None, order: Order = "arrival") -> list[StoredEvent]:
        """See `Store`."""
        rows = self._read(beside.HISTORY.format(by=beside.DOWN[order]), user_id, -1 if last is None else last)
        return [beside.event_of(row) for row in reversed(rows)]

    def find(self, keys: Collection[EventKey]) -> dict[EventKey, StoredEvent]:
        """See `Store`."""
        select = f"SELECT {EVENT} FROM events JOIN users USING (user) WHERE user_id = ? AND event_id = ?"
        found = {}
        for key in keys:
            for row in self._read(select, *key):
                found[key] = beside.event_of(row)
        return found

    def size(self, user_id: str) -> int:
        """See `Store`."""
        return int(self._read(beside.SIZE, user_id)[0][0])

    def item_ids(self, user_id: str) -> list[str]:
        """See `Store`."""
        select = "SELECT DISTINCT item_id FROM events JOIN users USING (user) WHERE user_id = ?"
        return [item_id for (item_id,) in self._read(select, user_id)]

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store`."""
        states = [encode_state(change.memory.state) for change in changes]
        with explained(self.path, "write to"):
            self._transaction(lambda: self._write(changes, states))

    def users(self, after: str | None = None, most: int = 1000) -> list[str]:
        """See `Store`."""
        begin = "" if after is None else after
        select = "SELECT user_id FROM users WHERE user_id > ? ORDER BY user_id LIMIT ?"
        return [user_id for (user_id,) in self._read(select, begin, most)]

    def stale(self, version: str, most: int = 100) -> list[str]:
        """See `Store`."""
        others = "SELECT version FROM versions WHERE name != ?"  # few: each is looked up in the index
        select = f"SELECT user_id FROM states JOIN users USING (user) WHERE version IN ({others}) LIMIT ?"
        return [user_id for (user_id,) in self._read(select, version, most)]

    def delete(self, user_id: str) -> int:
        """See `Store`."""
        with explained(self.path, "write to"):
            return int(self._transaction(lambda: self._forget(self._numbers.of_users([user_id]))))

    def trim(self, before: float, user_ids: Collection[str]) -> int:
        """See `Store`."""

        def forget() -> int:
            execute, gone = self._connection.execute, 0
            for user_id, user in self._numbers.of_users(user_ids).items():
                gone += execute("DELETE FROM events WHERE user = ? AND time < ?", (user, before)).rowcount
                if not execute("SELECT 1 FROM events WHERE user = ? LIMIT 1", (user,)).fetchone():
                    self._forget({user_id: user})
            return gone

        with explained(self.path, "write to"):
            return int(self._transaction(forget))

    def last_events(self, user_id: str, most: int, order: Order = "arrival") -> LastEvents:
        """See `Looks`: by a connection of its own, as those below."""
        return beside.last_events(self.path, user_id, most, order)

    def recent_users(self, most: int) -> list[KnownUser]:
        """See `Looks`."""
        return beside.recent_users(self.path, most)

    def versions(self) -> dict[str, int]:
        """See `Looks`."""
        return beside.versions(self.path)

    def count(self) -> Counts:
        """See `Store`."""
        users, events = (self._read(f"SELECT count(*) FROM {table}")[0][0] for table in ("users", "events"))
        return Counts(users, events, self.versions())

    def close(self) -> None:
        """See `Store`."""
        if hasattr(self, "_connection"):
            self._connection.close()

    def _read(self, statement: str, *values: Any) -> list[Any]:
        with explained(self.path, "read"):
            return self._connection.execute(statement, values).fetchall()

    def _transaction(self, write: Any) -> Any:
        """Everything or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = write()
            self._connection.execute("COMMIT")
        except BaseException:
            # a full disk may have rolled back already
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            self._numbers.drop()
            raise
        return result

    def _write(self, changes: Sequence[Change], states: Sequence[bytes]) -> None:
        number = self._numbers.given_to([change.user_id for change in changes])
        events = [(number[change.user_id], *event) for change in changes for event in change.events]
        insert(self._connection, f"INSERT INTO events (user, {EVENT})", events)
        rows = []
        for change, state in zip(changes, states, strict=True):
            version, seq, moment, item_id, _ = change.memory
            time, session_id = (None, None) if moment is None else moment
            rows.append(
                (number[change.user_id], self._numbers.of_version(version), seq, time, session_id, item_id, state)
            )
        insert(self._connection, "REPLACE INTO states", rows)

    def _forget(self, users: Mapping[str, int]) -> int:
        events = 0
        self._numbers.drop(users)
        for user in users.values():
            events += self._connection.execute("DELETE FROM events WHERE user = ?", (user,)).rowcount
            for table in ("states", "users"):
                self._connection.execute(f"DELETE FROM {table} WHERE user = ?", (user,))
        return events
