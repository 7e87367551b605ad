"""The engine: takes events in, keeps states, answers what comes next. It knows no HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import NamedTuple

from segue.serving.answer import Ranked, answer, check_request, current_items
from segue.serving.bundle import Bundle, Exclude
from segue.serving.events import ConflictError, LiveEvent, check_event
from segue.serving.fold import absorb, blank, refold
from segue.serving.store.base import Change, Memory, Store, StoredEvent


class Observed(NamedTuple):
    """What became of an event.

    Attributes:
        seq: its place among the user's events, from 1.
        duplicate: True if it was there already, and nothing was changed.
        known_item: False if the item is outside the catalog; the event is kept all the same.
    """

    seq: int
    duplicate: bool
    known_item: bool


class Engine:
    """Serves one bundle from one store. Threads take turns.

    Args:
        clock: the present in Unix seconds.
    """

    def __init__(self, bundle: Bundle, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self.bundle = bundle
        self._store = store
        self._clock = clock
        self._turn = Lock()

    def observe(self, events: Sequence[LiveEvent]) -> list[Observed]:
        """Take in events in the order given; all are stored when this returns, or none.

        A late event is kept where it arrives, and its pause counts as 0: see `absorb`.

        Raises:
            RequestError: an id or a time that cannot be meant.
            ConflictError: an event id that the user has used for another event.
            StoreError: nothing was stored.
        """
        for place, event in enumerate(events):
            check_event(event, f"events[{place}]")
        with self._turn:
            now = self._clock()
            changes: dict[str, Change] = {}
            observed = [self._observe(event, place, now, changes) for place, event in enumerate(events)]
            written = [change for change in changes.values() if change.events]
            if written:
                self._store.commit(written)
            return observed

    def recommend(
        self,
        *,
        user_id: str | None = None,
        items: Sequence[str] | None = None,
        k: int = 10,
        timestamp: float | None = None,
        exclude: Exclude | None = None,
    ) -> Ranked:
        """What comes next for a user, or after some items taken as one session, of which nothing is kept.

        Args:
            user_id: a user; one never heard of gets the answer of the initial state.
            items: or item ids, oldest first.
            k: length of the list.
            timestamp: when it is asked, in Unix seconds. None: for a user the present, for items not known.
            exclude: in place of the bundle's.

        Raises:
            RequestError: not exactly one of user and items, or a value that cannot be meant.
        """
        excluding = self.bundle.exclude if exclude is None else exclude
        check_request(user_id, items, k, timestamp, excluding)
        with self._turn:
            if user_id is not None:
                now: float | None = self._clock() if timestamp is None else timestamp
                memory, unknown = self._memory(user_id), []
                seen = self._store.item_ids(user_id) if excluding == "seen" else []
            else:
                now, seen = timestamp, list(items or ())
                unknown = [item_id for item_id in seen if not self._knows(item_id)]
                # one moment for all: only the first opens a session
                session = [StoredEvent(place + 1, item_id, now or 0.0) for place, item_id in enumerate(seen)]
                memory = refold(self.bundle, session)
            left_out = self.left_out(memory, seen, now, excluding)
            return answer(self.bundle, memory, now, k=k, left_out=left_out, unknown_items=unknown)

    def left_out(self, memory: Memory, seen: Sequence[str], now: float | None, exclude: Exclude) -> Sequence[str]:
        """What may not be answered after `memory`, where the user had the items `seen`."""
        if exclude == "current":
            return current_items(self.bundle, memory, now)
        return seen if exclude == "seen" else []

    def close(self) -> None:
        """Wait for the call in progress and close the store."""
        with self._turn:
            self._store.close()

    def _observe(self, event: LiveEvent, place: int, now: float, changes: dict[str, Change]) -> Observed:
        """Absorb one event into this call's changes."""
        known = self._knows(event.item_id)
        change = changes.get(event.user_id)
        if change is None:
            change = changes[event.user_id] = Change(event.user_id, [], self._memory(event.user_id))
        earlier = self._earlier(event, change)
        if earlier is not None:
            if not earlier.repeats(event):
                raise ConflictError(
                    f"`events[{place}].event_id` is {event.event_id!r}, which user {event.user_id!r} has "
                    f"already used for another (number {earlier.seq}, item {earlier.item_id!r}); nothing of "
                    "this call was stored: give each event its own id, and repeat an event unchanged"
                )
            return Observed(earlier.seq, True, known)
        stored = StoredEvent(
            seq=change.memory.seq + 1,
            item_id=event.item_id,
            time=now if event.timestamp is None else float(event.timestamp),
            stamped=event.timestamp is None,
            session_id=event.session_id,
            event_id=event.event_id,
            event_type=event.event_type,
        )
        change.memory = absorb(self.bundle, change.memory, stored)
        change.events.append(stored)
        return Observed(stored.seq, False, known)

    def _earlier(self, event: LiveEvent, change: Change) -> StoredEvent | None:
        """The event of this user with this event id, in this call or before it."""
        if event.event_id is None:
            return None
        for pending in change.events:
            if pending.event_id == event.event_id:
                return pending
        return self._store.find(event.user_id, event.event_id)

    def _memory(self, user_id: str) -> Memory:
        """What is remembered of a user; folded anew from the log, and kept, where another model made it."""
        memory = self._store.load(user_id)
        if memory is not None and memory.version == self.bundle.version:
            return memory
        history = self._store.history(user_id)
        if not history:
            return blank(self.bundle)
        memory = refold(self.bundle, history)
        self._store.commit([Change(user_id, [], memory)])
        return memory

    def _knows(self, item_id: str) -> bool:
        return self.bundle.item_ids.place_of(item_id) >= 0
