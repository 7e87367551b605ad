"""How long and how much memory it takes to read a log of E events from a CSV file.

    PYTHONPATH=src python benchmarks/read_log.py --events 20000000

Writes a synthetic log (2 M users, 100 k items, skewed; times in no order) into a temporary folder, reads it
in a fresh process, and prints the seconds of `read_log` and the peak resident memory of that process.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

SEED = 0
CHUNK = 1_000_000


def write_log(path: Path, n_events: int, *, n_users: int = 2_000_000, n_items: int = 100_000) -> None:
    rng = np.random.default_rng(SEED)
    with path.open("wb") as file:
        for start in range(0, n_events, CHUNK):
            size = min(CHUNK, n_events - start)
            chunk = pl.DataFrame(
                {
                    "user_id": rng.integers(0, n_users, size),
                    "item_id": (n_items * rng.random(size) ** 3).astype(np.int64),
                    "timestamp": 1_600_000_000 + rng.integers(0, 31_000_000, size),
                }
            )
            chunk = chunk.with_columns(
                user_id=pl.format("user-{}", "user_id"), item_id=pl.format("item-{}", "item_id")
            )
            chunk.write_csv(file, include_header=start == 0)


def read(path: str) -> None:
    from segue.data.log import read_log

    before, used = time.perf_counter(), time.process_time()
    log = read_log(path)
    seconds, used = time.perf_counter() - before, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"{len(log):,} events, {len(log.users):,} users, {len(log.items):,} items")
    rate = len(log) / seconds / 1e6
    print(f"read in {seconds:.1f} s ({rate:.2f} M events/s, {used:.1f} s of processor), peak {peak:.2f} GiB")


def main() -> None:
    parser = argparse.ArgumentParser(description="Reads a synthetic log and measures.")
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--read", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        read(options.read)
        return
    print(f"command: python {' '.join(sys.argv)}; seed {SEED}")
    load = f"load {os.getloadavg()[0]:.1f} before"
    print(f"machine: {platform.machine()}, {os.cpu_count()} cores, {load}; polars {pl.__version__}")
    with tempfile.TemporaryDirectory(prefix="segue-") as folder:
        path = Path(folder) / "log.csv"
        write_log(path, options.events)
        print(f"log.csv: {path.stat().st_size / 1e6:,.0f} MB")
        sys.stdout.flush()
        subprocess.run([sys.executable, __file__, "--read", str(path)], check=True)


if __name__ == "__main__":
    main()
