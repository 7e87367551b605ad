"""From events to what is remembered of a user: the same fold for a live event and for a replay of the log."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from segue.data.sessions import Moment, opens_session
from segue.models.base import Event, advance
from segue.serving.bundle import Bundle
from segue.serving.store.base import Memory, StoredEvent


def blank(bundle: Bundle) -> Memory:
    """The memory before any event."""
    return Memory(bundle.version, seq=0, moment=None, item_id=None, state=bundle.model.initial_state(1))


def absorb(bundle: Bundle, memory: Memory, event: StoredEvent) -> Memory:
    """The memory after one more event.

    Events count in the order of arrival. A late one (its time is before the previous event's) counts as
    simultaneous with the previous: a pause is never negative, and the clock of a state never runs back.
    """
    previous = memory.moment
    time = event.time if previous is None else max(event.time, previous.time)
    moment = Moment(time, event.session_id)
    opens = bool(opens_session(previous, moment, bundle.rule.gap))
    starts = opens if bundle.rule.resets else previous is None
    item = bundle.item_ids.place_of(event.item_id)
    state = advance(
        bundle.model,
        Event(np.array([item], np.int32), np.array([time], np.float64), np.array([opens])),
        np.array([starts]),
        memory.state,
    )
    return Memory(bundle.version, event.seq, moment, event.item_id, state)


def refold(bundle: Bundle, events: Iterable[StoredEvent]) -> Memory:
    """The memory after all events of one user, from the beginning."""
    memory = blank(bundle)
    for event in events:
        memory = absorb(bundle, memory, event)
    return memory
