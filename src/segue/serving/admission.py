"""Which events are taken in, and under what number they are stored."""

from __future__ import annotations

from segue.serving.bundle import Bundle
from segue.serving.events import LiveEvent, Observed
from segue.serving.features import packed, unread
from segue.serving.policy import Policy
from segue.serving.store.base import ConflictError, Memory, StoredEvent


def admitted(
    event: LiveEvent, memory: Memory, earlier: StoredEvent | None, *, bundle: Bundle, now: float, policy: Policy
) -> tuple[Observed, StoredEvent | None]:
    """Whether an event is stored, and as what; None for one that is refused, or was stored before.

    Args:
        memory: of its user, after all events before it.
        earlier: what is stored under its event id.
        bundle: what it is for: an unknown item is told, and so are features that it does not read.
        now: the present in Unix seconds.

    Raises:
        ConflictError: another process stored it since `memory` was read.
    """
    known = bundle.item_ids.place_of(event.item_id) >= 0
    if earlier is not None:
        if earlier.seq > memory.seq:
            raise ConflictError("another process stored this event since its user's state was read")
        if earlier.repeats(event):
            return Observed(earlier.seq, True, known), None
        other = ", ".join(f"`{name}`" for name in earlier.differs(event))
        message = (
            f"the event id {event.event_id!r} is that of another event of this user (number {earlier.seq}, item "
            f"{earlier.item_id!r}), which has another {other}: give each event its own id, and repeat one unchanged"
        )
        return Observed(0, False, known, "conflict", message), None
    time = now if event.timestamp is None else float(event.timestamp)
    if time > now + policy.ahead:
        message = f"its time {time!r} is more than a day after now, {now!r}: expected when it happened"
        return Observed(0, False, known, "future", message), None
    if policy.late == "reject" and memory.moment is not None and time < memory.moment.time:
        message = f"its time {time!r} is before that of the user's last event, {memory.moment.time!r}"
        return Observed(0, False, known, "late", message), None
    wrong = bundle.events.check(event.features) if event.features and bundle.events is not None else None
    if wrong is not None:
        return Observed(0, False, known, "features", wrong), None
    stored = StoredEvent(
        seq=memory.seq + 1,
        item_id=event.item_id,
        time=time,
        stamped=event.timestamp is None,
        session_id=event.session_id,
        event_id=event.event_id,
        event_type=event.event_type,
        features=packed(event.features),
    )
    if stored.features is None or event.features is None:
        return Observed(stored.seq, False, known), stored
    names, message = unread(bundle, event.features)
    return Observed(stored.seq, False, known, None, message or None, names), stored
