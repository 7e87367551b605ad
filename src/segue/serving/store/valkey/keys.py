"""Under which keys a store lies in Valkey.

All of them have the store's name as their hash tag, so that one function may write all of a commit, on a cluster too.
"""

from __future__ import annotations

from segue.serving.hashing import shard_of

LAYOUT = "1"

BUCKETS = 16
"""Into so many parts the lists of users are cut: a number of shards divides it."""


class Keys:
    """The keys of one store.

    Attributes:
        layout: a string, of which layout the rest is.
        counts: a hash, the number of events of each bucket.
        renewing: a string with an end, which model's replicas fold states anew in the background.
    """

    def __init__(self, prefix: str) -> None:
        self._tag = f"{{{prefix}}}"
        self.layout, self.counts, self.renewing = (f"{self._tag}:{name}" for name in ("layout", "counts", "renewing"))

    def writer(self, name: str) -> str:
        """A string with an end: the number of the writer's last call, and its answer."""
        return f"{self._tag}:writer:{name}"

    def user(self, user_id: str) -> str:
        """A hash: `seq`, the last number given; `version` and `memory`."""
        return f"{self._tag}:user:{user_id}"

    def events(self, user_id: str) -> str:
        """A list of events, oldest first."""
        return f"{self._tag}:events:{user_id}"

    def ids(self, user_id: str) -> str:
        """A hash from event ids to numbers."""
        return f"{self._tag}:ids:{user_id}"

    def users(self, bucket: int) -> str:
        """A sorted set of user ids, by their bytes."""
        return f"{self._tag}:users:{bucket}"

    def states(self, bucket: int) -> str:
        """A sorted set of `version`, NUL, user id, by its bytes."""
        return f"{self._tag}:states:{bucket}"

    def of_change(self, user_id: str) -> list[str]:
        """What a function is given of a user."""
        bucket = bucket_of(user_id)
        return [
            self.user(user_id),
            self.events(user_id),
            self.ids(user_id),
            self.users(bucket),
            self.states(bucket),
        ]


def bucket_of(user_id: str) -> int:
    """The bucket of a user."""
    return shard_of(user_id, BUCKETS)


def page(key: str, begin: bytes, end: bytes, most: int) -> tuple[str | bytes | int, ...]:
    """Asks for some members of a sorted set, by their bytes."""
    return ("ZRANGE", key, begin, end, "BYLEX", "LIMIT", 0, most)
