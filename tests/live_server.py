"""A server in a process of its own, for tests that need its sockets, its signals or its limits."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent

FADING = """
from serving_models import engine_of
from segue.web.logs import set_up
from segue.web.serve import serve

set_up()
serve(engine_of(threads=True), port=0)
"""

STORED = FADING.replace("threads=True", "StoreFolder(sys.argv[1]), threads=True").replace(
    "from serving_models", "import sys\nfrom segue.serving.store.folder import StoreFolder\nfrom serving_models"
)
"""Keeps its events in the folder that it is given."""


class Live(NamedTuple):
    """A server that answers at an address, and what it writes to stderr."""

    process: subprocess.Popen[bytes]
    port: int
    stderr: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        return self.stderr.read_text("utf-8")


@contextmanager
def live_server(folder: Path, program: str = FADING, *args: str, before: Sequence[str] = ()) -> Iterator[Live]:
    """Run a program that serves on port 0 and prints where; it is ended by SIGTERM, and must end well.

    Args:
        folder: what it writes to stderr goes here.
        before: a command that becomes the server in the end.
    """
    stderr = folder / "stderr"
    paths = os.pathsep.join([str(HERE.parent / "src"), str(HERE)])
    with stderr.open("wb") as out:
        process = subprocess.Popen(
            [*before, sys.executable, "-c", program, *args],
            stderr=out,
            env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
    try:
        yield Live(process, port_of(process, stderr), stderr)
        process.terminate()
        assert process.wait(60) == 0, stderr.read_text("utf-8")
    finally:
        process.kill()
        process.wait(60)


def port_of(process: subprocess.Popen[bytes], stderr: Path) -> int:
    """The port of a server, once it has said it."""
    for _ in range(6000):
        for line in stderr.read_text("utf-8").splitlines(keepends=True):
            if line.startswith("segue serves") and line.endswith("\n"):
                return int(line.rsplit(":", 1)[1])
        assert process.poll() is None, stderr.read_text("utf-8")
        time.sleep(0.01)
    raise AssertionError("the server did not begin in a minute")
