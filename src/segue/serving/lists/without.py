"""What would be remembered of a user without one of the events: every such history folded, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from segue.data.sessions import Moment, opens_session
from segue.models.base import Event, State, advance, rows_at
from segue.serving.bundle import Bundle
from segue.serving.features import features_of
from segue.serving.store.base import StoredEvent
from segue.shapes import Array, Bools, Doubles, Longs


class Without(NamedTuple):
    """R states of one user: after all events, and after all but one.

    Attributes:
        left: (R,) the place of the event that a row leaves out; -1 in the first row, which leaves out none. An event
            that is missing here makes no difference to the state.
        state: (R, ...).
    """

    left: Longs
    state: State


def without_each(bundle: Bundle, events: Sequence[StoredEvent], last: int) -> Without:
    """Fold a history, and beside it the same history without each of its last events.

    Equal to `refold` of each of these histories, but for the last bits. What they have in common is folded once: a row
    begins where its event would come, as a copy of the first one. Where a session opens at the initial state in the
    first row and in another, both are the same from then on, and the other is dropped.

    Args:
        events: in the order in which they count.
        last: so many of the last events are left out, one at a time.
    """
    item = bundle.item_ids.places_of(event.item_id for event in events)
    features = features_of(bundle, events)
    left, state = np.array([-1]), bundle.model.initial_state(1)
    begin, clock = beginning(bundle, events, len(events) - last)
    for place in range(begin, len(events)):
        before = state["time"]
        # a late event is simultaneous with the one before it, which another row may not have
        time = np.fmax(events[place].time, before if place > begin else clock)
        opens = opening(before, time, left, events, place, bundle.rule.gap)
        starts = opens if bundle.rule.resets else np.isnan(before)
        event = Event(np.repeat(item[place], len(left)), time, opens)
        if features is not None:
            event = event._replace(features=np.repeat(features[place : place + 1], len(left), axis=0))
        after = advance(bundle.model, event, starts, state)
        if starts[0]:
            kept = ~starts | (time != time[0])
            kept[0] = True
            left, after = left[kept], rows_at(after, kept)
        if place >= len(events) - last:
            left = np.append(left, place)
            after = {name: np.concatenate([array, state[name][:1]]) for name, array in after.items()}
        state = after
    return Without(left, state)


def beginning(bundle: Bundle, events: Sequence[StoredEvent], first: int) -> tuple[int, Doubles]:
    """From which event on to fold where those from `first` on may be left out, and (1,) the time of that before it.

    What comes before a session that opens at the initial state makes no difference, unless the opening is left out.
    """
    times, gap = np.maximum.accumulate([event.time for event in events] or [0.0]), bundle.rule.gap
    for place in range(min(first, len(events)) - 1, 0, -1) if bundle.rule.resets else ():
        previous, event = (Moment(times[at], events[at].session_id) for at in (place - 1, place))
        if opens_session(previous, event, gap):
            return place, times[place - 1 : place]
    return 0, np.full(1, np.nan)


def opening(
    before: Doubles, time: Doubles, left: Array, events: Sequence[StoredEvent], place: int, gap: float | None
) -> Bools:
    """(R,) whether an event opens a session in each row, as `opens_session` says.

    All rows had the same event before it, but for the one, in the end, that leaves just that out.
    """
    now, last, one = events[place].session_id, session_of(events, place - 1), session_of(events, place - 2)
    opens = np.asarray(opens_session(Moment(before, last), Moment(time, now), gap), bool)
    if place > 0 and left[-1] == place - 1 and one != last:
        opens[-1] = opens_session(Moment(before[-1], one), Moment(time[-1], now), gap)
    return opens


def session_of(events: Sequence[StoredEvent], place: int) -> str | None:
    """The session id of an event; None where there is none, or no such event."""
    return events[place].session_id if place >= 0 else None
