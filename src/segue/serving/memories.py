"""What is remembered of users: at hand, from the store, or folded anew from their events."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from segue.serving.bundle import Bundle
from segue.serving.fold import blank, refold
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
        self._store, self._policy, self._tally, self.cached_bytes = store, policy, tally, cached_bytes
        self._cache: OrderedDict[str, Memory] = OrderedDict()

    def of(self, bundle: Bundle, user_ids: Sequence[str]) -> tuple[dict[str, Memory], list[str]]:
        """The memories of users: at hand, from the store, or folded anew where another model made them.

        Returns:
            memories: of all of them.
            renewed: whose memory in the store is to be replaced.
        """
        found, renewed = {}, []
        for user_id in user_ids:
            memory = self._cache.get(user_id)
            if memory is not None and memory.version == bundle.memory_version:
                found[user_id] = memory
        missing = [user_id for user_id in user_ids if user_id not in found]
        loaded = self._store.load(missing)
        if loaded.damaged:
            self._tally.damaged += len(loaded.damaged)
            _log.warning("%d stored states are damaged: they are folded anew from the events", len(loaded.damaged))
        for user_id in missing:
            memory = loaded.memories.get(user_id)
            if memory is not None and memory.version == bundle.memory_version:
                found[user_id] = memory
            else:
                found[user_id] = self.refolded(bundle, user_id, 0 if memory is None else memory.seq)
                if found[user_id].seq:
                    renewed.append(user_id)
        return found, renewed

    def refolded(self, bundle: Bundle, user_id: str, last: int, pending: Sequence[StoredEvent] = ()) -> Memory:
        """The memory folded anew from the last events that are stored, and those that are about to be.

        Args:
            last: the last number that the user is known to have; its event may be forgotten.
        """
        most = self._policy.refold_events
        history = self._store.history(user_id, most + 1, self._policy.order)
        if not history and not pending:
            return blank(bundle)._replace(seq=last)
        events = [*history, *pending]
        if self._policy.order == "time":
            events.sort(key=lambda event: event.time)
        self._tally.refolds += 1
        self._tally.cut += len(events) > most
        memory = refold(bundle, events[-most:])
        return memory._replace(seq=max([last, self._store.last_seq(user_id), *(event.seq for event in pending)]))

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
