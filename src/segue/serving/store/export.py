"""All events of a store, read beside a server that goes on writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from segue.data.encoding.values import PARTED, Value
from segue.errors import StoreError
from segue.serving.features import unpacked
from segue.serving.store.folder import MANIFEST, read_manifest, shard_paths
from segue.serving.store.sqlite_errors import explained

TOGETHER = 50_000
"""So many events are read at once: a longer look would keep the server's write-ahead log from being moved."""

SELECT = """
SELECT user, seq, user_id, item_id, time, session_id, event_type, {features} FROM events JOIN users USING (user)
WHERE (user, seq) > (?, ?) ORDER BY user, seq LIMIT ?
"""

NAMES = "SELECT DISTINCT key FROM events, json_each(features) WHERE features IS NOT NULL"


class ExportedEvent(NamedTuple):
    """An event as a log has it."""

    user_id: str
    item_id: str
    timestamp: float
    session_id: str | None
    event_type: str | None
    features: str | None = None


class Survey(NamedTuple):
    """What there is in a store.

    Attributes:
        without: how many events came without a session id.
        events: how many there are.
        features: the names of all features that any event has.
    """

    without: int
    events: int
    features: list[str]


def exported_events(folder: Path) -> Iterator[list[ExportedEvent]]:
    """The events of a store, user by user in order of arrival, some at a time. A server may use it meanwhile.

    Raises:
        StoreError: there is no store, or it cannot be read.
    """
    for path in paths_of(folder):
        with explained(path, "read"), closing(opened(path)) as reader:
            last, select = (-1, 0), SELECT.format(features="features" if has_features(reader) else "NULL")
            while rows := reader.execute(select, (*last, TOGETHER)).fetchall():
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


def survey(folder: Path) -> Survey:
    """What there is in a store."""
    without = events = 0
    names: set[str] = set()
    for path in paths_of(folder):
        with explained(path, "read"), closing(opened(path)) as reader:
            some = reader.execute("SELECT count(*) - count(session_id), count(*) FROM events").fetchone()
            without, events = without + some[0], events + some[1]
            if has_features(reader):
                names |= {name for (name,) in reader.execute(NAMES)}
    return Survey(without, events, sorted(names))


def has_features(reader: sqlite3.Connection) -> bool:
    """Whether a file has a column for features: one that was not opened since does not."""
    return any(name == "features" for (name,) in reader.execute("SELECT name FROM pragma_table_info('events')"))


def as_columns(parts: Iterable[list[ExportedEvent]], names: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    """Events as rows with a column for each feature, as texts: what a log has."""
    for some in parts:
        rows = []
        for event in some:
            features = unpacked(event.features) or {}
            rows.append((*event[:-1], *(cell(features.get(name)) for name in names)))
        yield rows


def cell(value: Value) -> str | None:
    """A value of a feature as it stands in a log."""
    if value is None:
        return None
    if isinstance(value, list):
        return PARTED.join(value)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def paths_of(folder: Path) -> list[Path]:
    """The files of a store. Raises StoreError where there is none."""
    manifest = read_manifest(folder)
    if manifest is None:
        raise StoreError(f"{folder} holds no store of segue ({MANIFEST} is missing)")
    return shard_paths(folder, manifest)


def opened(path: Path) -> sqlite3.Connection:
    """A connection that only reads; whoever writes the rows elsewhere may do it in threads of their own."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
