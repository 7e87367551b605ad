"""As many connections as are needed at a time, up to a bound; what finds none free waits in order."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from segue.traffic.connection import Answered, Connection
from segue.traffic.target import Target

OPENING = 32
"""So many connections are opened at a time: more than a server accepts at once are refused or wait a second."""

TICK = 0.001

GONE_SECONDS = 1.0
"""A server that took no connection for so long, and has none open, has gone."""


class Pool:
    """Connections to one server. The one used last is used next, so that few are busy and the others idle.

    Args:
        most: connections at a time.

    Attributes:
        waiting: requests that found no free connection, with those who are told.
        refused: connections that the server did not take.
        gone: the server takes no connections any more, and why.
    """

    def __init__(self, target: Target, most: int) -> None:
        self._target, self._most = target, most
        self._free: list[Connection] = []
        self._open: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._failing_since: float | None = None
        self.waiting: deque[tuple[bytes, Answered]] = deque()
        self.refused = 0
        self.gone: OSError | None = None

    async def warm(self, connections: int) -> None:
        """Open some connections. Raises OSError where the server takes none."""
        for _ in range(min(connections, self._most)):
            self._freed(await self._connected())

    def ask(self, request: bytes, told: Answered) -> None:
        """Send a request now, or as soon as a connection is free."""
        if self._free:
            self._free.pop().ask(request, told)
            return
        self.waiting.append((request, told))
        self._open_more()

    async def close(self) -> None:
        """End all connections, and tell those who still wait that there is no answer."""
        self.gone = self.gone or ConnectionAbortedError("closed")
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        while self.waiting:
            self.waiting.popleft()[1](0, b"")
        for connection in list(self._open):
            connection.close()
        while self._open:
            await asyncio.sleep(TICK)

    @property
    def used(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def _open_more(self) -> None:
        wanted = min(len(self.waiting), OPENING, self._most - len(self._open))
        while self.gone is None and len(self._opening) < wanted:
            task = asyncio.get_running_loop().create_task(self._opened())
            self._opening.add(task)

    async def _opened(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            made = await self._connected()
        except OSError as error:
            self._not_taken(error)
            await asyncio.sleep(0.05)
            self._opening.discard(task)
        else:
            self._opening.discard(task)
            self._freed(made)
        self._open_more()

    async def _connected(self) -> Connection:
        made: Connection = await self._target.connect(lambda: Connection(self._freed, self._lost))
        self._open.add(made)
        return made

    def _not_taken(self, error: OSError) -> None:
        self.refused += 1
        now = time.monotonic()
        self._failing_since = self._failing_since or now
        if now - self._failing_since > GONE_SECONDS and not self._open:
            self.gone = error

    def _freed(self, connection: Connection) -> None:
        self._failing_since = None  # it has just answered, or taken a connection
        if self.waiting:
            connection.ask(*self.waiting.popleft())
        else:
            self._free.append(connection)

    def _lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._free:
            self._free.remove(connection)
        if self.waiting:
            self._open_more()
