"""The events of one user as a caller of the library gives them, without a store."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from segue.data.events import EventLog
from segue.data.sessions import Moment, lay_out
from segue.errors import RequestError, did_you_mean
from segue.serving.backfill import events_of
from segue.serving.events import LiveEvent, check_event, check_id
from segue.serving.features import packed
from segue.serving.store.base import StoredEvent

Given = str | Mapping[str, Any]
"""An item id; or a mapping with `item_id` and, if known, `timestamp` (Unix seconds), `session_id`, `event_type` and
`features` (values by name)."""


def stored(event: Given, seq: int, before: Moment | None) -> StoredEvent:
    """An event as a store would keep it. Raises RequestError for one that cannot be meant.

    Args:
        event: without a timestamp it counts as simultaneous with the one before; the first happened now.
        seq: its number.
        before: the moment of the one before.
    """
    fields = {"item_id": event} if isinstance(event, str) else dict(event)
    with suppress(KeyError):
        fields.pop("user_id")
    try:
        live = LiveEvent(user_id="-", **fields)
    except TypeError:
        known = set(LiveEvent._fields) - {"user_id"}
        raise RequestError(f"event {fields!r}: expected `item_id` and some of {sorted(known)}") from None
    check_event(live, "event")
    return StoredEvent(
        seq=seq,
        item_id=live.item_id,
        time=live.timestamp if live.timestamp is not None else (before.time if before else time.time()),
        session_id=live.session_id,
        event_type=live.event_type,
        features=packed(live.features),
    )


def history_of(events: Sequence[Given]) -> list[StoredEvent]:
    """The events of a user, oldest first. Raises RequestError for one that cannot be meant."""
    found: list[StoredEvent] = []
    for seq, event in enumerate(events, 1):
        found.append(stored(event, seq, Moment(found[-1].time) if found else None))
    return found


def session_of(items: Sequence[str], timestamp: float | None) -> list[StoredEvent]:
    """Items, oldest first, as one session of a new user, at the moment of the request."""
    for place, item_id in enumerate(items):
        check_id(item_id, f"items[{place}]")
    return [StoredEvent(seq, item_id, timestamp or 0.0) for seq, item_id in enumerate(items, 1)]


def events_in(log: EventLog, user_id: str) -> list[dict[str, Any]]:
    """The events of a user of a log, in order of time. Raises RequestError where the user is not there."""
    place = log.users.place_of(user_id)
    if place < 0:
        raise RequestError(f"user `{user_id}` is not in the log{did_you_mean(user_id, log.users.places)}")
    log = log.where(log.user == place)
    rows = lay_out(log, gap=None, at_session_start="reset")
    return [
        {name: value for name, value in event._asdict().items() if value is not None and name != "user_id"}
        for event in events_of(log, rows, user_id, slice(0, len(rows)))
    ]
