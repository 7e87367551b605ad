"""What a store keeps and promises: the event log (the truth) and one memory a user (a cache of its fold)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from segue.data.sessions import Moment
from segue.models.base import State
from segue.serving.events import LiveEvent


class StoredEvent(NamedTuple):
    """One event of one user as the log keeps it.

    Attributes:
        seq: its place among the user's events, from 1, in the order of arrival.
        time: Unix seconds as sent, or as stamped on arrival.
        stamped: True if the event came without a timestamp.
    """

    seq: int
    item_id: str
    time: float
    stamped: bool = False
    session_id: str | None = None
    event_id: str | None = None
    event_type: str | None = None

    def repeats(self, event: LiveEvent) -> bool:
        """Whether `event` says the same; one without a timestamp repeats one that came without."""
        here = (self.item_id, None if self.stamped else self.time, self.session_id, self.event_type)
        return here == (event.item_id, event.timestamp, event.session_id, event.event_type)


class Memory(NamedTuple):
    """What is remembered of a user, so that the next event costs the same whatever the history.

    Attributes:
        version: of the model that made the state; under another it means nothing.
        seq: the last event absorbed, 0 for none.
        moment: the time and session of that event; None for none.
        item_id: the item of that event; None for none.
        state: the model's, one row.
    """

    version: str
    seq: int
    moment: Moment | None
    item_id: str | None
    state: State


@dataclass
class Change:
    """One user's part of a commit: events to append (maybe none) and the memory after them."""

    user_id: str
    events: list[StoredEvent]
    memory: Memory


class Store(Protocol):
    """Keeps events and memories. One caller at a time: the engine's lock sees to that.

    Every method raises StoreError where the store cannot be read or written, and after `close`.
    """

    def load(self, user_id: str) -> Memory | None:
        """The memory of a user; None if there is none."""

    def history(self, user_id: str) -> list[StoredEvent]:
        """All events of a user in the order of `seq`."""

    def find(self, user_id: str, event_id: str) -> StoredEvent | None:
        """The event of a user with this event id; None if there is none."""

    def item_ids(self, user_id: str) -> list[str]:
        """The distinct items of a user's events, in no particular order."""

    def commit(self, changes: Sequence[Change]) -> None:
        """Write all changes or none; when it returns they are as durable as the store promises.

        Raises:
            StoreError: also for a `seq` or an event id that the user already has.
        """

    def close(self) -> None:
        """Let go of everything held; a second call does nothing."""
