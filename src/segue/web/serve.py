"""Run the application until it is told to stop."""

from __future__ import annotations

import socket
import sys
from types import FrameType

import uvicorn

from segue.errors import SegueError
from segue.serving.engine import Engine
from segue.web.app import create_app

DRAIN_SECONDS = 10


class _Server(uvicorn.Server):
    """uvicorn that says when it accepts, and returns after a signal."""

    def __init__(self, config: uvicorn.Config, greeting: str) -> None:
        super().__init__(config)
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self._greeting, file=sys.stderr, flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # uvicorn would raise the signal again at its end, and kill us before the store is closed
        self.force_exit = self.should_exit
        self.should_exit = True


def serve(engine: Engine, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until SIGTERM or SIGINT, finish the requests in hand, and close the engine.

    Args:
        engine: closed when this returns or raises.
        host: a name or address of this machine.
        port: 0: any free one; it is named on stderr.

    Raises:
        SegueError: the port is in use, or the host is not one of this machine.
    """
    try:
        with listening(host, port) as listener:
            shown = f"[{host}]" if ":" in host else host
            greeting = f"segue serves {engine.bundle.name} on http://{shown}:{listener.getsockname()[1]}"
            config = uvicorn.Config(
                create_app(engine),
                log_config=None,
                access_log=False,
                ws="none",
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
            _Server(config, greeting).run(sockets=[listener])
    finally:
        engine.close()


def listening(host: str, port: int) -> socket.socket:
    """A socket bound to an address. Raises SegueError where that cannot be."""
    if not 0 <= port <= 65535:
        raise SegueError(f"there is no port {port}; expected 1 to 65535, or 0 for any free one")
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise SegueError(
            f"cannot listen on {host} port {port} ({error.strerror or error}); "
            "stop what uses it, or choose another host or port (0: any free one)"
        ) from error
