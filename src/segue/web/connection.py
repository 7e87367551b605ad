"""A client's connection: HTTP as uvicorn and httptools read it, with bounds on what these take without end."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from segue.web.messages import MAX_BODY_BYTES, ErrorAnswer, ErrorDetail
from segue.web.whole import Whole

MAX_HEAD_BYTES = 2**16
"""So long may the line and the headers of a request be, and what was read with them."""

MAX_REQUEST_BYTES = 16 * MAX_BODY_BYTES
"""What goes on sending after its body was refused is cut off here."""

REQUEST_SECONDS = 30.0
"""A request that takes longer to arrive is not waited for, nor one who does not fetch the answers."""

MOST_PIPELINED = 1000
"""So many requests may be sent ahead of their answers."""

_SWITCH = (b"upgrade", b"http2-settings")

_log = logging.getLogger("segue.web")


class Connection(HttpToolsProtocol):
    """One connection, which ends where it is held open for nothing.

    An offer to switch to another protocol, such as Java's client makes with its first request, is not taken up: the
    request is read as if it were not there. (httptools alone would drop its body, and all that follows.)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head, self._switching = True, False
        self._size = 0
        self._late: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._last_words: bytes | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request."""
        super().connection_made(transport)
        opened = transport.get_extra_info("socket")
        if opened is not None and opened.family in (socket.AF_INET, socket.AF_INET6):
            # uvloop does that, asyncio not where a socket was handed to it: an answer in two writes would wait 40 ms
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._late = self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        super().connection_lost(exc)
        for timer in (self._late, self._stuck, self._ending):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Read on. Data alone keep no connection open, as they do in uvicorn: a request does."""
        if self._last_words is not None:
            return
        self._size += len(data)
        left = memoryview(data)
        try:
            while left and len(self.pipeline) <= MOST_PIPELINED:
                left = self._read(left)
        except httptools.HttpParserError:
            self.send_400_response("this is no HTTP request that can be read")
        if self.transport.is_closing() or self._last_words is not None:
            return
        if self._in_head and self._size > MAX_HEAD_BYTES:
            self._refuse(431, "large_head", f"the headers have more than {MAX_HEAD_BYTES} bytes; send fewer")
        elif self._size > MAX_REQUEST_BYTES or len(self.pipeline) > MOST_PIPELINED:
            self._end()

    def on_message_begin(self) -> None:
        """A request begins to arrive."""
        super().on_message_begin()
        self._unset_keepalive_if_required()
        self._size = 0
        if self._late is not None:
            self._late.cancel()
        self._late = self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; those after the body say nothing here."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Have the request worked on."""
        self._switching = self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"
        if self._switching:
            return
        self._in_head = False
        self._unset_keepalive_if_required()
        super().on_headers_complete()
        self._answer_whole()
        if self.parser.get_method() == b"CONNECT":
            self.cycle.keep_alive = False

    def _answer_whole(self) -> None:
        """Have the answer to the request at hand sent by few calls."""
        whole = Whole(self.transport)

        def complete() -> None:
            whole.flush()
            self.on_response_complete()

        self.cycle.transport = whole  # type: ignore[assignment]
        self.cycle.on_response = complete

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._switching:
            return
        self._in_head = True
        self._size = 0
        if self._late is not None:
            self._late.cancel()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not fetch its answers."""
        super().pause_writing()
        self._stuck = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()

    def on_response_complete(self) -> None:
        """An answer was given."""
        last = not self.pipeline
        super().on_response_complete()
        if self.transport.is_closing() or (last and self._last_words is not None):
            self._end()

    def timeout_keep_alive_handler(self) -> None:
        """No further request came."""
        self._end()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request, and end."""
        self._refuse(400, "malformed_http", msg)

    def _read(self, data: memoryview) -> memoryview:
        """Have it parsed; what comes after the head of a request that offers to switch is left."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as switch:
            if self._switching:
                self._stay()
                return data[switch.args[0] :]
        return data[:0]

    def _stay(self) -> None:
        """Read the head at hand anew, without its offer to switch."""
        head = [self.parser.get_method(), b" ", self.url, b" HTTP/", self.parser.get_http_version().encode(), b"\r\n"]
        for name, value in self.headers:
            if name == b"connection":
                value = b", ".join(one for one in value.split(b",") if one.strip().lower() not in _SWITCH)
            if name not in _SWITCH:
                head += [name, b": ", value, b"\r\n"]
        self._switching = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        self.parser.feed_data(b"".join([*head, b"\r\n"]))

    def _give_up(self) -> None:
        """End a connection whose request does not come."""
        if self.transport.is_closing() or self._last_words is not None:
            return
        if self._size and self._in_head:
            self._refuse(408, "slow_request", f"the request had not come after {REQUEST_SECONDS:g} s")
        else:
            self._end()

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer without asking the routes, once the requests before are answered, and end."""
        _log.warning("a connection was ended with %d: %s", status, message)
        body = msgspec.json.encode(ErrorAnswer(ErrorDetail(code, message)))
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self._last_words = STATUS_LINE[status] + head + body
        whole = self._in_head  # else the last request is the one that is refused
        if not whole and self.pipeline:
            self.pipeline.popleft()
            whole = True
        if not whole or self.cycle is None or self.cycle.response_complete:
            self._end()

    def _end(self) -> None:
        """Close. What is written by then is not waited for without end."""
        if self._last_words and not self.transport.is_closing():
            self.transport.write(self._last_words)
        self.transport.close()
        if self._ending is None:
            self._ending = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)
