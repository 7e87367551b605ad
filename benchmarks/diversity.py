"""What it costs to make a list diverse: `.venv/bin/python benchmarks/diversity.py`, into diversity.json.

20 of 200 candidates, one thread: the median and the ninth decile of 500 calls a strategy, in turns within one run, at
a knob of 0.3, with item vectors of width 128, 20 categories and random scores. Beside them a plain MMR that compares
every candidate with the whole list at every place, as the formula stands.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from machine import introduce

from segue.ranking.diversity import STRATEGIES, Kinds, Known, Pool, relevance

OUT = Path(__file__).with_suffix(".json")
ITEMS, CANDIDATES, K, WIDTH, KINDS, KNOB = 20_000, 200, 20, 128, 20, 0.3
POOLS, ROUNDS = 100, 5
LIMITS_MS = {"mmr": 0.2, "dpp": 1.0}
SEED = 1


def main() -> None:
    introduce(SEED)
    rng = np.random.default_rng(SEED)
    known, pools = made_up(rng)
    asked: dict[str, Callable[[Pool], Any]] = {
        name: lambda pool, strategy=strategy: strategy(pool, K, KNOB, rng) for name, strategy in STRATEGIES.items()
    }
    asked["mmr, plain"] = plain
    for pool in pools[:10]:
        if asked["mmr"](pool).tolist() != plain(pool).tolist():
            raise SystemExit("the fast MMR and the plain one differ: nothing was measured")
    asked["the pool itself"] = lambda pool: known.pool(pool.items, pool.scores, pool.taste)
    taken: dict[str, list[float]] = {name: [] for name in asked}
    for turn in range(ROUNDS):
        for name, ask in asked.items():
            if name == "mmr, plain" and turn:
                continue  # slow, and the same each time
            for pool in pools:
                begun = time.perf_counter()
                ask(pool)
                taken[name].append(1e3 * (time.perf_counter() - begun))
    rows = {
        name: {"median_ms": round(float(np.median(each)), 4), "p90_ms": round(float(np.quantile(each, 0.9)), 4)}
        for name, each in taken.items()
    }
    for name, row in rows.items():
        limit = f", expected under {LIMITS_MS[name]} ms" if name in LIMITS_MS else ""
        print(f"{name}: {row['median_ms']:.3f} ms, nine of ten under {row['p90_ms']:.3f} ms{limit}")
    ratio = round(rows["mmr, plain"]["median_ms"] / rows["mmr"]["median_ms"], 1)
    print(f"plain MMR takes {ratio} times as long")
    found = {"command": "python benchmarks/diversity.py", "candidates": CANDIDATES, "k": K, "knob": KNOB}
    OUT.write_text(json.dumps({**found, "rows": rows, "plain_over_fast": ratio}, indent=1) + "\n", "utf-8")


def made_up(rng: np.random.Generator) -> tuple[Known, list[Pool]]:
    """A catalog of random vectors and categories, and the pools of some requests."""
    vectors = rng.normal(size=(ITEMS, WIDTH)).astype(np.float32) + 0.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = np.array([f"kind {number}" for number in range(KINDS)])
    kinds = Kinds.of([rng.choice(names, size=1 + rng.integers(3), replace=False).tolist() for _ in range(ITEMS)])
    shares = rng.pareto(1.0, ITEMS)
    known = Known(vectors, "made up", kinds, shares / shares.sum(), rng.random(ITEMS) < 0.1)
    pools = []
    for _ in range(POOLS):
        scores = np.sort(rng.normal(size=CANDIDATES))[::-1].astype(np.float32)
        taste = rng.random(KINDS)
        pools.append(known.pool(rng.choice(ITEMS, CANDIDATES, replace=False), scores, taste / taste.sum()))
    return known, pools


def plain(pool: Pool) -> np.ndarray:
    """MMR as its formula stands: every candidate with everything in the list, at every place."""
    assert pool.vectors is not None
    worth, chosen = relevance(pool.scores), [0]
    while len(chosen) < K:
        rest = [place for place in range(len(worth)) if place not in chosen]
        near = [max(0.0, *(float(pool.vectors[one] @ pool.vectors[other]) for other in chosen)) for one in rest]
        value = [(1 - KNOB) * worth[one] - KNOB * like for one, like in zip(rest, near, strict=True)]
        chosen.append(rest[int(np.argmax(value))])
    return np.array(chosen)


if __name__ == "__main__":
    main()
