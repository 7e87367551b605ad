"""What rules cost a list: `.venv/bin/python benchmarks/rules.py`, into rules.json.

Lists of 10 by networks of width 128 over 50,000 and 1,000,000 items, made by the bundle itself, one thread, not over
HTTP: the median and the ninth decile of 100 calls a row, in turns within one run. `cpu_ms` is the median of what the
thread took of a processor, and `times_plain` the ratio of that to a list without rules. `peak_mb` is what one list took
of memory. Items have a category of 1,000, one of 10, and a brand of 50.

- plain: no rules. product: no index, all items are scored.
- 10 rules: two boosts, a bury, two pins, two windows, items and a category denied, two kinds kept apart.
- 5,000 denied: as a scenario does. Windows of the catalog close 1 % and 30 % of it, drawn.
- boost, allow: 30 % of the catalog, by categories. seen: the user had 5,000 items.
- apart, too near: every second item must be one of a hundredth of the catalog, so that others are looked for.
- stranger: someone of whom nothing is known, plain and with rules, categories, or diversity.
- batch: 32 lists at once, a list.
- bind: from rules as they are written to rules for the catalog.
"""

import json
import os
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from machine import introduce, processor
from stranger_lists import strangers_of
from untrained import model_of

from segue.artifact import load_artifact
from segue.ranking.rules import bind
from segue.serving.bundle import Bundle
from segue.serving.fold import absorb, blank
from segue.serving.lists.answer import answer_all
from segue.serving.lists.applied import rules_of
from segue.serving.lists.asks import Question
from segue.serving.store.base import StoredEvent

OUT = Path(__file__).with_suffix(".json")
SIZES, K, CALLS, TURNS, TOGETHER, SEED = (50_000, 1_000_000), 10, 20, 5, 32, 1
KINDS, BRANDS, NOW = 1_000, 50, 1.7e9
CHECKED, LEAST_RECALL = 10, 0.95

Asked = tuple[Bundle, list[Question]]


def main() -> None:
    introduce(SEED)
    found: dict[str, Any] = {
        "command": "python benchmarks/rules.py",
        "machine": processor(),
        "load_before": round(os.getloadavg()[0], 1),
        "k": K,
        "sizes": {},
    }
    for n_items in SIZES:
        found["sizes"][str(n_items)] = measured(n_items)
    OUT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def measured(n_items: int) -> dict[str, Any]:
    """Each row by its name: milliseconds of a list, how many plain lists that is, and megabytes."""
    rng = np.random.default_rng(SEED)
    rows, bindings = rows_of(n_items, rng)
    recall = {name: checked(name, *asked) for name, asked in rows.items()}
    peak = {name: megabytes(lambda asked=asked: answer_all(asked[0], asked[1][:1])) for name, asked in rows.items()}
    works: dict[str, Callable[[int], Any]] = {
        name: lambda call, asked=asked: answer_all(asked[0], [asked[1][call]]) for name, asked in rows.items()
    }
    for name in ("plain", "windows close 30 %"):
        works[f"batch: {name}"] = lambda _, asked=rows[name]: answer_all(asked[0], asked[1][:TOGETHER])
    works |= {f"bind: {name}": lambda _, bound=bound: bound() for name, bound in bindings.items()}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for turn in range(TURNS):
        for name, work in works.items():
            many = TOGETHER if name.startswith("batch") else 1
            for call in range(3 if many > 1 or name == "product" else CALLS):
                begun, before = time.perf_counter(), time.thread_time()
                work(turn * CALLS + call)
                after = time.perf_counter() - begun, time.thread_time() - before
                taken[name].append((1e3 * after[0] / many, 1e3 * after[1] / many))
    report = {}
    for name, each in taken.items():
        clock, cpu = np.array(each).T
        report[name] = {
            "median_ms": round(float(np.median(clock)), 3),
            "p90_ms": round(float(np.quantile(clock, 0.9)), 3),
            "cpu_ms": round(float(np.median(cpu)), 3),
            "times_plain": round(float(np.median(cpu) / np.median(np.array(taken["plain"])[:, 1])), 2),
            **({"peak_mb": peak[name], "recall": recall[name]} if name in rows else {}),
        }
        print(f"{n_items:,} items, {name}: {report[name]}", flush=True)
    return report


