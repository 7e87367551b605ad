"""What a training step costs: the GRU's scan against the plain fold, and whole steps by rows, threads and catalog.

    .venv/bin/python benchmarks/training_step.py

Ratios within one run: run it on a quiet machine. The gate that holds the two scans equal, gradients included, is
tests/contracts/test_cell_contract.py.
"""

import time

import numpy as np
import torch
from machine import introduce

from segue.cells import fold
from segue.cells.gru import GRU
from segue.config import TrainSettings
from segue.data.batches import targets_of, windows
from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.data.sessions import Sequences, lay_out
from segue.models.base import SessionRule
from segue.models.network import Network
from segue.rng import stream
from segue.training.trainer import Trainer

SEED = 1
WIDTH = 128


def main() -> None:
    introduce(SEED)
    for mean in (5, 50, 165):
        fast, plain = (scan_rate(GRU.scan, mean), scan_rate(fold, mean))
        print(
            f"scan, one thread, mean length {mean}: {fast:,.0f} events/s, fold {plain:,.0f}: {fast / plain:.1f} times"
        )
    for n_items, loss in ((1_700, "full"), (3_400, "full"), (18_000, "full"), (18_000, "sampled")):
        for rows in (8, 32, 64):
            rates = [step_rate(rows, threads, n_items, loss) for threads in (1, 2)]
            print(
                f"step, {n_items:,} items, {loss}, {rows} rows of 64: one thread {rates[0]:,.0f} events/s, "
                f"two {rates[1]:,.0f}: {rates[1] / rates[0]:.2f} times"
            )


def scan_rate(scan: object, mean: int, rows: int = 64, window: int = 64, repeats: int = 5) -> float:
    """Events a second of a forward and backward pass on one thread, where sessions have a mean length."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    cell = GRU(WIDTH, WIDTH)
    x = torch.randn(window, rows, WIDTH, requires_grad=True)
    starts = torch.rand(window, rows) < 1 / mean
    taken = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        y, _ = scan(cell, x, starts, cell.initial_state(rows))
        y.sum().backward()
        taken.append(time.perf_counter() - begin)
    return rows * window / float(np.median(taken[1:]))


def step_rate(rows: int, threads: int, n_items: int, loss: str, steps: int = 8) -> float:
    """Events a second of whole training steps: batch, forward, loss, backward, clipping, update."""
    torch.set_num_threads(threads)
    sequences = made_up(n_items)
    settings = TrainSettings(rows=rows, window=64, loss=loss)
    network = Network(n_items, rule=SessionRule(), width=WIDTH)
    trainer = Trainer(network, sequences, targets_of(sequences), settings, seed=SEED)
    batches = windows(sequences, rows=rows, window=64, rng=stream(SEED, "epoch 0"))
    trainer.step(next(batches), 0.5)
    begin, events = time.perf_counter(), 0
    for batch, _ in zip(batches, range(steps), strict=False):
        trainer.step(batch, 0.5)
        events += int((batch.place >= 0).sum())
    return events / (time.perf_counter() - begin)


def made_up(n_items: int, users: int = 800, mean: int = 100) -> Sequences:
    """Users with sequences of geometric length over items of a power law."""
    rng = stream(SEED, "log")
    user = np.repeat(np.arange(users), rng.geometric(1 / mean, users)).astype(np.int32)
    item = (n_items * rng.random(len(user)) ** 3).astype(np.int32)
    ids = Ids.of(map(str, range(max(n_items, users))))
    log = EventLog(users=ids, items=ids, user=user, item=item, time=np.arange(len(user), dtype=np.float64))
    return lay_out(log, gap=None, at_session_start="reset")


if __name__ == "__main__":
    main()
