"""The engine: takes events in, keeps states, answers what comes next. It knows no HTTP."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from threading import Lock
from typing import Any, TypeVar

from segue.errors import RequestError
from segue.models.known_items import Similarity
from segue.ranking.rules import Rules
from segue.serving.bundle import Bundle, Exclude, Refused
from segue.serving.events import LiveEvent, Observed, check_id
from segue.serving.hashing import shard_of
from segue.serving.lists.answer import warm
from segue.serving.lists.applied import Applied, applied, rules_of
from segue.serving.lists.asks import Ask, Ranked
from segue.serving.lists.diverse import UNSAID, Diverse, Wish, check_usual, diverse_of
from segue.serving.lists.scenarios import Scenarios
from segue.serving.policy import Policy
from segue.serving.settling import settle
from segue.serving.shard import About, Shard
from segue.serving.store.base import Store, Stores
from segue.serving.task import Task, in_order, question_of, tasks_of
from segue.serving.worker import Worker

Result = TypeVar("Result")

_log = logging.getLogger("segue.serving")

AGAIN = "A part of the call may be stored: events with an `event_id` may be sent again"
"""What one who got no answer should know."""


class Engine:
    """Serves one bundle from one or more stores, each with the users of its shard.

    Args:
        stores: one store, or a home of several: a user is in that of number `shard_of(user, shards)`. The engine closes
            it.
        threads: one a store, so that callers wait together and are served together. Without, each caller does its own
            work, one at a time.
        clock: the present in Unix seconds.

    Attributes:
        bundle: what serves at the moment.
        states: how many users have one, as last counted.
        warm: the part of the states that it made, as last counted; the others are folded anew.
        refused: what was to take over last, and could not.
        scenarios: named sets of rules.
        usual: how lists are made less of the same where a request does not say.
    """

    def __init__(
        self,
        bundle: Bundle,
        stores: Store | Stores,
        *,
        policy: Policy | None = None,
        threads: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.policy = policy or Policy()
        self.bundle = bundle.ordered_by(self.policy.order)
        self.clock = clock
        self.warm = 1.0
        self.states = 0
        self.refused: Refused | None = None
        self.scenarios = Scenarios({})
        self.usual = UNSAID
        self._home = stores
        given: Sequence[Store] = stores.stores if isinstance(stores, Stores) else [stores]
        self.shards = [Shard(store, lambda: self.bundle, self.policy, clock) for store in given]
        self._workers = [Worker(shard, f"shard-{number}") for number, shard in enumerate(self.shards) if threads]
        self._turn = Lock()

    def observe(self, events: Sequence[LiveEvent]) -> list[Observed]:
        """Take in events in the order given; they are stored when this returns.

        Each has its own fate: one that is refused (see `Observed`) does not cost the others theirs.

        Raises:
            RequestError: an id or a time that cannot be meant; nothing of the call was stored.
            StoreError: not all was stored. Events with an event id may be sent again.
            OverloadedError: too much waits; nothing was stored.
        """
        tasks, places = tasks_of(events)
        self.submit(tasks)
        try:
            return in_order(places, [task.result.result() for task in tasks])
        finally:
            for task in tasks:  # where one failed, those that were not begun are called off
                task.result.cancel()

    def recommend(
        self,
        *,
        user_id: str | None = None,
        items: Sequence[str] | None = None,
        k: int = 10,
        timestamp: float | None = None,
        exclude: Exclude | None = None,
        rules: Rules | Mapping[str, Any] | None = None,
        scenario: str | None = None,
        diversity: float | None = None,
        strategy: str | None = None,
        similarity: Similarity | None = None,
        seed: int | None = None,
        times: Sequence[float] | None = None,
    ) -> Ranked:
        """What comes next for a user, or after some items, of which nothing is kept.

        Args:
            user_id: a user; one never heard of gets the answer of the initial state.
            items: or item ids, oldest first.
            k: length of the list.
            timestamp: when it is asked, in Unix seconds. None: for a user the present, for items not known.
            exclude: in place of the bundle's.
            rules: what the list must and should look like; as they stand in a request.
            scenario: the name of a set of rules, which hold as well.
            diversity: from 0 (the best scores) to 1: how much less of the same the list is to be. None: as usual.
            strategy: by which, see `segue.ranking.diversity`; None: the usual one, or `mmr`.
            similarity: by what items are alike; None: as usual, or `auto`.
            seed: of a strategy that draws; None: another one after each event.
            times: of `items`, in Unix seconds, none before the one before it; None: they are taken as one session.

        Raises:
            RequestError: not exactly one of user and items, or a value that cannot be meant.
        """
        given = None if rules is None else rules_of(rules)
        ask = Ask(
            k,
            timestamp,
            exclude,
            rules=self.applied(given, scenario, k),
            diverse=self.diverse(Wish(diversity, strategy, similarity, seed)),
        )
        task = question_of(user_id, items, ask, times=times)
        self.submit([task])
        ranked = task.result.result().ranked
        assert ranked is not None
        return ranked

    def applied(self, rules: Rules | None, scenario: str | None, k: int) -> Applied | None:
        """The rules of a request for k items and of its scenario, for an `Ask`. Raises RequestError."""
        if rules is None and scenario is None:
            return None
        bundle, scenarios = self.bundle, self.scenarios
        if scenario is None:
            return applied(bundle, rules, k)
        return applied(bundle, rules, k, scenarios.named(scenario), scenarios.bound(scenario, bundle))

    def diverse(self, wish: Wish) -> Diverse | None:
        """How a list is to be less of the same, for an `Ask`. Raises RequestError."""
        return diverse_of(self.bundle, wish, self.usual)

    def submit(self, tasks: Sequence[Task]) -> None:
        """Give tasks to their shards; their `result` is settled once what they say is stored.

        Raises:
            OverloadedError: too much waits in one of them; no task was taken by any.
        """
        by_shard: dict[int, list[Task]] = {}
        for task in tasks:
            # a list after items needs no store: whichever has least to do
            number = self._least() if task.user_id is None else shard_of(task.user_id, len(self.shards))
            by_shard.setdefault(number, []).append(task)
        if self._workers:
            if len(by_shard) == 1:
                ((number, part),) = by_shard.items()
                self._workers[number].submit(part)
                return
            with ExitStack() as held:
                for number in sorted(by_shard):  # always in this order, so that no two callers wait for each other
                    held.enter_context(self._workers[number].changed)
                for number, part in by_shard.items():
                    self._workers[number].check_room(part)
                for number, part in by_shard.items():
                    self._workers[number].put(part)
            return
        with self._turn:
            for number, part in by_shard.items():
                settle(self.shards[number], part)

    def swap(self, bundle: Bundle) -> None:
        """Serve another model from the next turn on: each turn is one model's from its first event to its last list.

        States of the one before are folded anew when their users come, and by `Upkeep`; those of one with the same core
        are taken as they are.
        """
        after = bundle.ordered_by(self.policy.order)
        warm(after)
        self.scenarios.warm(after)
        if self.bundle.titles.made:  # somebody looks around: nobody shall wait for that
            after.titles.folded()
        try:
            check_usual(after, self.usual)
        except RequestError as error:
            _log.warning("lists of version %s are as ranked where a request does not say: %s", after.version, error)
        same = after.memory_version == self.bundle.memory_version
        self.bundle, self.refused, self.warm = after, None, self.warm if same else 0.0

    @property
    def waiting(self) -> int:
        """How many tasks wait for a shard."""
        return sum(worker.waiting for worker in self._workers)

    def forget(self, user_id: str) -> Future[int]:
        """Delete a user's events and state; how many events there were."""
        check_id(user_id, "user_id")
        return self.between_turns(shard_of(user_id, len(self.shards)), lambda shard: shard.forget(user_id))

    def about(self, user_id: str) -> Future[About]:
        """What is known of a user. Raises RequestError for an id that cannot be one."""
        check_id(user_id, "user_id")
        return self.between_turns(shard_of(user_id, len(self.shards)), lambda shard: shard.about(user_id))

    def between_turns(self, number: int, work: Callable[[Shard], Result]) -> Future[Result]:
        """Have something done with a shard while nothing else is. What is cancelled before its turn is not done.

        Raises:
            OverloadedError: too much waits.
            StoreError: the engine is closed.
        """
        done: Future[Result] = Future()

        def chore() -> None:
            if not done.set_running_or_notify_cancel():
                return
            try:
                done.set_result(work(self.shards[number]))
            except BaseException as error:
                done.set_exception(error)

        if self._workers:
            self._workers[number].chore(chore)
        else:
            with self._turn:
                chore()
        return done

    def close(self) -> None:
        """Finish what was begun and close the stores."""
        for worker in self._workers:
            worker.close()
        with self._turn:
            self._home.close()

    def _least(self) -> int:
        return min(range(len(self._workers)), key=lambda number: self._workers[number].waiting) if self._workers else 0
