"""What reasons cost: `.venv/bin/python benchmarks/explain.py [CELL ...]`, into explain.json.

For a list of 10 out of 50,000 items by a network of width 128 (the exported step, one thread): the history folded anew
without each of its last 50 events, in one session, so that every event counts and no row is dropped. Then the counts
of a log of 50,000 items: what they take on the disk and when a model is loaded, and a short list filled from them.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import safetensors.numpy
from machine import introduce
from untrained import model_of

from segue.artifact import load_artifact
from segue.data.sessions import Sequences
from segue.models.log_counts import LogCounts
from segue.serving.bundle import Bundle
from segue.serving.fold import refold
from segue.serving.lists.explain import differences, explain
from segue.serving.lists.fallback import Chain
from segue.serving.store.base import StoredEvent

OUT = Path(__file__).with_suffix(".json")
ITEMS, K, ROUNDS, EVENTS = 50_000, 10, 30, 3_000_000
HISTORIES = (10, 25, 50, 200)


def main(cells: list[str]) -> None:
    introduce(1)
    load = round(os.getloadavg()[0], 1)
    found: dict[str, Any] = {"command": "python benchmarks/explain.py", "load_before": load, "cells": {}}
    counts, found["counts"] = counted()
    print(f"counts of {ITEMS:,} items: {found['counts']}")
    chain, had = Chain(counts), np.array([5, 17, 3], np.int32)
    found["fill"] = timed(lambda: chain.fill(had, 20, left_out=had))
    print(f"20 places filled: {found['fill']}")
    for cell in cells:
        bundle = Bundle.of(load_artifact(model_of(ITEMS, cell), light=True))
        bundle = Bundle(bundle.model, bundle.item_ids, bundle.version, cell, counts=counts)
        found["cells"][cell] = row = {str(length): reasons_of(bundle, length) for length in HISTORIES}
        for length, figures in row.items():
            print(f"{cell}, {length} events: {figures}")
    OUT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def reasons_of(bundle: Bundle, length: int) -> dict[str, float]:
    """Milliseconds of the reasons of a list, and of folding the history once: by the clock, and of the processor."""
    draw = np.random.default_rng(1)
    names = [f"item {n}" for n in draw.integers(0, ITEMS, length)]
    events = [StoredEvent(seq, name, 1.6e9 + 30 * seq) for seq, name in enumerate(names, 1)]
    items = draw.integers(0, ITEMS, K).astype(np.int32)
    listed = [f"item {n}" for n in items]
    now = events[-1].time + 30
    check(bundle, events, items, now)
    whole, fold = timed(lambda: explain(bundle, events, listed, now)), timed(lambda: refold(bundle, events))
    ratio = round(whole["cpu_ms"] / fold["cpu_ms"], 1)
    return {**whole, **{f"fold_{name}": value for name, value in fold.items()}, "times_a_fold": ratio}


def check(bundle: Bundle, events: list[StoredEvent], items: Any, now: float) -> None:
    """No speed is reported of what is not right: some differences are worked out by folding alone."""
    left, found = differences(bundle, events, items, now, 50)
    assert len(left) == min(50, len(events))

    def alone(history: list[StoredEvent]) -> Any:
        return bundle.model.score(bundle.model.query(refold(bundle, history).state), items)[0]

    for row in (0, len(left) // 2, len(left) - 1):
        place = int(left[row])
        expected = alone(events) - alone([*events[:place], *events[place + 1 :]])
        np.testing.assert_allclose(found[row], expected, atol=1e-4)


def timed(work: Callable[[], Any]) -> dict[str, float]:
    """Of some rounds the median and the ninth decile, and the median of what this thread took of a processor."""
    taken, of_processor = [], []
    for _ in range(ROUNDS):
        begun, before = time.perf_counter(), time.thread_time()
        work()
        taken.append(1e3 * (time.perf_counter() - begun))
        of_processor.append(1e3 * (time.thread_time() - before))
    return {
        "ms": round(statistics.median(taken), 2),
        "p90_ms": round(float(np.percentile(taken, 90)), 2),
        "cpu_ms": round(statistics.median(of_processor), 2),
    }


def counted() -> tuple[LogCounts, dict[str, float]]:
    """The counts of a log whose items are as unequal as a shop's, and what they take."""
    draw = np.random.default_rng(1)
    # a step to a near item or to a popular one: popularity falls as 1 / rank
    popular = np.minimum(ITEMS ** draw.random(EVENTS), ITEMS - 1).astype(np.int64)
    item = np.where(
        draw.random(EVENTS) < 0.5, popular, (np.roll(popular, 1) * 7 + draw.integers(0, 30, EVENTS)) % ITEMS
    )
    user, opens = np.repeat(np.arange(EVENTS // 10), 10), np.arange(EVENTS) % 10 == 0
    bounds, place = np.arange(0, EVENTS + 1, 10), np.arange(EVENTS)
    log = Sequences(place, user, item.astype(np.int32), place * 1.0, opens, opens, bounds, np.arange(EVENTS // 10))
    begun = time.perf_counter()
    counts = LogCounts.of(log, ITEMS)
    made = time.perf_counter() - begun
    data = safetensors.numpy.save(counts.arrays())
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "counts").write_bytes(data)
        begun = time.perf_counter()
        loaded = LogCounts.loaded(safetensors.numpy.load((Path(folder) / "counts").read_bytes()), ITEMS)
        read = time.perf_counter() - begun
    return loaded, {
        "events": EVENTS,
        "items": ITEMS,
        "pairs": len(counts.times),
        "mb": round(len(data) / 1e6, 1),
        "made_s": round(made, 2),
        "read_ms": round(1e3 * read, 1),
    }


if __name__ == "__main__":
    main(sys.argv[1:] or ["gru"])
