"""A server of our own, for as long as it is needed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from segue.errors import SegueError

GREETING = " on http"
START_SECONDS, STOP_SECONDS = 120.0, 30.0


@contextmanager
def served(model: Path, store: Path, options: Sequence[str] = ()) -> Iterator[tuple[str, int]]:
    """Run `segue serve` on a free port of this machine, and stop it in the end, if this process gets SIGTERM too.

    Args:
        options: further ones.

    Yields:
        Its address and its process id.

    Raises:
        SegueError: it ended, or did not say that it is ready.
    """
    written = store.with_name(f"{store.name}.stderr")
    command = [sys.executable, "-m", "segue", "serve", str(model), "--port", "0", "--store", str(store), *options]
    with unwinding():
        with open(written, "wb") as stderr:
            server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, start_new_session=True)
        try:
            yield address_of(server, written), server.pid
        finally:
            server.terminate()
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@contextmanager
def unwinding() -> Iterator[None]:
    """SIGTERM ends what is inside as an exception does, where nobody else handles it: nothing is left behind."""
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, ended)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def ended(number: int, _: FrameType | None) -> NoReturn:
    """Leave, with the status that a shell gives to one whom a signal ended."""
    raise SystemExit(128 + number)


def address_of(server: subprocess.Popen[bytes], written: Path) -> str:
    """The address that a server says once it is ready. Raises SegueError where it does not."""
    until = time.monotonic() + START_SECONDS
    while True:
        ended = server.poll() is not None
        text = written.read_text("utf-8", "replace")
        for line in text.splitlines(keepends=True):
            if GREETING in line and line.endswith("\n"):
                return line.split()[-1]
        if ended or time.monotonic() > until:
            what = f"ended with {server.returncode}" if ended else f"was not ready after {START_SECONDS:g} s"
            raise SegueError(f"the server {what}; it said:\n{text[-2000:]}")
        time.sleep(0.02)
