"""What one event costs: `.venv/bin/python benchmarks/step.py`, into step.json.

Each cell at width 128, one user, one thread: the median of 1,000 steps, by PyTorch and by the exported graph, in turns
within one run. Then the whole of an event in a store, with a history of 10 and of 10,000 events.
"""

import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from machine import introduce

from segue.cells import CELLS
from segue.data.ids import Ids
from segue.models.base import Event, Model, SessionRule
from segue.models.build import restore
from segue.models.network import Network
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.store.folder import StoreFolder

OUT = Path(__file__).with_suffix(".json")
RULE = SessionRule(None, "reset")
ITEMS, WIDTH, STEPS, ROUNDS = 1000, 128, 200, 5
BLOCKS = {"block": "residual", "layers": 3, "convolution": 4}
HISTORIES = (10, 100, 1_000, 10_000)


def main() -> None:
    introduce(1)
    torch.set_num_threads(1)
    found: dict[str, Any] = {"command": "python benchmarks/step.py", "cells": {}}
    for name, settings in [
        *((cell, {"cell": cell}) for cell in CELLS),
        ("mingru, 3 blocks", {"cell": "mingru", **BLOCKS}),
    ]:
        found["cells"][name] = row = steps_of(settings)
        print(f"{name}: PyTorch {row['torch_us']:.1f} us, exported {row['exported_us']:.1f} us, {row['bytes']:,} bytes")
    for name in ("gru", "attention"):
        found[f"events of {name}"] = row = events_of(name)
        print(f"{name}, an event stored: " + ", ".join(f"{us:.0f} us after {n:,}" for n, us in row.items()))
    OUT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def network_of(n_items: int, **settings: Any) -> Network:
    """An untrained network: what it has learned costs nothing."""
    torch.manual_seed(1)
    network = Network(n_items, rule=RULE, width=WIDTH, **settings).eval()
    network.settle()
    return network


def steps_of(settings: dict[str, Any]) -> dict[str, float]:
    """Microseconds of a step, by PyTorch and by the graph, in turns."""
    network = network_of(ITEMS, **settings)
    twin = restore("network", ITEMS, RULE, network.settings(), network.arrays(), network.exported())
    taken: dict[str, list[float]] = {"torch_us": [], "exported_us": []}
    for _ in range(ROUNDS):
        for name, model in (("torch_us", network), ("exported_us", twin)):
            taken[name] += stepped(model)
    state = twin.initial_state(1)
    return {name: round(statistics.median(each), 2) for name, each in taken.items()} | {
        "bytes": sum(array.nbytes for array in state.values())
    }


def stepped(model: Model) -> list[float]:
    """Microseconds of so many steps, the first tenth left out."""
    state, taken = model.initial_state(1), []
    for number in range(STEPS):
        event = Event(np.array([number % ITEMS], np.int32), np.array([1.6e9 + number]), np.array([number == 0]))
        begun = time.perf_counter()
        state = model.step(event, state)
        taken.append(1e6 * (time.perf_counter() - begun))
    return taken[STEPS // 10 :]


def bundle_of(cell: str) -> Bundle:
    """A model to serve."""
    network = network_of(ITEMS, cell=cell)
    twin = restore("network", ITEMS, RULE, network.settings(), network.arrays(), network.exported())
    return Bundle(twin, Ids.of(f"i{n}" for n in range(ITEMS)), "v", cell)


def events_of(cell: str) -> dict[int, float]:
    """Microseconds of an event of a user with so many before, stored without a wait for the disk."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(bundle_of(cell), StoreFolder(folder, durability="fast"))
        users = {n: f"user {n}" for n in HISTORIES}
        for n, user in users.items():
            for begin in range(0, n, 1000):
                engine.observe([LiveEvent(user, f"i{t % ITEMS}", float(t)) for t in range(begin, min(n, begin + 1000))])
        taken: dict[int, list[float]] = {n: [] for n in HISTORIES}
        for number in range(STEPS):
            for n, user in users.items():
                begun = time.perf_counter()
                engine.observe([LiveEvent(user, f"i{number % ITEMS}", 1e6 + number)])
                taken[n].append(1e6 * (time.perf_counter() - begun))
        engine.close()
    return {n: round(statistics.median(each), 1) for n, each in taken.items()}


if __name__ == "__main__":
    main()
