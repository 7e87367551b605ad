"""The end of a connection whose client does not fetch what was written: it is not waited for without end."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from segue.web import connection
from segue.web.connection import Connection

LONG = b"x" * 50_000
"""More than the sockets take, less than what makes asyncio call it stuck."""

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SENT = {
    "idle": GET,
    "an end that was asked for": GET.replace(b"Host", b"Connection: close\r\nHost"),
    "garbage": GET + b"garbage\r\n\r\n",
    "a head that stops": GET + GET[:-2],
    "a tunnel": GET.replace(b"GET", b"CONNECT"),
}


async def long(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers at length."""
    head = [(b"content-length", b"%d" % len(LONG))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": LONG})


class Watched(Connection):
    """Tells when it is lost."""

    lost: asyncio.Event

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lost.set()


def test_small_answers_are_sent_at_once() -> None:
    """On asyncio's own loop and a socket of ours, as `serve` has them where uvloop is not installed."""
    config = uvicorn.Config(long, http=Connection, ws="none", lifespan="off", log_config=None)
    config.load()
    options: list[int] = []

    class Looked(Connection):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            opened = transport.get_extra_info("socket")
            options.append(opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    async def answered() -> None:
        loop, state = asyncio.SelectorEventLoop, ServerState()
        assert isinstance(asyncio.get_running_loop(), loop)
        listener = socket.create_server(("127.0.0.1", 0))
        server = await asyncio.get_running_loop().create_server(lambda: Looked(config, state, {}), sock=listener)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(GET)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()
        server.close()

    asyncio.run(answered())
    assert len(options) == 1
    assert options[0] != 0


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_one_who_does_not_fetch_the_last_answer_is_not_waited_for(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.2)
    config = uvicorn.Config(long, http=Watched, ws="none", lifespan="off", log_config=None, timeout_keep_alive=0)
    config.load()

    async def held() -> None:
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        state = ServerState()
        Watched.lost = asyncio.Event()
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: Watched(config, state, {}), ours)
        with theirs:
            theirs.setblocking(False)
            await loop.sock_sendall(theirs, sent)
            await asyncio.wait_for(Watched.lost.wait(), 10)
            assert state.total_requests == 1
            taken = b""
            while data := await loop.sock_recv(theirs, 2**16):
                taken += data
        assert 0 < len(taken) < len(LONG), "it was held by what was not fetched"

    asyncio.run(held())
