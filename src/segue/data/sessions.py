"""Where a session begins: the one rule that cuts the log, the evaluation and the live stream."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from segue.data import spill
from segue.data.encoding.bound import EventFeatures
from segue.data.events import EventLog
from segue.data.grouping import grouped
from segue.shapes import Array, Bools, Floats, Longs


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
        worth: (E,) how much an event counts where it is to be predicted, 0: it is not; None: all count alike.
        features: what events bring with them; None: nothing that is read.
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
    worth: Floats | None = None
    features: EventFeatures | None = None

    def __len__(self) -> int:
        return len(self.item)

    def other(self, **columns: Any) -> Sequences:
        """The same events with other columns; `_replace` would take the length of the log for that of the tuple."""
        return Sequences(**{**self._asdict(), **columns})

    def features_at(self, place: Array) -> Floats | None:
        """(..., F) of the events at some places, zeros where a place is below 0; None: nothing is read."""
        return None if self.features is None else self.features.at(place)

    def part(self, events: Any, *, bounds: Longs, of: Array) -> Sequences:
        """Some events, a slice of them (which makes views) or marked or numbered ones, with the stretches they form."""

        def some(column: Array) -> Array:
            return column[events] if isinstance(events, slice) else spill.taken(column, events)

        opens = some(self.opens)
        return Sequences(
            order=some(self.order),
            user=some(self.user),
            item=some(self.item),
            time=some(self.time),
            opens=opens,
            starts=opens if self.starts is self.opens else some(self.starts),
            bounds=bounds,
            of=of,
            timed=self.timed,
            worth=None if self.worth is None else some(self.worth),
            features=None if self.features is None else self.features.each(some),
        )

    def events_of(self, chosen: Bools) -> Bools:
        """(E,) True for the events of the users that are chosen (U,)."""

        def marks(block: slice) -> Array:
            first = int(np.searchsorted(self.bounds, block.start, side="right")) - 1
            last = int(np.searchsorted(self.bounds, block.stop))
            lengths = np.diff(self.bounds[first : last + 1].clip(block.start, block.stop))
            return np.repeat(chosen[first:last], lengths)

        return spill.filled(len(self), bool, marks)

    def count_of(self, marks: Bools) -> Longs:
        """(U,) how many events of each user are marked (E,)."""
        counts = np.zeros(len(self.of), np.int64)
        for block in spill.blocks(len(self)):
            places = np.flatnonzero(marks[block]) + block.start
            owner = np.searchsorted(self.bounds, places, side="right") - 1
            counts += np.bincount(owner, minlength=len(counts))
        spill.release(marks)
        return counts

    def release(self) -> None:
        """Let the system take back the memory of all that is mapped."""
        features = () if self.features is None else self.features.columns
        for column in (self.order, self.user, self.item, self.time, self.opens, self.starts, self.worth, *features):
            if column is not None:
                spill.release(column)


def lay_out(
    log: EventLog,
    *,
    gap: float | None,
    at_session_start: str,
    item: Array | None = None,
    worth: Floats | None = None,
    features: EventFeatures | None = None,
) -> Sequences:
    """Arrange a log by user and mark where sessions open.

    Args:
        log: E events in time order.
        gap: see `opens_session`.
        at_session_start: `reset`: every session begins at the initial state; `mark`: only a user's first does.
        item: (E,) item indices to use in place of the log's own (those of a catalog, -1 for unknown).
        worth: (E,) of each event, see `Sequences`.
        features: of the events of the log.
    """
    counts = spill.counted(log.user, len(log.users))
    columns = [log.item if item is None else item, log.time]
    columns += [column for column in (log.session, worth) if column is not None]
    read = () if features is None else features.columns
    order, (user, item, time, *rest) = grouped(counts, log.user, *columns, *read)
    rest, of_events = rest[: len(rest) - len(read)], iter(rest[len(rest) - len(read) :])
    session = None if log.session is None else rest[0]
    worth = None if worth is None else rest[-1]

    def first(block: slice) -> Array:
        before, after = neighbours(block)
        return from_the_first(block, user[before] != user[after])

    def opening(block: slice) -> Array:
        before, after = (Moment(time[p], None if session is None else session[p]) for p in neighbours(block))
        return first(block) | from_the_first(block, opens_session(before, after, gap))

    opens = spill.filled(len(user), bool, opening, user, time, *rest[: log.session is not None])
    used = np.flatnonzero(counts)
    return Sequences(
        order=order,
        user=user,
        item=item,
        time=time,
        opens=opens,
        starts=opens if at_session_start == "reset" else spill.filled(len(user), bool, first, user),
        bounds=np.concatenate([[0], np.cumsum(counts[used])]),
        of=used.astype(user.dtype),
        timed=log.timed,
        worth=worth,
        features=None if features is None else features.each(lambda _: next(of_events)),
    )


def neighbours(block: slice) -> tuple[slice, slice]:
    """The places before those of a block, and its own, as far as there is one before."""
    left = max(block.start, 1)
    return slice(left - 1, block.stop - 1), slice(left, block.stop)


def from_the_first(block: slice, marks: Bools) -> Bools:
    """Marks of a block, where the very first event, which has none before it, is marked in any case."""
    return np.concatenate([np.ones(block.stop - block.start - len(marks), bool), marks])
