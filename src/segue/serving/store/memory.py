"""A store that forgets when the process ends, for tests, trials and evaluation."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Sequence

from segue.errors import StoreError
from segue.serving.store.base import Change, Counts, EventKey, Loaded, Memory, Order, StoredEvent
from segue.serving.store.looks import KnownUser, LastEvents


class MemoryStore:
    """Events and memories in dictionaries."""

    shared = False

    def __init__(self) -> None:
        self._events: dict[str, list[StoredEvent]] = {}
        self._by_event_id: dict[EventKey, StoredEvent] = {}
        self._memories: dict[str, Memory] = {}
        self._closed = False

    def load(self, user_ids: Collection[str]) -> Loaded:
        """See `Store`."""
        self._check_open()
        memories = {user: self._memories[user] for user in user_ids if user in self._memories}
        return Loaded(memories, [], [user for user in user_ids if user in self._events and user not in memories])

    def last_seq(self, user_id: str) -> int:
        """See `Store`."""
        history = self.history(user_id)
        return history[-1].seq if history else 0

    def history(self, user_id: str, last: int | None = None, order: Order = "arrival") -> list[StoredEvent]:
        """See `Store`."""
        self._check_open()
        found = list(self._events.get(user_id, ()))
        if order == "time":
            found.sort(key=lambda event: event.time)
        return found if last is None else found[max(len(found) - last, 0) :]

    def find(self, keys: Collection[EventKey]) -> dict[EventKey, StoredEvent]:
        """See `Store`."""
        self._check_open()
        return {key: self._by_event_id[key] for key in keys if key in self._by_event_id}

    def size(self, user_id: str) -> int:
        """See `Store`."""
        return len(self.history(user_id))

    def item_ids(self, user_id: str) -> list[str]:
        """See `Store`."""
        return list(dict.fromkeys(event.item_id for event in self.history(user_id)))

    def commit(self, changes: Sequence[Change]) -> None:
        """See `Store`."""
        self._check_open()
        self._check_new(changes)
        for change in changes:
            if change.events:
                self._events.setdefault(change.user_id, []).extend(change.events)
            for event in change.events:
                if event.event_id is not None:
                    self._by_event_id[change.user_id, event.event_id] = event
            self._memories[change.user_id] = change.memory

    def users(self, after: str | None = None, most: int = 1000) -> list[str]:
        """See `Store`."""
        self._check_open()
        known = sorted({*self._events, *self._memories}, key=str.encode)
        begin = 0 if after is None else bisect_right(known, after.encode(), key=str.encode)
        return known[begin : begin + most]

    def stale(self, version: str, most: int = 100) -> list[str]:
        """See `Store`."""
        self._check_open()
        return [user for user, memory in self._memories.items() if memory.version != version][:most]

    def delete(self, user_id: str) -> int:
        """See `Store`."""
        self._check_open()
        events = self._events.pop(user_id, [])
        for event in events:
            self._by_event_id.pop((user_id, event.event_id or ""), None)
        self._memories.pop(user_id, None)
        return len(events)

    def trim(self, before: float, user_ids: Collection[str]) -> int:
        """See `Store`."""
        self._check_open()
        gone = 0
        for user in user_ids:
            events = self._events.get(user, [])
            kept = [event for event in events if event.time >= before]
            for event in events:
                if event.time < before:
                    self._by_event_id.pop((user, event.event_id or ""), None)
            gone += len(events) - len(kept)
            self._events[user] = kept
            if not kept:
                self.delete(user)
        return gone

    def last_events(self, user_id: str, most: int, order: Order = "arrival") -> LastEvents:
        """See `Looks`."""
        found = self.history(user_id, order=order)
        return LastEvents(len(found), found[max(len(found) - most, 0) :])

    def recent_users(self, most: int) -> list[KnownUser]:
        """See `Looks`."""
        self._check_open()
        latest = [(user, list(events)) for user, events in reversed(list(self._events.items())[-most:])]
        return [KnownUser(user, len(events), events[-1].time) for user, events in latest if events]

    def versions(self) -> dict[str, int]:
        """See `Looks`."""
        self._check_open()
        return dict(Counter(memory.version for memory in list(self._memories.values())))

    def count(self) -> Counts:
        """See `Store`."""
        events = sum(map(len, self._events.values()))
        return Counts(len({*self._events, *self._memories}), events, self.versions())

    def close(self) -> None:
        """See `Store`."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the store in memory is closed; open a new one")

    def _check_new(self, changes: Sequence[Change]) -> None:
        """Raise StoreError for a number or an event id that is taken."""
        taken: set[tuple[str, int | str]] = set()
        for change in changes:
            last = self.last_seq(change.user_id)
            for event in change.events:
                if event.seq <= last or (change.user_id, event.seq) in taken:
                    raise StoreError(
                        f"event {event.seq} of user {change.user_id!r} does not follow event {last}; "
                        "expected one writer that numbers a user's events one by one"
                    )
                taken.add((change.user_id, event.seq))
                if event.event_id is None:
                    continue
                key = (change.user_id, event.event_id)
                if key in self._by_event_id or key in taken:
                    raise StoreError(f"user {key[0]!r} already has an event with event id {key[1]!r}")
                taken.add(key)
