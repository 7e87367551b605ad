"""Where requests go, and their bytes."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from segue.errors import ConfigError, SegueError


@dataclass(frozen=True)
class Target:
    """A server.

    Attributes:
        url: as it was given.
        host, port, secure: where it listens.
        head: what every request begins with after its first line.
        prefix: of every path.
    """

    url: str
    host: str
    port: int
    secure: bool
    head: bytes
    prefix: str = ""

    @classmethod
    def of(cls, url: str, key: str | None = None) -> Target:
        """A server by its address. Raises ConfigError for what is none.

        Args:
            key: of its API, if it wants one.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"{url!r} is no address of a server ({error}); expected http://host:port") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ConfigError(f"{url!r} is no address of a server; expected one such as http://127.0.0.1:8000")
        if key is not None and not (key.isascii() and key.isprintable()):
            raise ConfigError(
                "the key of the API holds characters that no header takes; expected what `segue key` printed"
            )
        secure = parts.scheme == "https"
        lines = [f"host: {parts.netloc.rpartition('@')[2]}", "content-type: application/json"]
        lines += [] if key is None else [f"authorization: Bearer {key}"]
        head = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
        return cls(url, parts.hostname, port or (443 if secure else 80), secure, head, parts.path.rstrip("/"))

    def before(self, path: str, method: str = "POST") -> bytes:
        """A request up to the length of its body."""
        return f"{method} {self.prefix}{path} HTTP/1.1\r\n".encode("latin-1") + self.head + b"content-length: "

    async def connect(self, protocol: Callable[[], Any]) -> Any:
        """A connection, as its protocol. Raises OSError."""
        loop = asyncio.get_running_loop()
        kind = ssl.create_default_context() if self.secure else None
        transport, made = await loop.create_connection(protocol, self.host, self.port, ssl=kind)
        found = transport.get_extra_info("socket")
        if found is not None:
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def silent(self, error: OSError) -> SegueError:
        """The error for a server that cannot be reached."""
        return SegueError(
            f"{self.url} does not answer ({error.strerror or error}); expected a running `segue serve` there"
        )


def request(before: bytes, body: bytes) -> bytes:
    """The bytes of a request, see `Target.before`."""
    return b"%b%d\r\n\r\n%b" % (before, len(body), body)
