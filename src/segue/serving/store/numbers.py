"""The short numbers that stand for users and versions in a SQLite file, and rows written many at a time.

What steps through rows lets go of the interpreter's lock at each, and to have it back takes long while another thread
has much to do: a turn of 64 users would wait for it hundreds of times.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any

CHUNK = 512
"""So many values stand in one statement, or rows to be written, at most."""

KNOWN_USERS = 100_000
"""So many users' numbers stay at hand, some 15 MB with ids of 16 characters; then it begins anew."""


class Numbers:
    """Numbers of a file that nobody else writes to. Those of what was not committed are to be dropped.

    Args:
        connection: whose transactions are its user's business.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._users: dict[str, int] = {}
        self._versions: dict[str, int] = {}

    def of_users(self, user_ids: Collection[str]) -> dict[str, int]:
        """The numbers of users that are there."""
        found = {user_id: self._users[user_id] for user_id in user_ids if user_id in self._users}
        others = [user_id for user_id in user_ids if user_id not in found]
        read = dict(rows_of(self._connection, "SELECT user_id, user FROM users WHERE user_id IN", others))
        self.keep(read)
        return found | read

    def given_to(self, user_ids: Collection[str]) -> dict[str, int]:
        """The numbers of users, who have one from now on."""
        found = self.of_users(user_ids)
        new = [user_id for user_id in dict.fromkeys(user_ids) if user_id not in found]
        if new:
            last = self._connection.execute("SELECT max(user) FROM users").fetchone()[0] or 0
            given = {user_id: number for number, user_id in enumerate(new, last + 1)}
            insert(self._connection, "INSERT INTO users (user_id, user)", list(given.items()))
            self.keep(given)
            found |= given
        return found

    def of_version(self, name: str) -> int:
        """The number of a version, which has one from now on."""
        if name not in self._versions:
            self._connection.execute("INSERT OR IGNORE INTO versions (name) VALUES (?)", (name,))
            found = self._connection.execute("SELECT version FROM versions WHERE name = ?", (name,)).fetchone()
            self._versions[name] = int(found[0])
        return self._versions[name]

    def keep(self, users: dict[str, int]) -> None:
        """Have numbers at hand that were read."""
        if len(self._users) + len(users) > KNOWN_USERS:
            self._users.clear()
        self._users |= users

    def drop(self, user_ids: Iterable[str] | None = None) -> None:
        """Have numbers read again: of users that are deleted, or all of them."""
        if user_ids is None:
            self._users.clear()
            self._versions.clear()
            return
        for user_id in user_ids:
            self._users.pop(user_id, None)


def rows_of(connection: sqlite3.Connection, statement: str, values: Sequence[str]) -> list[Any]:
    """The rows of a statement that ends in IN, for many values."""
    rows: list[Any] = []
    for begin in range(0, len(values), CHUNK):
        part = values[begin : begin + CHUNK]
        rows += connection.execute(f"{statement} ({', '.join('?' * len(part))})", part).fetchall()
    return rows


def insert(connection: sqlite3.Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Write rows by a statement that wants VALUES; parts have 1, 2, 4 ... rows, so that few statements are prepared."""
    if not rows:
        return
    most = min(CHUNK, max(1, connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // len(rows[0])))
    begin = 0
    while begin < len(rows):
        size = min(1 << (most.bit_length() - 1), 1 << ((len(rows) - begin).bit_length() - 1))
        part = rows[begin : begin + size]
        group = f"({', '.join('?' * len(part[0]))})"
        connection.execute(f"{statement} VALUES {', '.join([group] * size)}", tuple(chain.from_iterable(part)))
        begin += size
