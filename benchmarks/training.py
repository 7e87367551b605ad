"""How fast the training engine is, against what this machine can do and against RecBole; accuracy beside every speed.

    make bench                                  (or: .venv/bin/python benchmarks/training.py)

Writes benchmarks/training.json: rows {what, note, events_per_s, matrix_share, peak_memory_mb, accuracy, gate}. Run
it on a quiet machine; it takes about half an hour, `--parts steps,lengths` takes some of it, and keeps the other rows.

- gates: the tests that hold every fast form equal to its plain one, gradients included. No speed is measured while
  one is red.
- matrix_share: the arithmetic of the products (6 operations a weight and event, forward and backward, over the cells
  and the output layer) at the measured rate, as a part of the rate at which this machine multiplies large float32
  matrices right before and after the row (matrix_gflops): the rates of a shared machine wander.
- scans: the scan of every cell along a window, forward and backward, against the plain fold of its step.
- steps: whole training steps (batch, forward, loss, backward, clipping, update) on a made-up log with items of a
  power law, by loss and catalog. Each row in a fresh process, for its peak of memory.
- blocks: whole steps of three residual blocks around a linear recurrence, products in either precision.
- lengths: the same events as sequences of 20, 200 and 2,000. neighbour: a busy process beside.
- data: trainings on real logs, where they are: the accuracy, on test, of the epochs that the settings below fix.
- rivals: an epoch of RecBole's GRU4Rec on MovieLens-1M beside one of ours, at equal width and catalog.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from machine import DATA, introduce, processor

from segue.cells import CELLS, fold
from segue.cells.parallel import using
from segue.config import TrainSettings
from segue.data.batches import windows
from segue.data.log import read_log
from segue.data.sessions import Sequences
from segue.data.splits import TEST, by_column, leave_one_out
from segue.data.targets import targets_of
from segue.evaluation.judge import rank_values
from segue.evaluation.phase import phase_of
from segue.evaluation.replay import replay
from segue.models.base import SessionRule
from segue.models.network import Network
from segue.rng import stream
from segue.training.hardware import faster_precision
from segue.training.loop import train_network
from segue.training.losses import LOSSES
from segue.training.trainer import Trainer

SEED = 1
WIDTH = 128
ROWS, WINDOW = 64, 64
OUT = Path(__file__).with_name("training.json")
GATES = ("tests/contracts/test_loss_contract.py", "tests/contracts/test_cell_contract.py", "tests/test_trainer.py")
CATALOGS = {"full": (3_400, 18_000), "sampled": (18_000, 1_000_000), "bpr-max": (18_000, 1_000_000)}
SHOP = {
    "rows": 64,
    "window": 16,
    "epochs": 10,
    "learning_rate": 0.01,
    "sampling": "popularity",
    "popularity_power": 0.4,
}
TRAININGS = {
    "MovieLens-1M, leave-one-out": {"loss": "full", "rows": 32, "window": 64, "epochs": 3, "seeds": 1},
    **{f"serenade-shop, {loss}": {"loss": loss, **SHOP, "seeds": 3 if loss == "bpr-max" else 1} for loss in LOSSES},
}


def main() -> None:
    parser = argparse.ArgumentParser(description="The speed of the training engine.")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        asked = json.loads(options.measure)
        print(json.dumps({"steps": step_rate, "data": training}[asked.pop("kind")](**asked)))
        return
    introduce(SEED)
    gate = check_gates()
    rates = {name: matrix_rate(dtype) for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16))}
    print(f"large product on all threads: {rates['float32']:.0f} GFLOP/s float32, {rates['bfloat16']:.1f} bfloat16")
    print(f"precision taken: {faster_precision()}; gates {gate}", flush=True)
    rows: list[dict[str, Any]] = []
    for part in options.parts.split(","):
        before = matrix_rate(torch.float32)
        for row in PARTS[part]():
            after = matrix_rate(torch.float32)
            row = {"gate": gate, "machine": processor(), **row, "matrix_gflops": round((before + after) / 2)}
            if flops := row.pop("flops", None):
                row["matrix_share"] = round(flops * row["events_per_s"] / row["matrix_gflops"] / 1e9, 3)
            rows.append(row)
            show(row)
            before = after
    if options.parts != ",".join(PARTS) and OUT.exists():  # a part anew: the other rows stay as they were
        new = {row["what"]: row for row in rows}
        rows = [new.pop(row["what"], row) for row in json.loads(OUT.read_text())["rows"]] + list(new.values())
    facts = {"command": " ".join(sys.argv), "seed": SEED, "cores": os.cpu_count(), "gflops": rates}
    OUT.write_text(json.dumps({**facts, "rows": rows}, indent=1) + "\n")
    print(f"written: {OUT.name}")


def show(row: dict[str, Any]) -> None:
    share = f", {row['matrix_share']:.2f} of the matrix rate" if row.get("matrix_share") else ""
    memory = f", peak {row['peak_memory_mb']:,.0f} MB" if row.get("peak_memory_mb") else ""
    note = f", {row['note']}" if row.get("note") else ""
    print(
        f"{row['what']}: {row['events_per_s']:,.0f} events/s{share}{memory}{note} {row.get('accuracy') or ''}",
        flush=True,
    )


def check_gates() -> str:
    """Run the tests that hold fast and plain forms equal; leave if one is red."""
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", *GATES], cwd=root, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"a gate is red: no speed is measured\n{done.stdout[-2000:]}")
    return "green"


def matrix_rate(dtype: torch.dtype) -> float:
    """GFLOP/s of a large product on all threads, the best of a few."""
    size = 2048 if dtype == torch.float32 else 512
    a, b = (torch.ones(size, size, dtype=dtype) for _ in range(2))
    taken = []
    for _ in range(6):
        begin = time.perf_counter()
        torch.mm(a, b)
        taken.append(time.perf_counter() - begin)
    return 2 * size**3 / min(taken) / 1e9


def apart(kind: str, **asked: Any) -> dict[str, Any]:
    """A measurement in a fresh process."""
    command = [sys.executable, __file__, "--measure", json.dumps({"kind": kind, **asked})]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def steps() -> Any:
    for loss, one in LOSSES.items():
        for n_items in CATALOGS.get(loss, (18_000,)):
            found = apart("steps", cell="gru", loss=loss, n_items=n_items)
            what = f"gru, {loss}, {n_items:,} items" + (", 2,048 negatives" if one.samples else "")
            yield {"what": what, **found, "accuracy": None}


def blocks() -> Any:
    for precision in ("float32", "bfloat16"):
        found = apart("steps", cell="mingru", loss="full", n_items=3_400, layers=3, precision=precision, seconds=12.0)
        what = f"mingru in three residual blocks, full, 3,400 items, window 200, products in {precision}"
        yield {"what": what, **found, "accuracy": None}


def scans() -> Any:
    for cell in CELLS:
        for rows in (8, 64):
            found = {name: scan_rate(cell, scan, rows) for name, scan in (("scan", CELLS[cell].scan), ("fold", fold))}
            note = f"{found['scan'] / found['fold']:.2f} times the fold"
            row = {"what": f"{cell}, scan alone, {rows} rows", "note": note, "events_per_s": round(found["scan"])}
            yield {**row, "peak_memory_mb": None, "accuracy": None}


def scan_rate(name: str, scan: Any, rows: int, repeats: int = 9) -> float:
    """Events a second of a window forward and backward, sessions of 50 events on average."""
    torch.manual_seed(SEED)
    cell = CELLS[name](WIDTH, WIDTH)
    x = torch.randn(WINDOW, rows, WIDTH, requires_grad=True)
    starts = torch.rand(WINDOW, rows) < 1 / 50
    taken = []
    with using(os.cpu_count() or 1):
        for _ in range(repeats):
            begin = time.perf_counter()
            y, _ = scan(cell, x, starts, cell.initial_state(rows))
            y.sum().backward()
            taken.append(time.perf_counter() - begin)
    return rows * WINDOW / min(taken)


def lengths() -> Any:
    for length in (20, 200, 2000):
        found = apart("steps", cell="gru", loss="full", n_items=3_400, length=length, seconds=12.0)
        yield {"what": f"gru, full, 3,400 items, sequences of {length:,} events", **found, "accuracy": None}


def neighbour() -> Any:
    """A process that keeps one core busy, beside training on all."""
    for busy in (False, True):
        beside = [subprocess.Popen([sys.executable, "-c", "while True: pass"])] if busy else []
        try:
            found = apart("steps", cell="gru", loss="full", n_items=3_400, seconds=15.0)
        finally:
            for process in beside:
                process.kill()
                process.wait()
        what = f"gru, full, 3,400 items, {'one core busy with something else' if busy else 'alone'}"
        yield {"what": what, **found, "accuracy": None}


def step_rate(
    cell: str,
    loss: str,
    n_items: int,
    length: int | None = None,
    seconds: float = 6.0,
    layers: int = 0,
    precision: str = "auto",
) -> dict[str, float | None]:
    """Events a second of whole steps; of so many residual blocks, or where there are none of the cell alone."""
    window = 200 if layers else WINDOW
    sequences = made_up(n_items, length)
    settings = TrainSettings(rows=ROWS, window=window, loss=loss)
    shape = {"block": "residual", "layers": layers} if layers else {}
    precision = faster_precision() if precision == "auto" else precision
    torch.manual_seed(SEED)
    network = Network(n_items, rule=SessionRule(), cell=cell, width=WIDTH, **shape)
    with using(os.cpu_count() or 1):
        trainer = Trainer(network, sequences, targets_of(sequences), settings, seed=SEED, precision=precision)
        begin, events, warm = 0.0, 0, 3
        while begin == 0.0 or time.perf_counter() - begin < seconds:
            for batch in windows(sequences, rows=ROWS, window=window, rng=stream(SEED, "epoch 0")):
                trainer.step(batch, 0.5)
                if warm:
                    warm, begin = warm - 1, time.perf_counter()
                    continue
                events += int((batch.place >= 0).sum())
                if time.perf_counter() - begin > seconds:
                    break
    rate = events / (time.perf_counter() - begin)
    return {"events_per_s": round(rate), "flops": flops_of(network, settings), "peak_memory_mb": peak()}


def flops_of(network: Network, settings: TrainSettings) -> float:
    """Operations of the products of an event: 2 forward and 4 backward for each weight it meets."""
    weights = sum(p.numel() for p in network.stack.layers.parameters() if p.ndim > 1)
    compared = settings.negatives if LOSSES[settings.loss].samples else network.n_items
    return 6.0 * (weights + compared * network.width)


def peak() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)


def made_up(n_items: int, length: int | None) -> Sequences:
    """Sequences over items of a power law, of one length (enough to fill all rows) or geometric around 100."""
    rng, events = stream(SEED, "log"), 1_280_000 if length else 160_000
    lengths = np.full(events // length, length) if length else rng.geometric(1 / 100, events // 100)
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    total, opens = int(ends[-1]), np.zeros(int(ends[-1]), bool)
    opens[ends[:-1]] = True
    user = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    item = (n_items * rng.random(total) ** 3).astype(np.int32)
    places = np.arange(total)
    return Sequences(places, user, item, places.astype(np.float64), opens, opens, ends, np.arange(len(lengths)))


def data() -> Any:
    for name, asked in TRAININGS.items():
        if not (DATA / folder_of(name)).exists():
            print(f"{name}: the data is not here")
            continue
        seeds = range(1, asked["seeds"] + 1)
        found = [apart("data", name=name, seed=seed) for seed in seeds]
        accuracy = {
            metric: round(float(np.mean([f["accuracy"][metric] for f in found])), 4) for metric in found[0]["accuracy"]
        }
        what = f"gru, {name}, {asked['epochs']} epochs" + (f", mean of {len(found)} seeds" if len(found) > 1 else "")
        rate = round(float(np.mean([f["events_per_s"] for f in found])))
        yield {**found[0], "what": what, "events_per_s": rate, "accuracy": accuracy}


def folder_of(name: str) -> str:
    return "ml-1m" if name.startswith("MovieLens") else "serenade-shop"


def training(name: str, seed: int) -> dict[str, Any]:
    """Train on all but the test part, and ask for it."""
    asked = {key: value for key, value in TRAININGS[name].items() if key != "seeds"}
    settings, rule = TrainSettings(**asked), SessionRule()
    film = name.startswith("MovieLens")
    frame = pl.read_parquet(DATA / folder_of(name) / "interactions.parquet")
    if film:
        frame = frame.filter(pl.col("position_lrurec") >= 0).select("user_id", "item_id", "position")
    log = read_log(frame, order_col="position") if film else read_log(frame)
    phase = phase_of(log, leave_one_out(log) if film else by_column(log), rule, ask=TEST)
    torch.manual_seed(seed)
    drop = (0.3, 0.2) if film else (0.0, 0.5)
    network = Network(len(phase.catalog), rule=rule, width=WIDTH, dropout=drop[0], embedding_dropout=drop[1])
    begin = time.perf_counter()
    train_network(network, phase.learned, settings, seed=seed)
    rate = len(phase.learned) * settings.epochs / (time.perf_counter() - begin)
    memory = peak()
    metrics = ("ndcg@10", "hr@10") if film else ("recall@20", "mrr@20")
    found = replay(network, phase.replayed, phase.asked, exclude="seen" if film else "current", k=20)
    return {
        "events_per_s": round(rate),
        "flops": flops_of(network, settings),
        "peak_memory_mb": memory,
        "accuracy": {metric: float(rank_values(metric, found).mean()) for metric in metrics},
    }


def rivals() -> Any:
    if not (DATA / "ml-1m").exists():
        print("MovieLens-1M is not here: no rival is run")
        return
    from rivals.movielens import recbole_gru4rec, training_part

    report = recbole_gru4rec(training_part(), "--seconds", "120", "--width", str(WIDTH), "--length", "200")
    theirs = float(report["seconds_per_epoch"])  # type: ignore[arg-type]
    fastest = float(report["seconds_per_epoch_at_fastest_step"])  # type: ignore[arg-type]
    yield {
        "what": "RecBole GRU4Rec, MovieLens-1M, length 200",
        "note": f"{theirs:,.0f} s an epoch (fastest step: {fastest:,.0f})",
        "events_per_s": float(report["events_per_second"]),  # type: ignore[arg-type]
        "peak_memory_mb": None,
        "accuracy": None,
    }
    found = apart("steps", cell="gru", loss="full", n_items=3_416, seconds=20.0)
    ours = len(training_part()) / found["events_per_s"]
    note = f"{ours:,.0f} s an epoch, {theirs / ours:,.0f} times as fast ({fastest / ours:,.0f})"
    yield {"what": "gru of segue, the same", "note": note, **found, "accuracy": None}


PARTS = {
    "scans": scans,
    "steps": steps,
    "blocks": blocks,
    "lengths": lengths,
    "neighbour": neighbour,
    "data": data,
    "rivals": rivals,
}

if __name__ == "__main__":
    main()
