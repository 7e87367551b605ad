"""A server in a thread that answers as a test wants: slowly, not at all, or until it dies."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

Answers = Callable[[int], Awaitable[bytes | None]]
"""From the number of a request, from 0, to the bytes of its answer; None: the server dies."""

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"


class MadeUp:
    """A server on a free port.

    Attributes:
        requests: the bodies that came, in order.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._writers: set[asyncio.StreamWriter] = set()
        self.requests: list[bytes] = []
        self.heads: list[bytes] = []
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(60)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._ending = asyncio.Event()
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._ending.wait()
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0.05)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"content-length" in line)
                self.heads.append(head)
                self.requests.append(await reader.readexactly(length))
                answer = await self._answers(len(self.requests) - 1)
                if answer is None:
                    self._ending.set()
                    return
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def close(self) -> None:
        """End it."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(60)


@contextmanager
def made_up(answers: Answers) -> Iterator[MadeUp]:
    server = MadeUp(answers)
    try:
        yield server
    finally:
        server.close()


async def ok(_: int) -> bytes:
    return OK
