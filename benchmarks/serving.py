"""What a server does with one machine for itself and its load: `python benchmarks/serving.py`, into serving.json.

Run it on a quiet machine; it takes about 40 minutes, and `--parts million,start` takes some of it and keeps the other
rows. `--seconds` and `--minutes` make it shorter, to see that it works: such rows are printed and not written.

Networks are GRUs of width 128 that nobody trained, made once into `.serving`. A request is a list with an event of the
same user inside, in an open loop by `segue stress`; 100,000 users and the items come by power laws.

- million: 1,000,000 items, `durable`, 700 and 1,000 requests a second, and less, for machines that do less. fifty:
  50,000 items, 2,000 a second, and less. A million items have two shards: their lists take most of a core.
- gru_step_us, in each row: one step of the GRU by ONNX Runtime on this machine (10 on that of the targets), what to
  hold a rate against.
  fdatasync_p90_ms is measured right before and after, on the disk of the store.
- saturation: far more than it can do for ten seconds, then little: which answers, how late, and after how many seconds
  all is as before (recovered_s, from the end of the burst).
- disk: bytes of a store with 1,000,000 users of 10 events each.
- soak: a quarter of an hour: memory and write-ahead log.
- start: from the start of `segue serve` to the first answer, 100,000 items, and what it consists of.
- diverse: 50,000 items, `fast`, 250 a second: lists as they are, then with diversity 0.3 (`mmr`).
- history: an event and its list over HTTP, with 10 and with 10,000 events before, in turns.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from machine import introduce, processor
from running import Running, fdatasync_ms, figures, p90, room_for, running, size_of, stress
from untrained import HERE, model_of

from segue.artifact import load_artifact
from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.models.base import Event
from segue.recommender import load
from segue.serving.backfill import backfill
from segue.serving.engine import Engine
from segue.serving.store.folder import StoreFolder

OUT = Path(__file__).with_suffix(".json")
Rows = Iterator[dict[str, Any]]
BURST_SECONDS = 10
CALM_SECONDS = 5
"""So many calm seconds after each other: it has recovered at the first of them."""
CALM_MS = 50.0
"""A second whose requests all were answered 200, nine of ten within this, is one as before a burst."""
START = """
import json, sys, time
begun = float(sys.argv[2])
marks = {"python": time.time() - begun}
def mark(name):
    marks[name] = time.time() - begun - sum(marks.values())
