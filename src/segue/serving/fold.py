"""From events to what is remembered of a user: the same fold for a live event and for a replay of the log."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segue.data.sessions import Moment, opens_session
from segue.models.base import Event, State, advance
from segue.serving.bundle import Bundle
from segue.serving.features import features_of
from segue.serving.store.base import Memory, StoredEvent
from segue.shapes import Bools


def blank(bundle: Bundle) -> Memory:
    """The memory before any event."""
    return Memory(bundle.memory_version, seq=0, moment=None, item_id=None, state=bundle.model.initial_state(1))


def absorb(bundle: Bundle, memory: Memory, event: StoredEvent) -> Memory:
    """The memory after one more event."""
    return absorb_all(bundle, [memory], [event])[0]


def absorb_all(bundle: Bundle, memories: Sequence[Memory], events: Sequence[StoredEvent]) -> list[Memory]:
    """The memories of different users after one more event each: one step of B rows.

    Events count in the order of arrival. A late one (its time is before the previous event's) counts as
    simultaneous with the previous: a pause is never negative, and the clock of a state never runs back.
    """
    before = [memory.moment for memory in memories]
    moments = [
        Moment(event.time if previous is None else max(event.time, previous.time), event.session_id)
        for event, previous in zip(events, before, strict=True)
    ]
    gap = bundle.rule.gap
    opens = opening(before, moments, gap)
    starts = opens if bundle.rule.resets else np.array([previous is None for previous in before], bool)
    item = bundle.item_ids.places_of(event.item_id for event in events)
    time = np.array([moment.time for moment in moments], np.float64)
    given = Event(item, time, opens, features_of(bundle, events))
    state = advance(bundle.model, given, starts, joined([memory.state for memory in memories]))
    return [
        Memory(bundle.memory_version, max(memory.seq, event.seq), moment, event.item_id, row)
        for memory, event, moment, row in zip(memories, events, moments, parted(state, len(events)), strict=True)
    ]


def opening(before: Sequence[Moment | None], moments: Sequence[Moment], gap: float | None) -> Bools:
    """(B,) whether each moment opens a session after the one before it, as `opens_session` says."""
    if any(moment.session is not None for moment in moments):
        return np.array([opens_session(*pair, gap) for pair in zip(before, moments, strict=True)], bool)
    then = np.array([np.nan if previous is None else previous.time for previous in before], np.float64)
    now = np.array([moment.time for moment in moments], np.float64)
    return np.asarray(opens_session(Moment(then), Moment(now), gap), bool)


def refold(bundle: Bundle, events: Sequence[StoredEvent]) -> Memory:
    """The memory after all events of one user, from the beginning."""
    return refold_all(bundle, [events])[0]


def refold_all(bundle: Bundle, histories: Sequence[Sequence[StoredEvent]]) -> list[Memory]:
    """The memories of different users after all events of each, from the beginning: a step for all of them at once."""
    memories = [blank(bundle) for _ in histories]
    for place in range(max(map(len, histories), default=0)):
        rows = [row for row, events in enumerate(histories) if place < len(events)]
        after = absorb_all(bundle, [memories[row] for row in rows], [histories[row][place] for row in rows])
        for row, memory in zip(rows, after, strict=True):
            memories[row] = memory
    return memories


def joined(states: Sequence[State]) -> State:
    """States of one row each as one of B rows."""
    if len(states) == 1:
        return states[0]
    return {name: np.concatenate([state[name] for state in states]) for name in states[0]}


def parted(state: State, rows: int) -> list[State]:
    """A state of B rows as B of one row. They are copies: a view would hold the memory of all."""
    if rows == 1:
        return [state]
    return [{name: array[row : row + 1].copy() for name, array in state.items()} for row in range(rows)]
