"""What of a log is sent to a server, and what is asked of it between: as `segue evaluate` asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from segue.data.encoding.values import Value
from segue.data.event_values import event_values
from segue.data.events import EventLog
from segue.data.splits import TEST, Split
from segue.evaluation.phase import Phase
from segue.shapes import Bools, Longs


class Sending(NamedTuple):
    """One event on its way, and the list wanted right after it.

    Attributes:
        place: of the event in the log.
        user_id, item_id, time, session_id, event_type, features: of the event; a session is named as `segue backfill`
            names it.
        before: how many events of the user there were.
        target: the number of the prediction that the list after it is compared by, or -1.
        first: the same for a list before it, which only a user's first event sent has.
        last_time: of the user's event before, when that list is asked for.
    """

    place: int
    user_id: str
    item_id: str
    time: float
    session_id: str | None
    event_type: str | None
    features: dict[str, Value] | None
    before: int
    target: int
    first: int
    last_time: float


class LogPlan:
    """A log in two parts: what a store holds at the start, and what is sent.

    Sent is, of every user, all from the first event on that the model cannot have learned from. Where everything is
    parted at one time that is the test part.

    Args:
        phase: what is asked; its `replayed` is the whole log.
    """

    def __init__(self, log: EventLog, split: Split, phase: Phase) -> None:
        self.log, self.laid, self.asked = log, phase.replayed, np.asarray(phase.asked)
        self.kept = before_test(log, split)
        self.sent: Bools = ~self.kept[self.laid.order]
        self.begins = np.repeat(self.laid.bounds[:-1], np.diff(self.laid.bounds))
        self.targets: Longs = np.flatnonzero(self.asked)

    @property
    def before(self) -> EventLog:
        """What a store holds at the start."""
        return self.log.where(self.kept)

    def __len__(self) -> int:
        return int(self.sent.sum())

    def target_ids(self) -> list[str]:
        """The item of each prediction."""
        return self.log.items.take(self.log.item[self.laid.order[self.targets]])

    def __iter__(self) -> Iterator[Sending]:
        log, laid = self.log, self.laid
        number = np.full(len(laid) + 1, -1)
        number[self.targets] = np.arange(len(self.targets))
        places = np.flatnonzero(self.sent)
        for at in places[np.argsort(laid.order[places], kind="stable")].tolist():
            place, begin = int(laid.order[at]), int(self.begins[at])
            opening = at > begin and not self.sent[at - 1]
            yield Sending(
                place=place,
                user_id=log.users[int(log.user[place])],
                item_id=log.items[int(log.item[place])],
                time=float(log.time[place]),
                session_id=None if log.session is None else f"log {int(log.session[place])}",
                event_type=kind_of(log, place),
                features=event_values(log, np.array([place]))[0],
                before=at - begin,
                target=int(number[at + 1]),
                first=int(number[at]) if opening else -1,
                last_time=float(laid.time[at - 1]) if opening else 0.0,
            )


def before_test(log: EventLog, split: Split) -> Bools:
    """(E,) True for the events of a user before the first one that the model cannot have learned from."""
    place = np.arange(len(log))
    new = np.asarray(split.role) == TEST
    first = np.full(len(log.users), len(log))
    np.minimum.at(first, log.user[new], place[new])
    return np.asarray(place < first[log.user])


def kind_of(log: EventLog, place: int) -> str | None:
    """The kind of an event, if the log says it."""
    if log.event_type is None or log.event_type[place] < 0:
        return None
    return log.type_names[int(log.event_type[place])] or None
