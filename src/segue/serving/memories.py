"""What is remembered of users: at hand, from the store, or folded anew from their events."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from segue.serving.bundle import Bundle
from segue.serving.fold import blank, refold_all
from segue.serving.policy import Policy
from segue.serving.store.base import Memory, Store, StoredEvent
from segue.serving.tally import Tally

CACHED_BYTES = 128 * 2**20
"""So many bytes of states stay at hand; the others are read from the store when their users come."""

_log = logging.getLogger("segue.serving")


class Memories:
    """The memories of the users of a store.

    Args:
        tally: told of what was folded anew, and why.
    """

    def __init__(self, store: Store, policy: Policy, tally: Tally, cached_bytes: int = CACHED_BYTES) -> None:
        self._store, self._policy, self._tally, self.cached_bytes = (
            store,
            policy,
            tally,
            0 if store.shared else cached_bytes,
        )
        self._cache: OrderedDict[str, Memory] = OrderedDict()
        self._nothing: Memory | None = None

    def of(self, bundle: Bundle, user_ids: Sequence[str]) -> tuple[dict[str, Memory], list[str]]:
        """The memories of users: at hand, from the store, or folded anew where another model made them.

        Returns:
            memories: of all of them.
            renewed: whose memory in the store is to be replaced.
        """
        found: dict[str, Memory] = {}
        for user_id in user_ids:
            memory = self._cache.get(user_id)
            if memory is not None and memory.version == bundle.memory_version:
                found[user_id] = memory
        missing = [user_id for user_id in user_ids if user_id not in found]
        if not missing:
            return found, []
        loaded = self._store.load(missing)
        if loaded.damaged:
            self._tally.damaged += len(loaded.damaged)
            _log.warning("%d stored states are damaged: they are folded anew from the events", len(loaded.damaged))
        last = dict.fromkeys((*loaded.damaged, *loaded.unfolded), 0)
        nothing = self._nothing
        if nothing is None or nothing.version != bundle.memory_version:
            nothing = self._nothing = blank(bundle)  # one for all strangers: nobody changes a state in place
        for user_id in missing:
            memory = loaded.memories.get(user_id)
            if memory is not None and memory.version != bundle.memory_version:
                last[user_id] = memory.seq
            elif user_id not in last:
                found[user_id] = nothing if memory is None else memory
        found |= self.refolded(bundle, last)
        return found, [user_id for user_id in last if found[user_id].seq]

    def refolded(
        self, bundle: Bundle, last: Mapping[str, int], pending: Mapping[str, Sequence[StoredEvent]] | None = None
    ) -> dict[str, Memory]:
        """The memories of users folded anew from the last events that are stored, and those that are about to be.

        Args:
            last: by user, the last number that is known to be given; its event may be forgotten.
            pending: by user, events that are not stored yet.
        """
        if not last:
            return {}
        most = self._policy.refold_events or bundle.window
        # before the histories: if another process stores an event between the two, the commit finds the number too low
        stored = {user_id: self._store.last_seq(user_id) for user_id in last}
        histories = {user_id: self.history(user_id, most + 1, (pending or {}).get(user_id, ())) for user_id in last}
        folded = refold_all(bundle, [events[-most:] for events in histories.values()])
        memories = {}
        for (user_id, events), memory in zip(histories.items(), folded, strict=True):
            seq = last[user_id]
            if events:
                self._tally.refolds += 1
                self._tally.cut += len(events) > most
                seq = max([seq, stored[user_id], *(event.seq for event in (pending or {}).get(user_id, ()))])
            memories[user_id] = memory._replace(seq=seq)
        return memories

    def history(self, user_id: str, most: int, pending: Sequence[StoredEvent]) -> list[StoredEvent]:
        """The last events of a user, in the order in which they count."""
        events = [*self._store.history(user_id, most, self._policy.order), *pending]
        if self._policy.order == "time":
            events.sort(key=lambda event: event.time)
        return events

    def keep(self, memories: dict[str, Memory]) -> None:
        """Have memories at hand, those used last the longest."""
        size = 1
        for user_id, memory in memories.items():
            self._cache[user_id] = memory
            self._cache.move_to_end(user_id)
            size = 500 + sum(array.nbytes for array in memory.state.values())
        while len(self._cache) * size > self.cached_bytes:
            self._cache.popitem(last=False)

    def drop(self, user_ids: Iterable[str]) -> None:
        """Have them read again: what is at hand is ahead of what is stored, or behind."""
        for user_id in user_ids:
            self._cache.pop(user_id, None)
