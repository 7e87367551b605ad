"""What a store keeps and promises: the event log (the truth) and one memory a user (a cache of its fold)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from segue.data.sessions import Moment
from segue.errors import StoreError
from segue.models.base import State
from segue.serving.events import LiveEvent
from segue.serving.features import packed
from segue.serving.store.looks import Looks

Order = Literal["arrival", "time"]
"""In which order a user's events count: as they came, or by their times (those of one time as they came)."""

EventKey = tuple[str, str]
"""A user id and an event id."""


class StoredEvent(NamedTuple):
    """One event of one user as the log keeps it.

    Attributes:
        seq: its place among the user's events, from 1, in the order of arrival.
        time: Unix seconds as sent, or as stamped on arrival.
        stamped: True if the event came without a timestamp.
        features: as JSON, see `segue.serving.features`.
    """

    seq: int
    item_id: str
    time: float
    stamped: bool = False
    session_id: str | None = None
    event_id: str | None = None
    event_type: str | None = None
    features: str | None = None

    def repeats(self, event: LiveEvent) -> bool:
        """Whether `event` says the same; one without a timestamp repeats one that came without."""
        return not self.differs(event)

    def differs(self, event: LiveEvent) -> list[str]:
        """In which fields `event` says something else."""
        here = (self.item_id, None if self.stamped else self.time, self.session_id, self.event_type, self.features)
        there = (event.item_id, event.timestamp, event.session_id, event.event_type, packed(event.features))
        names = ("item_id", "timestamp", "session_id", "event_type", "features")
        return [name for name, one, other in zip(names, here, there, strict=True) if one != other]


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


class Loaded(NamedTuple):
    """What a store finds of the users asked for. Those in none of the three are not there.

    Attributes:
        memories: by user id.
        damaged: users whose memory was there and could not be read: it is to be folded anew from the events.
        unfolded: users who are there without a memory.
    """

    memories: dict[str, Memory]
    damaged: list[str]
    unfolded: list[str]


class ConflictError(StoreError):
    """Another process was first with one of these users: nothing was stored, and it was made from an old state."""


class UncertainError(StoreError):
    """It is not known whether a commit was stored: to do its work again may store it twice."""


class Store(Looks, Protocol):
    """Keeps events and memories of some users. One caller at a time, but for `Looks`: its shard sees to that.

    Every method raises StoreError where the store cannot be read or written, and after `close`.
    """

    @property
    def shared(self) -> bool:
        """Whether other processes may write to it: then a memory is what the store says, and a commit may conflict."""

    def load(self, user_ids: Collection[str]) -> Loaded:
        """The memories of users."""

    def last_seq(self, user_id: str) -> int:
        """The number of a user's latest event; 0 for none."""

    def history(self, user_id: str, last: int | None = None, order: Order = "arrival") -> list[StoredEvent]:
        """The events of a user in that order, oldest first; the last so many, or all."""

    def find(self, keys: Collection[EventKey]) -> Mapping[EventKey, StoredEvent]:
        """The events with these event ids; what is not there is missing."""

    def size(self, user_id: str) -> int:
        """How many events of a user there are."""

    def item_ids(self, user_id: str) -> list[str]:
        """The distinct items of a user's events, in no particular order."""

    def commit(self, changes: Sequence[Change]) -> None:
        """Write all changes or none; when it returns they are as durable as the store promises.

        Raises:
            StoreError: also for a `seq` or an event id that the user already has.
            ConflictError, UncertainError: where it is shared.
        """

    def users(self, after: str | None = None, most: int = 1000) -> list[str]:
        """Ids of users with events or a memory, in order, beginning after one: the way through all of them."""

    def stale(self, version: str, most: int = 100) -> list[str]:
        """Some users whose memory another version made."""

    def delete(self, user_id: str) -> int:
        """Forget a user, events and memory; the number of events that were there."""

    def trim(self, before: float, user_ids: Collection[str]) -> int:
        """Forget events of these users that are older than a time, and users of whom none remain; how many went."""

    def count(self) -> Counts:
        """What there is."""

    def close(self) -> None:
        """Let go of everything held; a second call does nothing."""


@runtime_checkable
class Stores(Protocol):
    """The stores of all shards, in order."""

    @property
    def stores(self) -> Sequence[Store]:
        """One a shard."""

    def close(self) -> None:
        """Close all of them."""


class Counts(NamedTuple):
    """What there is in a store.

    Attributes:
        users: with events or a memory.
        events: all of them.
        memories: by the version of the model that made them.
    """

    users: int
    events: int
    memories: dict[str, int]


def walk(store: Store, most: int = 1000) -> Iterator[str]:
    """All users of a store."""
    after = None
    while found := store.users(after, most):
        yield from found
        after = found[-1]
