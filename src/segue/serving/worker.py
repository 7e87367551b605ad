"""The thread of a shard: one queue, one worker, so that the events of a user have one order and nothing is locked."""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from threading import Condition, Thread
from typing import Any

from segue.errors import OverloadedError, StoreError
from segue.serving.settling import settle
from segue.serving.shard import Shard
from segue.serving.task import Task

MOST_TOGETHER = 64
"""So many waiting tasks are taken in one turn."""

MOST_STEPS = 2_000
"""So many events and given items, or the first task's, are stepped in one turn, and short tasks beside them."""

MOST_STEPS_OF_A_USER = 64
"""So many of one user, or its first task's: what more it sent waits, and others pass. Tasks up to this are short."""

WAITING = 2048
"""So many tasks may wait for a shard; one more is refused. A call for several users is one for each."""

WAITING_SECONDS = 1.5
"""Those who wait are to be answered within this, as fast as the last turns went: a slower machine lets fewer wait."""

WAITING_AT_LEAST = 4 * MOST_TOGETHER
"""So many may wait in any case: how fast many are done together is not known before some were."""

FADING = 0.8
"""What is left after a turn of the weight of those before it in the seconds that a task takes."""

CLOSED = "the store is closed: the server is stopping"

CHORES = 64
"""So many chores may wait."""

WAITING_OF_A_USER = 128
"""So many tasks of one user may wait: a burst of one must not fill the queue of all."""

_log = logging.getLogger("segue.serving")


class Worker:
    """Takes what waits, at once and without a pause, and settles it.

    Args:
        name: of the thread.
    """

    def __init__(self, shard: Shard, name: str, waiting: int = WAITING, of_a_user: int = WAITING_OF_A_USER) -> None:
        self.shard = shard
        self._waiting, self._of_a_user = waiting, of_a_user
        self._queue: deque[Task] = deque()
        self._chores: deque[Callable[[], Any]] = deque()
        self._users: Counter[str] = Counter()
        self._anonymous = 0
        self._took = self._tasks = 0.0  # of the last turns, older ones fading
        self.changed = Condition()
        self._closing = False
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many tasks wait."""
        return len(self._queue)

    def submit(self, tasks: Sequence[Task]) -> None:
        """Put tasks at the end of the queue, all or none.

        Raises:
            OverloadedError: there is no room, or the user has too many waiting.
            StoreError: the shard is closed.
        """
        with self.changed:
            self.check_room(tasks)
            self.put(tasks)

    def put(self, tasks: Sequence[Task]) -> None:
        """Put tasks at the end of the queue. For one who holds `changed` and has checked that there is room."""
        for task in tasks:
            if task.user_id is None:
                self._anonymous += 1
            else:
                self._users[task.user_id] += 1
        self._queue.extend(tasks)
        self.changed.notify()

    def check_room(self, tasks: Sequence[Task]) -> None:
        """Raise what `submit` would. For one who holds `changed`."""
        if self._closing:
            raise StoreError(CLOSED)
        # by those who wait already: one call may be for more than that; and the burst of one of them is passed
        ahead = len(self._users) + self._anonymous
        slow = ahead > WAITING_AT_LEAST and ahead * self._took > WAITING_SECONDS * self._tasks
        if slow or len(self._queue) + len(tasks) > self._waiting:
            raise OverloadedError(f"{len(self._queue):,} requests wait already: come back later")
        users = [task.user_id for task in tasks if task.user_id is not None]
        for user_id, more in [(users[0], 1)] if len(users) == 1 else Counter(users).items():
            if self._users[user_id] + more > self._of_a_user:
                raise OverloadedError(f"{self._users[user_id]:,} requests of this user wait already: come back later")

    def chore(self, work: Callable[[], Any]) -> None:
        """Have something done between two turns, by the thread that alone may touch the store."""
        with self.changed:
            if self._closing:
                raise StoreError(CLOSED)
            if len(self._chores) >= CHORES:
                raise OverloadedError(f"{len(self._chores):,} requests of this kind wait already: come back later")
            self._chores.append(work)
            self.changed.notify()

    def _taken(self) -> list[Task]:
        """What is taken in this turn, out of the queue. What would make it long is passed by those behind it."""
        tasks: list[Task] = []
        passed: list[Task] = []
        of_users: dict[str | None, int] = {}
        held: set[str] = set()
        steps = 0
        while self._queue and len(tasks) < MOST_TOGETHER:
            task = self._queue.popleft()
            user_id, more = task.user_id, steps_of(task)
            bursts = user_id in of_users and of_users[user_id] + more > MOST_STEPS_OF_A_USER
            too_long = tasks and more > MOST_STEPS_OF_A_USER and steps + more > MOST_STEPS
            if user_id in held or bursts or too_long:
                passed.append(task)
                if user_id is not None:
                    held.add(user_id)  # all that it sent later waits, too: its order is kept
                continue
            tasks.append(task)
            steps += more
            if user_id is not None:
                of_users[user_id] = of_users.get(user_id, 0) + more
        self._queue.extendleft(reversed(passed))
        return tasks

    def _let_go(self, tasks: Sequence[Task]) -> None:
        """Count tasks as waiting no more. Only their users are looked at: a full queue has very many."""
        for task in tasks:
            if task.user_id is None:
                self._anonymous -= 1
                continue
            self._users[task.user_id] -= 1
            if not self._users[task.user_id]:
                del self._users[task.user_id]

    def close(self) -> None:
        """Finish what waits, and end the thread. The store stays open: it is its maker's to close."""
        with self.changed:
            self._closing = True
            self.changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self.changed:
                while not (self._queue or self._chores or self._closing):
                    self.changed.wait()
                if not (self._queue or self._chores):
                    return
                tasks = self._taken()
                chore = self._chores.popleft() if self._chores else None
                self._let_go(tasks)
            wanted = [task for task in tasks if task.result.set_running_or_notify_cancel()]
            if wanted:
                begun = time.perf_counter()
                try:
                    settle(self.shard, wanted)
                except (
                    BaseException
                ) as error:  # a SystemExit would end the thread, and nobody would be answered any more
                    _log.critical("a turn of a shard failed", exc_info=error)
                    for task in wanted:
                        if not task.result.done():
                            task.result.set_exception(StoreError(f"a turn failed: {type(error).__name__}"))
                self._took = FADING * self._took + time.perf_counter() - begun
                self._tasks = FADING * self._tasks + len(wanted)
            if chore is not None:
                try:
                    chore()
                except Exception:
                    _log.exception("a chore of a shard failed")


def steps_of(task: Task) -> int:
    """How many steps a task takes."""
    return len(task.events) + len(task.items)
