"""A load on a server, in an open loop: a request goes out when its time has come, whatever became of the others.

Latency counts from that time, not from when the request could be sent: one that had to wait for a connection because
the server was slow has waited (no coordinated omission).
"""

from __future__ import annotations

import asyncio
import signal
import time
from array import array
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from segue.traffic.plan import Plan, planned
from segue.traffic.pool import Pool
from segue.traffic.target import Target

NO_ANSWER, NOT_SENT = 0, 1
"""Stand where a status does: the connection broke or time was up; too many waited already, and it was left out."""

WARM = 8
"""So many connections are open before the first request."""

TICK = 0.001
"""Seconds: no sleep is shorter, or the event loop would turn round and round instead."""

GLANCE = 0.2
"""Seconds: no sleep is longer, so that an end is noticed however far the next request is."""

TOGETHER = 32
"""So many sends that are due already go out before answers are read."""


class Bounds(NamedTuple):
    """What a load may take.

    Attributes:
        connections: at a time.
        most_waiting: requests that wait for a connection; one more is not sent, and counted.
        timeout: seconds to wait for answers after the last request was due.
    """

    connections: int = 1000
    most_waiting: int = 20_000
    timeout: float = 15.0


class Record:
    """What became of each request, in the order of the answers.

    Attributes:
        due: seconds after the start when it was to be sent.
        status: of the answer, or `NO_ANSWER` or `NOT_SENT`.
        latency: seconds from due to answered.
        lateness: for those that were sent or queued, seconds from due until this client came to it; in the order sent.
        seconds: of the whole run.
        cpu_seconds: of this process.
        connections: at the end.
        ended: why it ended early, in words; None where it did not.
    """

    def __init__(self) -> None:
        self.due, self.latency, self.lateness = array("d"), array("d"), array("d")
        self.status = array("H")
        self.seconds = self.cpu_seconds = 0.0
        self.connections = 0
        self.ended: str | None = None


async def stress(target: Target, plan: Plan, bounds: Bounds) -> Record:
    """Put a load on a server; what became of it. Ctrl-C ends it early.

    Raises:
        SegueError: the server takes no connection at the start.
    """
    pool, record = Pool(target, bounds.connections), Record()
    try:
        await pool.warm(WARM)
    except OSError as error:
        raise target.silent(error) from None
    run = _Run(pool, record, bounds)
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError, ValueError, RuntimeError):  # Windows has none, and only the main thread may
        loop.add_signal_handler(signal.SIGINT, run.stop, "interrupted")
    begun, cpu = time.perf_counter(), time.process_time()
    try:
        await run.send(planned(plan, target))
        await run.drain()
    finally:
        record.seconds, record.cpu_seconds = time.perf_counter() - begun, time.process_time() - cpu
        record.connections = pool.used
        with suppress(NotImplementedError, ValueError, RuntimeError):
            loop.remove_signal_handler(signal.SIGINT)
        await pool.close()
    return record


class _Run:
    """One load while it goes on."""

    def __init__(self, pool: Pool, record: Record, bounds: Bounds) -> None:
        self.pool, self.record, self.bounds = pool, record, bounds
        self.open = 0
        self.begun = time.perf_counter()

    def stop(self, why: str) -> None:
        """End it early."""
        self.record.ended = self.record.ended or why

    async def send(self, requests: Iterator[tuple[float, bytes]]) -> None:
        """Send each request when it is due."""
        self.begun = time.perf_counter()
        for number, (due, request) in enumerate(requests):
            if not number % TOGETHER:
                await asyncio.sleep(0)
            while (early := due - (time.perf_counter() - self.begun)) > 0 and not self.over():
                await asyncio.sleep(min(max(early, TICK), GLANCE))
            if self.over():
                return
            if len(self.pool.waiting) >= self.bounds.most_waiting:
                self.note(due, NOT_SENT)
                continue
            self.record.lateness.append(-early)
            self.open += 1
            self.pool.ask(request, lambda status, _, due=due: self.answered(due, status))  # type: ignore[misc]

    async def drain(self) -> None:
        """Wait for the answers that are still to come."""
        until = time.perf_counter() + self.bounds.timeout
        while self.open and not self.over() and time.perf_counter() < until:
            await asyncio.sleep(0.005)

    def over(self) -> bool:
        """Whether it ends early, for whatever reason."""
        if self.pool.gone is not None:
            self.stop(f"the server has gone ({self.pool.gone.strerror or self.pool.gone})")
        return self.record.ended is not None

    def answered(self, due: float, status: int) -> None:
        """An answer came, or will not come."""
        self.open -= 1
        self.note(due, status)

    def note(self, due: float, status: int) -> None:
        """What became of a request."""
        record = self.record
        record.due.append(due)
        record.status.append(status)
        record.latency.append(time.perf_counter() - self.begun - due)
