"""Where a session begins: the one rule that cuts the log, the evaluation and the live stream."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from segue.data.events import EventLog
from segue.shapes import Array, Bools, Longs


class Moment(NamedTuple):
    """When an event happened and in which session, as far as it was said.

    Attributes:
        time: Unix seconds; nan if there was no such event.
        session: the session id (strings for a live event, numbers in a log), or None if none was given.
    """

    time: Any
    session: Any = None


def opens_session(previous: Moment | None, event: Moment, gap: float | None) -> Any:
    """Whether `event` opens a session. Works on one event, or on arrays of them elementwise.

    Args:
        previous: the same user's event before it; None, or a nan time, if there is none.
        event: the event itself, or a request at that moment.
        gap: the pause in seconds above which a session is over; None: it never is.

    Returns:
        True where there is no previous event; where both carry a session id: whether these differ; else
        whether the pause is above `gap`.

    >>> bool(opens_session(Moment(0.0), Moment(1801.0), gap=1800))
    True
    >>> bool(opens_session(Moment(0.0, "a"), Moment(9e9, "a"), gap=1800))
    False
    """
    if previous is None:
        return np.ones(np.shape(event.time), bool)[()]
    first = np.isnan(previous.time)
    if previous.session is not None and event.session is not None:
        return first | (np.asarray(previous.session) != np.asarray(event.session))
    if gap is None:
        return first | np.zeros(np.shape(event.time), bool)
    return first | (np.asarray(event.time) - np.asarray(previous.time) > gap)


class Sequences(NamedTuple):
    """A log laid out by user: each user's events in time order, one user after another.

    Attributes:
        order: (E,) the place of each event in the log.
        user, item, time: (E,) as in the log, in this order.
        opens: (E,) True where an event opens a session.
        starts: (E,) True where a row begins at the initial state: `opens`, or with `mark` a user's first event.
        bounds: (U + 1,) where each user's events begin and end.
        of: (U,) the user of each stretch.
        timed: False if `time` is a place in the user's own order and cannot be compared across users.
    """

    order: Longs
    user: Array
    item: Array
    time: Array
    opens: Bools
    starts: Bools
    bounds: Longs
    of: Array
    timed: bool = True

    def __len__(self) -> int:
        return len(self.item)

    def part(self, events: Any, *, bounds: Longs, of: Array) -> Sequences:
        """Some events, by any index that numpy takes, with the stretches they form."""
        return Sequences(
            order=self.order[events],
            user=self.user[events],
            item=self.item[events],
            time=self.time[events],
            opens=self.opens[events],
            starts=self.starts[events],
            bounds=bounds,
            of=of,
            timed=self.timed,
        )


def lay_out(log: EventLog, *, gap: float | None, at_session_start: str, item: Array | None = None) -> Sequences:
    """Arrange a log by user and mark where sessions open.

    Args:
        log: E events in time order.
        gap: see `opens_session`.
        at_session_start: `reset`: every session begins at the initial state; `mark`: only a user's first does.
        item: (E,) item indices to use in place of the log's own (those of a catalog, -1 for unknown).
    """
    order = np.argsort(log.user, kind="stable")
    user, time = log.user[order], log.time[order]
    session = None if log.session is None else log.session[order]
    first = np.ones(len(order), bool)
    first[1:] = user[1:] != user[:-1]
    opens = first.copy()
    if len(order):
        before = Moment(time[:-1], None if session is None else session[:-1])
        after = Moment(time[1:], None if session is None else session[1:])
        opens[1:] |= opens_session(before, after, gap)
    begins = np.flatnonzero(first)
    return Sequences(
        order=order,
        user=user,
        item=(log.item if item is None else item)[order],
        time=time,
        opens=opens,
        starts=opens if at_session_start == "reset" else first,
        bounds=np.append(begins, len(order)),
        of=user[begins],
        timed=log.timed,
    )
