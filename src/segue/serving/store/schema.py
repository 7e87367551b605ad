"""How a SQLite file of events and states is laid out."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from segue.errors import StoreError

LAYOUT = 3
"""2 had no features of events."""

APPLICATION_ID = 0x73656775  # "segu"

EVENT = "seq, item_id, time, stamped, session_id, event_id, event_type, features"

MEMORY = "name, seq, time, session_id, item_id, state"

# Ids of users and versions stand once: a number of three bytes in each event and state is all the rest pays for them.
TABLES = """
CREATE TABLE users (user INTEGER PRIMARY KEY, user_id TEXT NOT NULL UNIQUE);
CREATE TABLE events (
    user INTEGER NOT NULL, seq INTEGER NOT NULL,
    item_id TEXT NOT NULL, time REAL NOT NULL, stamped INTEGER NOT NULL,
    session_id TEXT, event_id TEXT, event_type TEXT, features TEXT,
    PRIMARY KEY (user, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX events_by_event_id ON events (user, event_id) WHERE event_id IS NOT NULL;
CREATE TABLE versions (version INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE states (
    user INTEGER PRIMARY KEY, version INTEGER NOT NULL, seq INTEGER NOT NULL,
    time REAL, session_id TEXT, item_id TEXT, state BLOB NOT NULL
);
CREATE INDEX states_by_version ON states (version);
"""

WITH_FEATURES = "ALTER TABLE events ADD COLUMN features TEXT;"


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Settle how the file is written, and lay it out or recognise it. Raises StoreError where it is another's."""
    application, layout, tables = (
        connection.execute(statement).fetchone()[0]
        for statement in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    )
    if tables and application != APPLICATION_ID:
        raise StoreError(f"{path} is no store of segue; move it away, or choose another folder")
    if tables and layout == 2:
        connection.executescript(f"BEGIN IMMEDIATE; {WITH_FEATURES} PRAGMA user_version = {LAYOUT}; COMMIT;")
        layout = LAYOUT
    if tables and layout != LAYOUT:
        raise StoreError(
            f"{path} has layout {layout}; this segue reads layout {LAYOUT}: "
            "open it with the segue that wrote it, or choose another folder"
        )
    connection.execute("PRAGMA journal_mode = WAL")
    if not tables:
        connection.executescript(
            f"BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {LAYOUT}; COMMIT;"
        )
