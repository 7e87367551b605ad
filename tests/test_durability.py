"""Between an event's write and its answer the disk is told to keep it: seen from outside, by the system's calls.

That a killed process loses nothing (see `test_crash`) is no proof: what was written lives on in the system's memory.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

SERVER = """
import sys
from serving_models import engine_of
from segue.serving.store.folder import StoreFolder
from segue.web.serve import serve

serve(engine_of(StoreFolder(sys.argv[1], durability=sys.argv[2]), threads=True), port=0)
"""
CALLS = "trace=pwrite64,fdatasync,fsync,write,sendto,sendmsg"
EVENTS = 20


def traced(folder: Path, durability: str) -> list[str]:
    """The calls of a server that takes events one by one: `written`, `synced` or `answered`, in order."""
    trace, here = folder / "trace", Path(__file__).parent
    server = subprocess.Popen(
        ["strace", "-f", "-y", "-qq", "-e", CALLS, "-o", trace, sys.executable, "-c", SERVER, folder / "s", durability],
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": f"{here.parent / 'src'}:{here}"},
    )
    with server:
        assert server.stderr is not None
        address = server.stderr.readline().split()[-1]
        try:
            with httpx.Client(base_url=address) as client:
                for number in range(EVENTS):
                    event = {"user_id": f"u{number % 3}", "item_id": "i1"}
                    assert client.post("/v1/events", json={"events": [event]}).status_code == 200
        finally:
            pid = int(
                subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True).stdout.split()[0]
            )
            subprocess.run(["kill", f"-{signal.SIGTERM.value}", str(pid)], check=True)
            server.communicate(timeout=20)
    calls = []
    for line in trace.read_text("utf-8", "replace").splitlines():
        if re.search(r"pwrite64\(\d+<[^>]*shard-0\.db-wal>", line):
            calls.append("written")
        elif re.search(r"f(data)?sync\(\d+<[^>]*shard-0\.db-wal>", line):
            calls.append("synced")
        elif re.search(r"(write|sendto|sendmsg)\(\d+<(TCP|socket).*HTTP/1.1 200", line):
            calls.append("answered")
    return calls


def before_each_answer(calls: list[str]) -> list[list[str]]:
    """What lies between two answers, and before the first."""
    parts: list[list[str]] = [[]]
    for call in calls[: len(calls) - calls[::-1].index("answered")]:
        if call == "answered":
            parts.append([])
        else:
            parts[-1].append(call)
    return parts[:-1]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize(("durability", "synced"), [("durable", True), ("fast", False)])
def test_the_disk_is_told_between_each_write_and_its_answer(tmp_path: Path, durability: str, synced: bool) -> None:
    parts = before_each_answer(traced(tmp_path, durability))
    assert len(parts) == EVENTS
    assert all("written" in part for part in parts)
    # the first event finds a new log, whose head is synced in any case
    assert {part[-1] == "synced" for part in parts[1:]} == {synced}
