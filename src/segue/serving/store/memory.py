"""A store that forgets when the process ends, for tests, trials and evaluation."""

from __future__ import annotations

from collections.abc import Sequence

from segue.errors import StoreError
from segue.serving.store.base import Change, Memory, StoredEvent


class MemoryStore:
    """Events and memories in dictionaries."""

    def __init__(self) -> None:
        self._events: dict[str, list[StoredEvent]] = {}
        self._by_event_id: dict[tuple[str, str], StoredEvent] = {}
        self._memories: dict[str, Memory] = {}
        self._closed = False

    def load(self, user_id: str) -> Memory | None:
        """See `Store`."""
        self._check_open()
        return self._memories.get(user_id)

    def history(self, user_id: str) -> list[StoredEvent]:
        """See `Store`."""
        self._check_open()
        return list(self._events.get(user_id, ()))

    def find(self, user_id: str, event_id: str) -> StoredEvent | None:
        """See `Store`."""
        self._check_open()
        return self._by_event_id.get((user_id, event_id))

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

    def close(self) -> None:
        """See `Store`."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the store in memory is closed; open a new one")

    def _check_new(self, changes: Sequence[Change]) -> None:
        seqs: dict[str, int] = {}
        event_ids: set[tuple[str, str]] = set()
        for change in changes:
            for event in change.events:
                last = seqs.get(change.user_id, len(self._events.get(change.user_id, ())))
                if event.seq != last + 1:
                    raise StoreError(
                        f"event {event.seq} of user {change.user_id!r} does not follow event {last}; "
                        "expected one writer that numbers a user's events one by one"
                    )
                seqs[change.user_id] = event.seq
                if event.event_id is None:
                    continue
                key = (change.user_id, event.event_id)
                if key in self._by_event_id or key in event_ids:
                    raise StoreError(f"user {key[0]!r} already has an event with event id {key[1]!r}")
                event_ids.add(key)
