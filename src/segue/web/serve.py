"""Run the application until it is told to stop."""

from __future__ import annotations

import gc
import logging
import socket
import sys
from ipaddress import ip_address
from types import FrameType
from typing import NamedTuple

import uvicorn

from segue.errors import SegueError
from segue.serving.engine import Engine
from segue.serving.lists.answer import warm
from segue.web.app import DEADLINE, create_app
from segue.web.connection import Connection
from segue.web.counts import Counts
from segue.web.direct import Direct
from segue.web.guard import Guard
from segue.web.keys import Keys

DRAIN_SECONDS = 10

THRESHOLDS = (5000, 10, 100)
"""New objects before the garbage collector looks at them, and how many looks before one at older ones."""

KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep a connection that nobody uses: it would be closed as they send."""


_log = logging.getLogger("segue.web")


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


class Access(NamedTuple):
    """Who may ask, and what is written of it.

    Attributes:
        keys: without, whoever reaches the server from this machine may ask; pages of strangers in its browsers may not.
        open: listen to other machines, and to whatever name they call this one by, without keys all the same.
        logged: a line in the log for each request.
        deadline: seconds after which a request is given up.
    """

    keys: Keys | None = None
    open: bool = False
    logged: bool = False
    deadline: float = DEADLINE

    @property
    def local(self) -> bool:
        """Whether only this machine may ask."""
        return self.keys is None and not self.open


def serve(engine: Engine, host: str = "127.0.0.1", port: int = 8000, access: Access | None = None) -> None:
    """Serve until SIGTERM or SIGINT, finish the requests in hand, and close the engine.

    Args:
        engine: closed when this returns or raises.
        host: a name or address of this machine.
        port: 0: any free one; it is named on stderr.
        access: by default this machine may ask.

    Raises:
        SegueError: the port is in use; the host is not one of this machine, or other machines could ask without a key.
    """
    rules = access or Access()
    try:
        check_reach(host, rules)
        warm(engine.bundle)
        counts = Counts(engine)
        app = create_app(engine, counts=counts, deadline=rules.deadline)
        direct = Direct(app, engine, rules.deadline)
        with listening(host, port) as listener:
            shown = f"[{host}]" if ":" in host else host
            greeting = f"segue serves {engine.bundle.name} on http://{shown}:{listener.getsockname()[1]}"
            config = uvicorn.Config(
                Guard(direct, keys=rules.keys, counts=counts, logged=rules.logged, local=rules.local),
                log_config=None,
                access_log=False,
                http=Connection,
                ws="none",
                timeout_graceful_shutdown=DRAIN_SECONDS,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                proxy_headers=False,  # nothing here depends on where a request came from
            )
            settle_memory()
            _Server(config, greeting).run(sockets=[listener])
            _log.info("the server was told to stop, and has answered what it had taken")
    finally:
        engine.close()


def settle_memory() -> None:
    """Have the garbage collector pass over the model and the libraries, which stay, and look less often at the rest.

    What requests leave is mostly freed without it; docs/decisions/0014 has what it cost.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


def check_reach(host: str, access: Access) -> None:
    """Raise SegueError where other machines could ask without a key, and nobody said that they may."""
    if not access.local:
        return
    try:
        alone = ip_address(host).is_loopback
    except ValueError:
        alone = host == "localhost"
    if not alone:
        raise SegueError(
            f"{host} may be reached from other machines, and there are no keys: give --keys FILE (`segue key` makes "
            "them), or --open where something else keeps strangers out"
        )


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