import segue.cli
mark("command line")
from segue.recommender import load
mark("imports of the model")
import segue.web.serve, segue.web.app, segue.serving.upkeep
mark("imports of the server")
recommender = load(sys.argv[1], light=True)
mark("model read, checked, its index with it")
recommender.bundle.item_ids.places
mark("ids")
print(json.dumps({name: round(taken, 3) for name, taken in marks.items()}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="What a server does with one machine.")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--seconds", type=float, default=30.0, help="of each load at one rate")
    parser.add_argument("--minutes", type=float, default=15.0, help="of the soak")
    parser.add_argument("--users", type=int, default=1_000_000, help="of the store whose size is taken")
    parser.add_argument("--burst", type=float, default=6000.0, help="requests a second of the burst")
    options = parser.parse_args()
    introduce(1)
    step = round(step_us(), 1)
    whole = (options.seconds, options.minutes, options.users) == (30.0, 15.0, 1_000_000)
    for part in options.parts.split(","):
        for row in PARTS[part](options):
            done = {**row, "gru_step_us": step, "machine": processor()}
            done["command"] = f"python benchmarks/serving.py --parts {part}"
            print(json.dumps(done), flush=True)
            if whole:
                write(done)
    print(f"written: {OUT.name}" if whole else "shorter than it should be: not written")


def write(row: dict[str, Any]) -> None:
    """Put a row in the place of the one of its name."""
    kept = json.loads(OUT.read_text())["rows"] if OUT.exists() else []
    rows = {one["what"]: one for one in kept} | {row["what"]: row}
    OUT.write_text(json.dumps({"cores": os.cpu_count(), "rows": list(rows.values())}, indent=1) + "\n", "utf-8")


def step_us() -> float:
    """Microseconds of one step of a GRU of width 128, one row."""
    model = load_artifact(model_of(50_000), light=True).model
    event = Event(np.array([1], np.int32), np.array([1.7e9]), np.array([False]))
    state = model.step(event, model.initial_state(1))
    begun = time.perf_counter()
    for _ in range(5000):
        model.step(event, state)
    return (time.perf_counter() - begun) / 5000 * 1e6


def at_rate(
    n_items: int, durability: str, rate: int, seconds: float, shards: int = 1, ask: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A load at one rate on a server of its own, after a short one that warms it."""
    asked = () if ask is None else ("--ask", json.dumps(ask))
    with running(model_of(n_items), "--durability", durability, "--shards", str(shards)) as server:
        warming = ("--rate", f"{min(rate / 4, 100)}", "--seconds", f"{min(10.0, seconds)}s", "--seed", "2")
        stress(server, *warming, *asked)
        disk = fdatasync_ms(HERE)
        report = stress(server, "--rate", str(rate), "--seconds", f"{seconds}s", *asked)
        disk += fdatasync_ms(HERE)
    what = f"{n_items:,} items, {durability}, {rate:,}/s"
    return {"what": what, **figures(report), "fdatasync_p90_ms": p90(disk)}


def million(options: argparse.Namespace) -> Rows:
    index = load_artifact(model_of(1_000_000), light=True).index
    quality = "none: all are scored" if index is None else index.quality._asdict()
    for rate in (100, 300, 700, 1000):
        row = {"index": quality} | at_rate(1_000_000, "durable", rate, options.seconds, shards=2)
        yield row | {"target": "p90 <= 20 ms, p99 <= 50 ms", "met": met(row, options.seconds, 20.0, 50.0)}


def fifty(options: argparse.Namespace) -> Rows:
    for durability in ("fast", "durable"):
        for rate in (250, 1000, 2000):
            row = at_rate(50_000, durability, rate, options.seconds)
            most = 7.0 + (2 * row["fdatasync_p90_ms"] if durability == "durable" else 0.0)
            yield row | {"target": f"p90 <= {most:.1f} ms", "met": met(row, options.seconds, most, None)}


def met(row: dict[str, Any], seconds: float, p90_ms: float, p99_ms: float | None) -> bool:
    """Whether all was answered as fast as it was sent, and in time."""
    whole = not row["errors"] and row["ok_per_s"] > 0.98 * row["requests"] / seconds
    return bool(whole and row["p90_ms"] <= p90_ms and (p99_ms is None or row["p99_ms"] <= p99_ms))


def diverse(options: argparse.Namespace) -> Rows:
    rate = 250
    plain = at_rate(50_000, "fast", rate, options.seconds)
    row = at_rate(50_000, "fast", rate, options.seconds, ask={"diversity": 0.3})
    yield row | {
        "what": f"50,000 items, fast, {rate:,}/s, diversity 0.3",
        "plain": {key: plain[key] for key in ("ok_per_s", "p50_ms", "p90_ms", "server_ms_a_request")},
        "target": "p90 <= 7 ms, as without",
        "met": met(row, options.seconds, 7.0, None),
    }


def saturation(options: argparse.Namespace) -> Rows:
    for n_items in (50_000, 1_000_000):
        with running(model_of(n_items)) as server:
            ramp = f"100:5s,{options.burst}:{BURST_SECONDS}s,100:40s"
            # the queue must be the server's, not the client's
            many = ("--connections", "12000", "--most-waiting", "1000")
            report = stress(server, "--ramp", ramp, *many, "--timeout", "30s")
        begin, end = 5, 5 + BURST_SECONDS
        burst = [one for one in report["timeline"] if begin <= one["second"] < end]
        after = [calm(one) for one in report["timeline"] if one["second"] >= end]
        recovered = next((n for n in range(len(after)) if all(after[n : n + CALM_SECONDS])), len(after))
        yield {
            "what": f"{n_items:,} items, durable, {options.burst:,.0f}/s for {BURST_SECONDS} s, then 100/s",
            "statuses": report["statuses"],
            "no_answer": report["no_answer"],
            "not_sent": report["not_sent"],
            "latency_ms": report["latency_ms"],
            "ok_per_s_in_burst": sum(one["ok"] for one in burst) / BURST_SECONDS,
            "recovered_s": recovered,
            "wild_seconds_later": after[recovered:].count(False),
            "connections": report["connections"],
            "client_cpu": report["client_cpu"],
            "client_late_p99_ms": report["late_ms"]["p99"],
            "ended": report["ended"],
            "target": "only 200 and 503, recovered in 5 s",
        }


def calm(second: dict[str, Any]) -> bool:
    """Whether a second is as before a burst."""
    return not second["failed"] and (second["p90_ms"] or 0.0) <= CALM_MS


def disk(options: argparse.Namespace) -> Rows:
    room_for(8.0 * options.users / 1e6 + 1.0)
    recommender, users, each = load(model_of(50_000), light=True), options.users, 10
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory(dir=HERE, prefix="store-") as home:
        engine = Engine(recommender.bundle, StoreFolder(Path(home) / "store", durability="fast"))
        begun = time.perf_counter()
        for begin in range(0, users, 100_000):  # a log at a time: users are whole in each
            some = min(100_000, users - begin)
            log = EventLog(
                users=Ids.of(f"user {begin + n}" for n in range(some)),
                items=recommender.bundle.item_ids,
                user=np.tile(np.arange(some, dtype=np.int32), each),
                item=rng.integers(0, 50_000, some * each).astype(np.int32),
                time=1.6e9 + 60.0 * np.repeat(np.arange(each), some),
            )
            backfill(engine, log)
        engine.close()
        taken, size = time.perf_counter() - begun, size_of(Path(home))
    yield {
        "what": f"a store of {users:,} users with {each} events each",
        "gb": round(size / 1e9, 3),
        "bytes_a_user": round(size / users),
        "seconds": round(taken),
        "events_per_s": round(users * each / taken),
        "target": "< 2 GB for 1,000,000 users",
        "met": size / users * 1e6 < 2e9,
    }


def soak(options: argparse.Namespace) -> Rows:
    rate, users = 500, 20_000
    with running(model_of(50_000)) as server:
        command = [sys.executable, "-m", "segue", "stress", server.url, "--model", str(server.model), "--json"]
        command += ["--rate", str(rate), "--seconds", f"{options.minutes * 60}s", "--users", str(users)]
        client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        samples, begun, cpu = [], time.monotonic(), server.cpu_seconds()
        while client.poll() is None and (at := time.monotonic() - begun) < options.minutes * 60:
            samples.append((at, server.memory_mb(), server.log_mb()))
            time.sleep(min(5.0, options.minutes * 2))
        out, _ = client.communicate()
        report = json.loads(out)
        report["server_cpu_s"] = server.cpu_seconds() - cpu
        report["server_cpu"] = round(report["server_cpu_s"] / report["seconds"], 3)
    at, memory, log = (np.array(column) for column in zip(*samples, strict=True))
    late = at >= at[-1] / 3
    slope = float(np.polyfit(at[late], memory[late], 1)[0]) * 3600
    first, last = float(memory[late][:5].mean()), float(memory[-5:].mean())
    yield {
        "what": f"{options.minutes:g} minutes of {rate}/s of {users:,} users, 50,000 items, durable",
        **figures(report),
        "memory_mb": [round(float(one), 1) for one in memory[:: max(1, len(memory) // 20)]],
        "memory_mb_an_hour": round(slope, 1),
        "wal_mb_most": round(float(log.max()), 1),
        "wal_mb_last": round(float(log[-1]), 1),
        "target": "memory and write-ahead log flat after the first third",
        "met": last <= 1.05 * first and float(log[late].max()) <= 1.5 * float(log[~late].max()) + 1.0,
    }


def start(_: argparse.Namespace) -> Rows:
    model, whole, parts = model_of(100_000), [], []
    for _again in range(5):
        begun = time.perf_counter()
        with running(model) as server:
            call(connection(server), "/v1/recommend", {"user_id": "u", "event": {"item_id": "item 1"}})
            whole.append(time.perf_counter() - begun)
        command = [sys.executable, "-c", START, str(model), repr(time.time())]
        parts.append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout))
    yield {
        "what": "from the start to the first answer, 100,000 items",
        "seconds": round(statistics.median(whole), 2),
        "of": [round(one, 2) for one in whole],
        "parts_s": {name: round(statistics.median(one[name] for one in parts), 3) for name in parts[0]},
        "target": "< 2 s",
        "met": statistics.median(whole) < 2.0,
    }


def history(_: argparse.Namespace) -> Rows:
    lengths, calls = (10, 10_000), 400
    for cell in ("gru", "attention"):
        with running(model_of(1000, cell), "--durability", "fast") as server:
            link = connection(server)
            for n in lengths:
                for begin in range(0, n, 500):
                    events = [
                        {"user_id": f"user {n}", "item_id": f"item {t % 1000}", "timestamp": 1e9 + t}
                        for t in range(begin, min(n, begin + 500))
                    ]
                    call(link, "/v1/events", {"events": events})
            taken: dict[int, list[float]] = {n: [] for n in lengths}
            for number in range(calls):
                for n in lengths:
                    begun = time.perf_counter()
                    event = {"item_id": f"item {number % 1000}"}
                    call(link, "/v1/recommend", {"user_id": f"user {n}", "event": event})
                    taken[n].append(1e3 * (time.perf_counter() - begun))
        few, many = (statistics.median(taken[n][calls // 10 :]) for n in lengths)
        yield {
            "what": f"an event and its list over HTTP by the history, {cell}, 1,000 items",
            "p50_ms": {str(n): round(one, 3) for n, one in zip(lengths, (few, many), strict=True)},
            "ratio": round(many / few, 3),
            "target": "0.8 to 1.2",
            "met": 0.8 <= many / few <= 1.2,
        }


def connection(server: Running) -> http.client.HTTPConnection:
    parts = urlsplit(server.url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port)


def call(link: http.client.HTTPConnection, path: str, body: dict[str, Any]) -> None:
    """A call that must be answered 200."""
    link.request("POST", path, json.dumps(body), {"content-type": "application/json"})
    answer = link.getresponse()
    content = answer.read()
    assert answer.status == 200, content


PARTS = {
    "million": million,
    "fifty": fifty,
    "diverse": diverse,
    "saturation": saturation,
    "disk": disk,
    "soak": soak,
    "start": start,
    "history": history,
}

if __name__ == "__main__":
    main()
