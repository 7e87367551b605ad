"""A server and a load beside each other, each a process of its own, and what they take of the machine."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from untrained import HERE

from segue.traffic.process import served

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Running:
    """A server that runs: its address, its process, its store."""

    url: str
    pid: int
    store: Path
    model: Path

    def cpu_seconds(self) -> float:
        """What it has used of the processors so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self) -> float:
        """Its resident memory."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024

    def log_mb(self) -> float:
        """Its write-ahead logs."""
        return sum(file.stat().st_size for file in self.store.rglob("*-wal")) / 2**20


@contextmanager
def running(model: Path, *options: str) -> Iterator[Running]:
    """A server over an empty store on this disk."""
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HERE, prefix="store-") as home:
        store = Path(home) / "store"
        with served(model, store, options) as (url, pid):
            yield Running(url, pid, store, model)


def stress(server: Running, *options: str) -> dict[str, Any]:
    """A load by `segue stress` with these options: its report, and the share of one core that the server took."""
    command = [sys.executable, "-m", "segue", "stress", server.url, "--model", str(server.model), "--json", *options]
    before, begun = server.cpu_seconds(), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout:
        raise RuntimeError(done.stderr)
    report: dict[str, Any] = json.loads(done.stdout)
    # the client's start, about a second in which the server does nothing, is in the time as well
    taken = time.perf_counter() - begun
    report["server_cpu_s"] = server.cpu_seconds() - before
    report["server_cpu"] = round(report["server_cpu_s"] / min(taken, max(report["seconds"], 1e-3)), 3)
    return report


def fdatasync_ms(folder: Path, seconds: float = 2.0) -> list[float]:
    """Milliseconds of writing 4 KiB and having it kept, one after another."""
    taken, until = [], time.monotonic() + seconds
    with tempfile.NamedTemporaryFile(dir=folder, buffering=0) as file:
        while time.monotonic() < until:
            begun = time.perf_counter()
            file.write(b"\1" * 4096)
            os.fdatasync(file.fileno())
            taken.append(1e3 * (time.perf_counter() - begun))
            time.sleep(0.001)
    return taken


def p90(values: list[float]) -> float:
    return round(float(np.percentile(values, 90)), 3)


def figures(report: dict[str, Any]) -> dict[str, Any]:
    """Of a report, what stands in a row."""
    ok = report["latency_ms"].get("200") or dict.fromkeys(("p50", "p90", "p99", "max"))
    answered = sum(report["statuses"].values())
    errors = {status: n for status, n in report["statuses"].items() if status != "200"}
    errors |= {name: report[name] for name in ("no_answer", "not_sent") if report[name]}
    return {
        "requests": report["requests"],
        "ok_per_s": report["ok_per_s"],
        **{f"{name}_ms": ok[name] for name in ("p50", "p90", "p99", "max")},
        "errors": errors,
        "server_cpu": report["server_cpu"],
        "server_ms_a_request": round(1e3 * report["server_cpu_s"] / max(1, answered), 3),
        "client_cpu": report["client_cpu"],
        "client_late_p99_ms": (report["late_ms"] or {}).get("p99"),
        "ended": report["ended"],
        "notes": report["notes"],
    }


def size_of(folder: Path) -> int:
    """Bytes of a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def room_for(gigabytes: float) -> None:
    """Raise where the disk is too full."""
    free = shutil.disk_usage(HERE.parent).free / 2**30
    if free < gigabytes:
        raise RuntimeError(f"{free:.1f} GiB are free; expected {gigabytes:g}")
