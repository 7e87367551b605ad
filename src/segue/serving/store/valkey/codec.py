"""Events and memories as Valkey keeps them: msgpack, and a checksum on the state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from segue.data.sessions import Moment
from segue.errors import StoreError
from segue.serving.store.base import Change, Memory, StoredEvent
from segue.serving.store.codec import DamagedStateError, decode_state, encode_state
from segue.serving.store.valkey.keys import bucket_of

Body = tuple[int, str, bool, str | None, str | None]
"""Seq, item id, stamped, session id, event type."""

Featured = tuple[int, str, bool, str | None, str | None, str]
"""The same, and features, of an event that has some: one without is as it always was."""

Kept = tuple[int, float | None, str | None, str | None, bytes]
"""Seq, time, session id, item id, state."""

SIX = b"\x96"
"""How an array of six begins in msgpack."""

_encoder = msgspec.msgpack.Encoder()
_bodies = msgspec.msgpack.Decoder(Body)
_featured = msgspec.msgpack.Decoder(Featured)
_memories = msgspec.msgpack.Decoder(Kept)


def encode_event(event: StoredEvent) -> bytes:
    """An event: what a function in the server reads of it, its time and event id, each before a NUL, and the rest."""
    body: Body | Featured = (event.seq, event.item_id, event.stamped, event.session_id, event.event_type)
    if event.features is not None:
        body = (*body[:5], event.features)
    return f"{event.time!r}\0{event.event_id or ''}\0".encode() + _encoder.encode(body)


def decode_event(encoded: bytes) -> StoredEvent:
    """The event of these bytes. Raises StoreError where it cannot be read."""
    try:
        time, event_id, body = encoded.split(b"\0", 2)
        features = None
        if body[:1] == SIX:
            *plain, features = _featured.decode(body)
        else:
            plain = list(_bodies.decode(body))
        seq, item_id, stamped, session_id, event_type = plain
        id_of = event_id.decode() or None
        return StoredEvent(seq, item_id, float(time), stamped, session_id, id_of, event_type, features)
    except (msgspec.MsgspecError, ValueError) as error:
        raise StoreError(f"a stored event cannot be read ({error}): restore a backup of the server") from error


def encode_memory(memory: Memory) -> bytes:
    """All of a memory but its version."""
    time, session_id = (None, None) if memory.moment is None else memory.moment
    kept: Kept = (memory.seq, time, session_id, memory.item_id, encode_state(memory.state))
    return _encoder.encode(kept)


def decode_memory(version: bytes, encoded: bytes) -> Memory:
    """The memory of these bytes. Raises DamagedStateError."""
    try:
        seq, time, session_id, item_id, state = _memories.decode(encoded)
    except msgspec.MsgspecError as error:
        raise DamagedStateError(f"a stored memory of {len(encoded)} bytes cannot be read: {error}") from error
    moment = None if time is None else Moment(time, session_id)
    return Memory(version.decode(), seq, moment, item_id, decode_state(state))


def check_changes(changes: Sequence[Change]) -> None:
    """Raise StoreError unless each user comes once, and the events of each are numbered one by one."""
    if len({change.user_id for change in changes}) < len(changes):
        raise StoreError("a commit has two changes of one user; expected one")
    for change in changes:
        numbers = [event.seq for event in change.events]
        ids = [event.event_id for event in change.events if event.event_id is not None]
        if numbers != list(range(numbers[0], numbers[0] + len(numbers)) if numbers else []):
            raise StoreError(f"a commit has events {numbers[:20]} of a user; expected numbers that go up one by one")
        if len(set(ids)) < len(ids):
            raise StoreError("a commit has two events of a user with one event id; expected different ones")


def arguments_of(change: Change) -> list[Any]:
    """What the function is given of a change."""
    memory, events = change.memory, change.events
    before = events[0].seq - 1 if events else memory.seq
    after = max(memory.seq, events[-1].seq) if events else memory.seq
    found = [
        change.user_id,
        bucket_of(change.user_id),
        before,
        after,
        memory.version,
        encode_memory(memory),
        len(events),
    ]
    for event in events:
        found += [event.event_id or "", encode_event(event)]
    return found
