"""Events and memories as Valkey keeps them: msgpack, and a checksum on the state."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from segue.data.sessions import Moment
from segue.errors import StoreError
from segue.serving.store.base import Change, Memory, StoredEvent
from segue.serving.store.codec import DamagedStateError, decode_state, encode_state

Body = tuple[str, bool, str | None, str | None]
"""Item id, stamped, session id, event type."""

Kept = tuple[int, float | None, str | None, str | None, bytes]
"""Seq, time, session id, item id, state."""

Entry = tuple[bytes, dict[bytes, bytes]]
"""An entry of a stream: its id and its fields."""

_encoder = msgspec.msgpack.Encoder()
_bodies = msgspec.msgpack.Decoder(Body)
_memories = msgspec.msgpack.Decoder(Kept)


def encode_event(event: StoredEvent) -> tuple[str, str, bytes]:
    """Time, event id or nothing, and the rest."""
    body: Body = (event.item_id, event.stamped, event.session_id, event.event_type)
    return repr(event.time), event.event_id or "", _encoder.encode(body)


def decode_event(entry: Entry) -> StoredEvent:
    """The event of an entry. Raises StoreError where it cannot be read."""
    name, fields = entry
    try:
        item_id, stamped, session_id, event_type = _bodies.decode(fields[b"e"])
        event_id = fields[b"i"].decode() or None
        seq, time = int(name.partition(b"-")[2]), float(fields[b"t"])
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        raise StoreError(f"a stored event cannot be read ({error}): restore a backup of the server") from error
    return StoredEvent(seq, item_id, time, stamped, session_id, event_id, event_type)


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
