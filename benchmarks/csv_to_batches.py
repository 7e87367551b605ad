"""How long and how much memory it takes to go from a CSV file of E events to training batches.

    .venv/bin/python benchmarks/csv_to_batches.py --events 20000000

Writes a synthetic log (2 M users, 100 k items, skewed; times in no order) into a temporary folder. A fresh process
reads it, lays it out by user, cuts sessions at half an hour, and forms every batch of an epoch. Printed: the seconds
of each part and the peak resident memory of that process. Bars: 90 s and 3 GB in all for 20 M events.

    .venv/bin/python benchmarks/csv_to_batches.py --events 100000000 --pack

A fresh process packs the log (`segue.pack`) and opens it; `--parquet` packs it from a Parquet file. Printed: the
seconds, the peak of resident memory (VmHWM) and the peak of what no file stands behind (RssAnon, looked at 20 times a
second). Bars: 10 minutes and 4 GB for 100 M events.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
from machine import introduce

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
            chunk = chunk.with_columns(user_id=pl.format("user-{}", "user_id"), item_id=pl.format("item-{}", "item_id"))
            chunk.write_csv(file, include_header=start == 0)


def measure(path: str) -> None:
    from segue.data.batches import windows
    from segue.data.log import read_log
    from segue.data.sessions import lay_out
    from segue.data.targets import targets_of
    from segue.rng import stream

    times = [time.perf_counter()]
    log = read_log(path)
    times.append(time.perf_counter())
    sequences = lay_out(log, gap=1800.0, at_session_start="mark")
    target = targets_of(sequences)
    times.append(time.perf_counter())
    events = 0
    for batch in windows(sequences, rows=64, window=64, rng=stream(SEED, "epoch 0")):
        item = np.where(batch.place >= 0, sequences.item[batch.place], -1)
        wanted = np.where(batch.place >= 0, target[batch.place], -1)
        events += int((item >= 0).sum()) if wanted.shape == item.shape else 0
    times.append(time.perf_counter())
    assert events == len(log)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    read, laid, batched = np.diff(times)
    print(f"{len(log):,} events, {len(log.users):,} users, {len(log.items):,} items")
    print(f"read {read:.1f} s, laid out {laid:.1f} s, an epoch of batches {batched:.1f} s")
    print(f"CSV to batches in {times[-1] - times[0]:.1f} s, peak {peak:.2f} GB")


def memory(name: str) -> float:
    """GB of this process, as the system counts them under `name`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1e6


def measure_packing(path: str) -> None:
    peaks = [0.0]

    def watch() -> None:
        while True:
            peaks[0] = max(peaks[0], memory("RssAnon"))
            time.sleep(0.05)

    threading.Thread(target=watch, daemon=True).start()
    from segue.data.packed import open_packed, pack_log

    start = time.perf_counter()
    log = pack_log(path, Path(path).with_name("packed"))
    packed = time.perf_counter() - start
    size = sum(file.stat().st_size for file in Path(path).with_name("packed").iterdir()) / 1e6
    start = time.perf_counter()
    assert len(open_packed(Path(path).with_name("packed"))) == len(log)
    opened = time.perf_counter() - start
    print(f"{len(log):,} events, {len(log.users):,} users, {len(log.items):,} items, packed into {size:,.0f} MB")
    print(f"packed in {packed:.1f} s, opened in {opened:.3f} s", end="; ")
    print(f"peak resident {memory('VmHWM'):.2f} GB, peak anonymous {peaks[0]:.2f} GB")


def main() -> None:
    parser = argparse.ArgumentParser(description="From a synthetic CSV file to training batches.")
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--users", type=int, default=2_000_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--pack", action="store_true", help="measure packing instead")
    parser.add_argument("--parquet", action="store_true", help="from a Parquet file")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        (measure_packing if options.pack else measure)(options.measure)
        return
    introduce(SEED)
    with tempfile.TemporaryDirectory(prefix="segue-") as folder:
        path = Path(folder) / "log.csv"
        write_log(path, options.events, n_users=options.users, n_items=options.items)
        if options.parquet:
            pl.scan_csv(path).sink_parquet(path.with_suffix(".parquet"))
            path.unlink()
            path = path.with_suffix(".parquet")
        print(f"{path.name}: {path.stat().st_size / 1e6:,.0f} MB", flush=True)
        asked = ["--pack"] if options.pack else []
        subprocess.run([sys.executable, __file__, *asked, "--measure", str(path)], check=True)


if __name__ == "__main__":
    main()
