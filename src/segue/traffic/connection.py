"""One keep-alive connection: a request, its answer, the next request. The parser is C; nothing is copied."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httptools

Answered = Callable[[int, bytes], None]
"""Told of an answer: its status and body; status 0 where there was none."""


class Connection(asyncio.Protocol):
    """A connection that asks one thing at a time.

    Args:
        freed: told when the next request may be sent.
        lost: told when it has ended, after the request in hand was told so.
    """

    def __init__(self, freed: Callable[[Connection], None], lost: Callable[[Connection], None]) -> None:
        self._freed, self._lost = freed, lost
        self._transport: Any = None
        self._parser: Any = None
        self._told: Answered | None = None
        self._chunks: list[bytes] = []

    def ask(self, request: bytes, told: Answered) -> None:
        """Send a request. The connection must be free."""
        self._told = told
        self._transport.write(request)

    def close(self) -> None:
        """End it, at once. A request in hand is told that there is no answer."""
        if self._transport is not None:
            self._transport.abort()

    # what the event loop calls

    def connection_made(self, transport: Any) -> None:
        """It is open."""
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        """More of an answer."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        """It has ended."""
        told, self._told = self._told, None
        if told is not None:
            told(0, b"")
        self._lost(self)

    # what the parser calls

    def on_body(self, body: bytes) -> None:
        """More of a body."""
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        """An answer is whole."""
        told, self._told = self._told, None
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks = []
        status, kept = self._parser.get_status_code(), self._parser.should_keep_alive()
        if told is not None:
            told(status, body)
        if kept and told is not None:
            self._freed(self)
        else:
            self.close()
