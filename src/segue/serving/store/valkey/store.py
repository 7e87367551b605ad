"""A store in a Valkey server, which several processes may share."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Any

from segue.serving.store.base import Change, ConflictError, Counts, EventKey, Loaded, Order, StoredEvent
from segue.serving.store.codec import DamagedStateError
from segue.serving.store.looks import KnownUser, LastEvents
from segue.serving.store.valkey.codec import arguments_of, check_changes, decode_event, decode_memory
from segue.serving.store.valkey.functions import COMMIT, FORGET, TRIM
from segue.serving.store.valkey.keys import BUCKETS, Keys, bucket_of, page
from segue.serving.store.valkey.server import ValkeyServer

RENEWING = 30
"""Seconds for which one who folds states anew in the background keeps replicas of other models from it."""


class ValkeyStore:
    """Events and memories of the users of some buckets. What writes is one call of a function in the server.

    Args:
        server: closed with this.
        prefix: the store's name.
        buckets: those whose users are listed and counted here; any user may be read and written.
    """

    shared = True

    def __init__(self, server: ValkeyServer, prefix: str, buckets: Sequence[int] = range(BUCKETS)) -> None:
        self._server, self._keys, self._buckets = server, Keys(prefix), buckets
        self._writer, self._number = self._keys.writer(secrets.token_hex(8)), 0
        self._announced: str | None = None

    def load(self, user_ids: Collection[str]) -> Loaded:
        """See `Store`."""
        loaded = Loaded({}, [], [])
        users, fields = list(user_ids), ("seq", "version", "memory")
        found = self._server.ask(*(("HMGET", self._keys.user(user_id), *fields) for user_id in users))
        for user_id, (seq, version, memory) in zip(users, found, strict=True):
            if version is None:
                if seq is not None:
                    loaded.unfolded.append(user_id)
                continue
            try:
                loaded.memories[user_id] = decode_memory(version, memory or b"")
            except DamagedStateError:
                loaded.damaged.append(user_id)
        return loaded

    def last_seq(self, user_id: str) -> int:
        """See `Store`. Numbers of events that were trimmed count."""
        return int(self._server.ask(("HGET", self._keys.user(user_id), "seq"))[0] or 0)

    def history(self, user_id: str, last: int | None = None, order: Order = "arrival") -> list[StoredEvent]:
        """See `Store`."""
        if last == 0:
            return []
        if order == "time":
            events = sorted(self.history(user_id), key=lambda event: event.time)
            return events if last is None else events[-last:]
        found = self._server.ask(("LRANGE", self._keys.events(user_id), 0 if last is None else -last, -1))[0]
        return [decode_event(event) for event in found]

    def histories(self, user_ids: Sequence[str]) -> list[list[StoredEvent]]:
        """All events of several users, in one round trip."""
        found = self._server.ask(*(("LRANGE", self._keys.events(user_id), 0, -1) for user_id in user_ids))
        return [[decode_event(event) for event in events] for events in found]

    def find(self, keys: Collection[EventKey]) -> dict[EventKey, StoredEvent]:
        """See `Store`."""
        wanted = list(keys)
        numbers = self._server.ask(*(("HGET", self._keys.ids(user_id), event_id) for user_id, event_id in wanted))
        known = [(key, int(number)) for key, number in zip(wanted, numbers, strict=True) if number is not None]
        around = [(key, event) for key, number in known for event in self._around(key[0], number)]
        return {key: event for key, event in around if event.event_id == key[1]}

    def size(self, user_id: str) -> int:
        """See `Store`."""
        return int(self._server.ask(("LLEN", self._keys.events(user_id)))[0])

    def item_ids(self, user_id: str) -> list[str]:
        """See `Store`."""
        return list(dict.fromkeys(event.item_id for event in self.history(user_id)))

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store`.

        Raises:
            ConflictError: another one was first with a user, or an event id; nothing is stored.
            UncertainError: no answer came.
        """
        if not changes:
            return
        check_changes(changes)
        keys: list[str] = []
        args: list[Any] = []
        for change in changes:
            keys += self._keys.of_change(change.user_id)
            args += arguments_of(change)
        if not self._once(COMMIT, keys, args):
            raise ConflictError("another process stored something of one of these users first; nothing was stored")

    def users(self, after: str | None = None, most: int = 1000) -> list[str]:
        """See `Store`."""
        begin, part = b"-" if after is None else b"(" + after.encode(), 2 * most // len(self._buckets) + 8
        keys = [self._keys.users(bucket) for bucket in self._buckets]
        first = self._server.ask(*(page(key, begin, b"+", part) for key in keys))
        parts = [self._members(key, members, part) for key, members in zip(keys, first, strict=True)]
        return [user_id.decode() for user_id in islice(merge(*parts), most)]

    def stale(self, version: str, most: int = 100) -> list[str]:
        """See `Store`.

        Where replicas of two models run, those that began last fold states anew: the others are told of none, or the
        same states would be folded again and again.
        """
        key = self._keys.renewing
        if self._announced != version:
            self._server.ask(("SET", key, version, "EX", RENEWING))
            self._announced = version
        else:
            self._server.ask(("SET", key, version, "EX", RENEWING, "NX"))
        if self._server.ask(("GET", key))[0] != version.encode():
            return []
        self._server.ask(("EXPIRE", key, RENEWING))
        own = version.encode()
        commands = []
        for bucket in self._buckets:
            states = self._keys.states(bucket)
            commands += [page(states, b"-", b"(" + own + b"\0", most), page(states, b"[" + own + b"\1", b"+", most)]
        found = (member for members in self._server.ask(*commands) for member in members)
        return [member.partition(b"\0")[2].decode() for member in islice(found, most)]

    def delete(self, user_id: str) -> int:
        """See `Store`."""
        return self._once(FORGET, self._keys.of_change(user_id), (user_id, bucket_of(user_id)))

    def trim(self, before: float, user_ids: Collection[str]) -> int:
        """See `Store`."""
        return sum(
            self._once(TRIM, self._keys.of_change(user_id), (user_id, bucket_of(user_id), repr(before)))
            for user_id in user_ids
        )

    def last_events(self, user_id: str, most: int, order: Order = "arrival") -> LastEvents:
        """See `Looks`: another thread is given another connection."""
        if order == "time":
            events = self.history(user_id, order=order)
            return LastEvents(len(events), events[-most:])
        key = self._keys.events(user_id)
        size, last = self._server.ask(("LLEN", key), ("LRANGE", key, -most, -1))
        return LastEvents(size, [decode_event(event) for event in last])

    def recent_users(self, most: int) -> list[KnownUser]:
        """See `Looks`: here some in order."""
        users = self.users(None, most)
        sizes = self._server.ask(*(("LLEN", self._keys.events(user_id)) for user_id in users))
        last = self._server.ask(*(("LINDEX", self._keys.events(user_id), -1) for user_id in users))
        found = zip(users, sizes, last, strict=True)
        return [KnownUser(user, size, decode_event(body).time) for user, size, body in found if body is not None]

    def versions(self) -> dict[str, int]:
        """See `Looks`."""
        versions: dict[str, int] = {}
        for bucket in self._buckets:
            states, begin = self._keys.states(bucket), b"-"
            while found := self._server.ask(page(states, begin, b"+", 1))[0]:
                version = found[0].partition(b"\0")[0]
                begin = b"[" + version + b"\1"  # past all of this version
                number = self._server.ask(("ZLEXCOUNT", states, b"[" + version + b"\0", b"(" + version + b"\1"))[0]
                versions[version.decode()] = versions.get(version.decode(), 0) + number
        return versions

    def count(self) -> Counts:
        """See `Store`."""
        sizes = self._server.ask(*(("ZCARD", self._keys.users(bucket)) for bucket in self._buckets))
        (events,) = self._server.ask(("HMGET", self._keys.counts, *self._buckets))
        return Counts(sum(sizes), sum(int(number or 0) for number in events), self.versions())

    def close(self) -> None:
        """See `Store`."""
        self._server.close()

    def _once(self, function: str, keys: Sequence[str], args: Sequence[Any]) -> int:
        """The answer of a function that writes, under a number by which the server knows a call that is sent again."""
        self._number += 1
        return int(self._server.call(function, [self._writer, self._keys.counts, *keys], (self._number, *args)))

    def _around(self, user_id: str, number: int) -> list[StoredEvent]:
        """The event of a number; or all, where others after it were trimmed, or have come just now."""
        place = number - self.last_seq(user_id) - 1  # from the end
        body = self._server.ask(("LINDEX", self._keys.events(user_id), place))[0]
        event = None if body is None else decode_event(body)
        return [event] if event is not None and event.seq == number else self.history(user_id)

    def _members(self, key: str, members: list[bytes], part: int) -> Iterator[bytes]:
        """These, and those after them."""
        while members:
            yield from members
            if len(members) < part:
                return
            (members,) = self._server.ask(page(key, b"(" + members[-1], b"+", part))