def rows_of(n_items: int, rng: np.random.Generator) -> tuple[dict[str, Asked], dict[str, Callable[[], Any]]]:
    """What is asked in each row, and what is bound."""
    sale, rare = (set(rng.choice(n_items, count, replace=False).tolist()) for count in (5_000, n_items // 100))
    columns: dict[str, list[Any]] = {
        "categories": [
            [f"kind {n % KINDS}", f"department {n % 10}", *(["sale"] if n in sale else [])] for n in range(n_items)
        ],
        "brand": [f"brand {n % BRANDS}" for n in range(n_items)],
        "side": ["rare" if n in rare else "common" for n in range(n_items)],
    }
    bundle = replace(Bundle.of(load_artifact(model_of(n_items), light=True)), columns=columns)
    made_before(bundle)
    plain = [
        Question(absorb(bundle, blank(bundle), StoredEvent(1, item, NOW)), NOW, K, [item])
        for item in (f"item {n}" for n in rng.integers(0, n_items, CALLS * TURNS))
    ]

    def names(count: int) -> list[str]:
        return [f"item {n}" for n in rng.choice(n_items, count, replace=False)]

    third = ["department 1", "department 2", "department 3"]
    sets: dict[str, dict[str, Any]] = {
        "10 rules": {
            "boost": [{"items": names(20), "factor": 3}, {"categories": ["kind 5"], "factor": 2}],
            "bury": [{"categories": ["kind 7"], "shift": 1}],
            "pin": [{"item": item, "place": place} for place, item in zip((2, 5), names(2), strict=True)],
            "deny": {"items": names(50), "categories": ["kind 9"]},
            "apart": [{"by": "brand", "within": 2}, {"within": 1}],
            "windows": [{"categories": ["kind 11"], "until": NOW - 1}, {"items": names(20), "from": NOW - 1}],
        },
        "5,000 denied": {"deny": {"categories": ["sale"]}},
        "boost 30 %": {"boost": [{"categories": third, "factor": 2}]},
        "allow 30 %": {"allow": {"categories": third}},
        "apart, too near": {"apart": [{"by": "side", "within": 1}]},
    }
    rows = {"plain": (bundle, plain), "product": (replace(bundle, index=None), plain)}
    bindings: dict[str, Callable[[], Any]] = {}
    for name, written in sets.items():
        rules = rules_of(written)
        bindings[name] = lambda rules=rules: bind(rules, bundle.facts)
        bound = bindings[name]()
        rows[name] = (bundle, [question._replace(rules=bound) for question in plain])
    few = {name: sets[name] for name in ("10 rules", "boost 30 %")}
    rows |= strangers_of(bundle, few, NOW, K, np.random.default_rng(SEED))
    long = rules_of({"boost": [{"items": names(1_000), "factor": 2} for _ in range(5)]})
    bindings["5,000 names"] = lambda: bind(long, bundle.facts)
    seen = names(5_000)
    rows["seen 5,000"] = (bundle, [question._replace(left_out=[*seen, *question.left_out]) for question in plain])
    for share in (0.01, 0.3):
        closed = rng.random(n_items) < share
        begin = [NOW + 1 if shut else None for shut in closed.tolist()]
        windows = replace(bundle, columns=columns | {"available_from": begin})
        made_before(windows)
        rows[f"windows close {share:.0%}".replace("%", " %")] = (windows, plain)
    return rows, bindings


def made_before(bundle: Bundle) -> None:
    """What a server makes before it answers."""
    _ = bundle.item_ids.strings, bundle.by_category, bundle.facts.availability


def checked(name: str, bundle: Bundle, questions: list[Question]) -> float:
    """No speed is reported of what is not right: whole lists, and of the items by the product nearly all."""
    product, shares = replace(bundle, index=None), []
    for question in questions[:CHECKED]:
        listed, exact = ({item for item, _ in answer_all(one, [question])[0].items} for one in (bundle, product))
        if len(listed) != K or listed & set(question.left_out):
            raise SystemExit(f"{name}: {len(listed)} items, or some of those left out: nothing was measured")
        shares.append(len(listed & exact) / K)
    if np.mean(shares) < LEAST_RECALL:
        raise SystemExit(f"{name}: {np.mean(shares):.3f} of the best were found: nothing was measured")
    return round(float(np.mean(shares)), 3)


def megabytes(work: Callable[[], Any]) -> float:
    """What a list takes of memory at most, beside what is there."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return round(peak / 1e6, 1)


if __name__ == "__main__":
    main()
