"""What a store tells those who look while others write."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from segue.serving.store.base import Order, StoredEvent


class KnownUser(NamedTuple):
    """A user with events.

    Attributes:
        events: how many there are.
        last_time: of the one that came last, in Unix seconds.
    """

    user_id: str
    events: int
    last_time: float


class LastEvents(NamedTuple):
    """The end of a user's history.

    Attributes:
        total: how many events there are in all.
        events: the last of them, oldest first.
    """

    total: int
    events: list[StoredEvent]


class Looks(Protocol):
    """What any thread may ask of a store: nobody who writes waits for it."""

    def last_events(self, user_id: str, most: int, order: Order = "arrival") -> LastEvents:
        """The last events of a user in that order, and how many there are."""

    def recent_users(self, most: int) -> list[KnownUser]:
        """Some users with events; those whom the store came to know last, where that is cheap."""

    def versions(self) -> dict[str, int]:
        """How many memories there are by the version that made them."""
