"""Users whom a store knows, and what one of them did. Nobody who writes waits for those who look."""

from __future__ import annotations

from heapq import nlargest

from segue.serving.engine import Engine
from segue.serving.events import check_id
from segue.serving.hashing import shard_of
from segue.serving.store.looks import KnownUser, LastEvents


def last_events(engine: Engine, user_id: str, most: int) -> LastEvents:
    """The last events of a user in the order in which they count, and how many there are in all.

    Any thread may ask.

    Raises:
        RequestError: an id that cannot be one.
        StoreError: the store cannot be read.
    """
    check_id(user_id, "user_id")
    shard = engine.shards[shard_of(user_id, len(engine.shards))]
    return shard.store.last_events(user_id, most, engine.policy.order)


def some_users(engine: Engine, most: int) -> list[KnownUser]:
    """Some users with events, of those found the latest event first. Any thread may ask. Raises StoreError."""
    found = [user for shard in engine.shards for user in shard.store.recent_users(most)]
    return nlargest(most, found, key=lambda user: user.last_time)
