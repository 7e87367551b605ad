"""The users of one store: their events and lists turn by turn, and what else is done with them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from segue.errors import OverloadedError, StoreError
from segue.serving.bundle import BY_TIME, Bundle
from segue.serving.lists.each import answer_each
from segue.serving.memories import Memories
from segue.serving.policy import Policy
from segue.serving.store.base import Change, ConflictError, Store
from segue.serving.tally import Tally
from segue.serving.task import Done, Task
from segue.serving.turn import Turn

ATTEMPTS = 20
"""So often a turn is played where other processes are first with its users."""

_log = logging.getLogger("segue.serving")


class About(NamedTuple):
    """What is known of a user.

    Attributes:
        events: how many are kept.
        last_seq: the number of the latest one, trimmed ones counted; 0 for none.
        last_time, last_item: of the state: Unix seconds, and an id; None for none.
        model_version: of the model that made the state; None: there is no state.
    """

    events: int
    last_seq: int
    last_time: float | None
    last_item: str | None
    model_version: str | None


class Shard:
    """The users of one store. It has no thread: whoever calls it calls it alone.

    Args:
        bundle: gives the model that serves at the moment.
        clock: the present in Unix seconds.
    """

    def __init__(self, store: Store, bundle: Callable[[], Bundle], policy: Policy, clock: Callable[[], float]) -> None:
        self.store, self.policy, self.tally = store, policy, Tally()
        self.memories = Memories(store, policy, self.tally)
        self._bundle, self._clock = bundle, clock

    def work(self, tasks: Sequence[Task]) -> list[Done]:
        """What comes of tasks, in their order. It is stored when this returns, whatever became of the lists.

        Raises:
            StoreError: nothing of it was stored, or, where it is an UncertainError, maybe all of it.
            OverloadedError: others were always first with one of the users; nothing of it was stored.
        """
        for _ in range(ATTEMPTS):
            try:
                return self.once(tasks)
            except ConflictError:
                continue
        raise OverloadedError("other servers write to the same users at the same time: come back later")

    def once(self, tasks: Sequence[Task]) -> list[Done]:
        """The same in one turn: one search, one transaction.

        Raises:
            ConflictError: another process was first with one of the users; nothing of it was stored.
            StoreError: see `work`.
        """
        bundle = self._bundle()
        users = list(dict.fromkeys(task.user_id for task in tasks if task.user_id is not None))
        memories, renewed = self.memories.of(bundle, users)
        turn = Turn(bundle, self._clock(), self.policy, self.store, self.memories, memories)
        turn.changes = {user_id: Change(user_id, [], memories[user_id]) for user_id in renewed}
        try:
            done = turn.run(tasks)
            lists = answer_each(bundle, [question for _, question in turn.questions])
            for (place, _), one in zip(turn.questions, lists, strict=True):
                if isinstance(one, Exception):
                    done[place].failed = one
                else:
                    done[place].ranked = one
            self.commit(turn)
        except BaseException:
            self.memories.drop(users)
            raise
        self.memories.keep({user_id: turn.memories[user_id] for user_id in users})
        self.tally.add(done, tasks)
        return done

    def commit(self, turn: Turn) -> None:
        """Store what was changed. States alone are a cache: that they cannot be stored costs nobody an answer."""
        if not turn.changes:
            return
        try:
            self.store.commit(list(turn.changes.values()))
        except StoreError as error:
            if any(change.events for change in turn.changes.values()):
                raise
            _log.warning("states that were folded anew are not stored: %s", error)

    def renew(self, user_ids: Sequence[str]) -> int:
        """Fold anew, and keep, the states of those users whom another model made; how many these were."""
        bundle, done = self._bundle(), 0
        for some in (user_ids, *([user_id] for user_id in user_ids)):
            try:
                # what is at hand may be of this model, as after a roll back, while what is stored is not
                self.memories.drop(some)
                memories, renewed = self.memories.of(bundle, some)
                self.store.commit([Change(user_id, [], memories[user_id]) for user_id in renewed])
            except Exception as error:
                if len(some) == 1:  # it is folded, or fails, when its user comes
                    _log.warning("a state could not be folded anew: %s", error)
                continue
            done += len(renewed)
            if some is user_ids:
                break
        return done

    def about(self, user_id: str) -> About:
        """What is known of a user."""
        loaded = self.store.load([user_id]).memories.get(user_id)
        events = self.store.size(user_id)
        return About(
            events=events,
            last_seq=max(self.store.last_seq(user_id), 0 if loaded is None else loaded.seq),
            last_time=None if loaded is None or loaded.moment is None else loaded.moment.time,
            last_item=None if loaded is None else loaded.item_id,
            model_version=None if loaded is None else loaded.version.removesuffix(BY_TIME),
        )

    def trim(self, before: float, user_ids: Sequence[str]) -> int:
        """Forget events of some users that are older than a time; states stay, but for users without any."""
        gone = self.store.trim(before, user_ids)
        if gone:
            self.memories.drop(user_ids)
        return gone

    def forget(self, user_id: str) -> int:
        """Delete all that is known of a user; the number of events."""
        self.memories.drop([user_id])
        return self.store.delete(user_id)
