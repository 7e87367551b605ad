"""Users whom a store knows, and what one of them did. Nobody who writes waits for those who look."""

from __future__ import annotations

from heapq import nlargest
from itertools import accumulate
from typing import NamedTuple

from segue.serving.engine import Engine
from segue.serving.events import check_id
from segue.serving.hashing import shard_of
from segue.serving.store.base import StoredEvent
from segue.serving.store.looks import KnownUser


class Past(NamedTuple):
    """The end of a user's history.

    Attributes:
        total: how many events there are in all.
        events: the last of them, oldest first.
        times: Unix seconds at which each counts, none before the one before it: a late one counts as simultaneous with
            the one before, see `absorb_all`.
    """

    total: int
    events: list[StoredEvent]
    times: list[float]


def last_events(engine: Engine, user_id: str, most: int) -> Past:
    """The last events of a user in the order in which they count, and how many there are in all.

    When they count is told from as many as a state is folded from, however few are wanted. Any thread may ask.

    Raises:
        RequestError: an id that cannot be one.
        StoreError: the store cannot be read.
    """
    check_id(user_id, "user_id")
    shard = engine.shards[shard_of(user_id, len(engine.shards))]
    folded = engine.policy.refold_events or engine.bundle.window
    total, events = shard.store.last_events(user_id, max(most, folded), engine.policy.order)
    times = list(accumulate((event.time for event in events), max))
    return Past(total, events[-most:], times[-most:])


def some_users(engine: Engine, most: int) -> list[KnownUser]:
    """Some users with events, of those found the latest event first. Any thread may ask. Raises StoreError."""
    found = [user for shard in engine.shards for user in shard.store.recent_users(most)]
    return nlargest(most, found, key=lambda user: user.last_time)
