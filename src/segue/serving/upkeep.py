"""What is done beside the requests: states of an older model are folded anew, old events are forgotten."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from segue.errors import SegueError
from segue.serving.engine import Engine
from segue.serving.recurring import Recurring
from segue.serving.shard import Shard

TOGETHER = 50
"""So many states are folded anew, or users trimmed, between two turns."""

SHARE = 0.2
"""The part of a shard's time that it may take."""

SECONDS = 1.0
"""How often it looks whether there is something to do."""

RECOUNT = 5.0
"""Seconds after which the states that are folded anew are counted again."""

MINUTE = 60.0
"""Seconds after which all states are counted again."""

DAY = 86_400.0

_log = logging.getLogger("segue.serving")


class Upkeep(Recurring):
    """A thread that has small pieces of work done by the shards, and leaves them most of their time.

    Args:
        keep: seconds after which an event is forgotten; None: never.
        clock: the present in Unix seconds.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        keep: float | None = None,
        clock: Callable[[], float] = time.time,
        seconds: float = SECONDS,
    ) -> None:
        super().__init__("upkeep", seconds)
        self._engine, self._keep, self._clock = engine, keep, clock
        self._trimmed, self._when, self._counted = -DAY, 0.0, ""
        self.start()

    def look(self) -> None:
        """Do all that there is to do."""
        for job in (self.forget_old, self.count_warm, self.renew_all, self.count_warm):
            try:
                job()
            except SegueError as error:
                if not self.ending.is_set():
                    _log.warning("upkeep waits: %s", error)
            except Exception:  # one that ends would leave old events for ever
                _log.exception("upkeep failed, and tries again")

    def count_warm(self) -> None:
        """Count the states, and which part of them the model that serves has made."""
        known = self._engine.warm == 1 and self._counted == self._engine.bundle.memory_version
        if known and time.monotonic() - self._when < MINUTE:
            return
        version = self._engine.bundle.memory_version
        counts = [shard.store.versions() for shard in self._engine.shards]
        states = sum(sum(one.values()) for one in counts)
        self._engine.warm = sum(one.get(version, 0) for one in counts) / states if states else 1.0
        self._engine.states = states
        self._counted, self._when = version, time.monotonic()

    def renew_all(self) -> None:
        """Fold anew what another model made, in all shards."""
        for number in range(len(self._engine.shards)):
            self.renew(number)

    def forget_old(self) -> None:
        """Forget what is older than is kept, once a day."""
        if self._keep is None or time.monotonic() - self._trimmed <= DAY:
            return
        before = self._clock() - self._keep
        gone = sum(self.trim(number, before) for number in range(len(self._engine.shards)))
        self._trimmed = time.monotonic()
        _log.info("%d events were older than is kept, and are forgotten", gone)

    def renew(self, number: int) -> None:
        """Fold all states of a shard anew that another model made."""
        version = self._engine.bundle.memory_version

        def piece(shard: Shard) -> int:
            stale = shard.store.stale(version, TOGETHER)
            return shard.renew(stale)

        while not self.ending.is_set() and self._engine.bundle.memory_version == version:
            if not self.gently(number, piece):
                break
            if time.monotonic() - self._when > RECOUNT:
                self.count_warm()

    def trim(self, number: int, before: float) -> int:
        """Forget events before a time; how many these were."""
        gone, after = 0, None
        users: list[str] = []

        def piece(shard: Shard) -> int:
            nonlocal users
            users = shard.store.users(after, TOGETHER)
            return shard.trim(before, users)

        while not self.ending.is_set():
            gone += self.gently(number, piece)
            if not users:
                break
            after = users[-1]
        return gone

    def gently(self, number: int, piece: Callable[[Shard], int]) -> int:
        """A piece of work, and a pause."""
        took = 0.0

        def timed(shard: Shard) -> int:
            nonlocal took
            begun = time.perf_counter()
            result = piece(shard)
            took = time.perf_counter() - begun
            return result

        result = self._engine.between_turns(number, timed).result()
        self.ending.wait(took * (1 / SHARE - 1))
        return result
