"""What is lost because a network does not see the type of an event: `.venv/bin/python benchmarks/event_types.py`.

A made-up shop where only the type says what matters. Each session has 12 different items drawn evenly, one of them put
into the cart and the others viewed, and then the purchase of the one item that belongs to the cart's. Whoever knows
which event was the cart is right always: ndcg@10 is 1. Whoever does not has 12 equal candidates: at best
sum of 1 / log2(1 + rank) over ranks 1 to 10, by 12, which is 0.379.

The same network learns the next purchase (`objective.targets`, `reach = ahead`) twice: from the log as it is, and from
one in which a cart's item has an id of its own, `cart:` before the item's. Rows go to event_types.json.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from machine import introduce, processor

import segue

OUT = Path(__file__).with_suffix(".json")
USERS, SESSIONS, SEEN, ITEMS = 400, 4, 12, 40
SETTINGS: dict[str, Any] = {
    "objective.targets": ["purchase"],
    "train.reach": "ahead",
    "train.threads": 1,
    "train.epochs": 12,
    "train.rows": 32,
    "train.window": 16,
    "train.learning_rate": 0.01,
    "train.refit": False,
    "model.width": 64,
    "model.dropout": 0.0,
    "model.embedding_dropout": 0.0,
    "evaluate.exclude": "none",
}


def shop(*, marked: bool) -> pl.DataFrame:
    """The log, whose cart events have ids of their own if they are marked."""
    rng = np.random.default_rng(1)
    belongs = rng.permutation(ITEMS)
    rows: list[tuple[str, str, str, int, str]] = []
    for user in range(USERS):
        for visit in range(SESSIONS):
            seen = rng.permutation(ITEMS)[:SEEN].tolist()
            cart = int(rng.integers(SEEN))
            at = 1_600_000_000 + int(rng.integers(86_400 * 30))
            for place, item in enumerate([*seen, int(belongs[seen[cart]])]):
                kind = "purchase" if place == SEEN else "cart" if place == cart else "view"
                name = f"cart:{item}" if marked and kind == "cart" else str(item)
                rows.append((f"u{user}", f"s{user}-{visit}", name, at + 30 * place, kind))
    names = ["user_id", "session_id", "item_id", "timestamp", "kind"]
    return pl.DataFrame(rows, schema=names, orient="row").sort("timestamp", maintain_order=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="What is lost where types are not seen.")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    introduce()
    rows = []
    for name, marked in (("as it is", False), ("carts have ids of their own", True)):
        for seed in range(1, options.seeds + 1):
            report = segue.fit(shop(marked=marked), settings={**SETTINGS, "seed": seed}, type_col="kind").trained_report
            network = next(row for row in report.rows if not row.baseline)
            figures = {metric: network.metrics[metric] for metric in ("ndcg@10", "recall@10")}
            row = {"log": name, "seed": seed, "predictions": network.predictions}
            row |= {metric: round(found.value or 0.0, 4) for metric, found in figures.items()}
            row["interval"] = [round(figures["ndcg@10"].low or 0.0, 4), round(figures["ndcg@10"].high or 0.0, 4)]
            rows.append(row)
            print(json.dumps(row), flush=True)
    found = {"command": "python benchmarks/event_types.py", "machine": processor(), "best_unseen_ndcg": 0.379}
    OUT.write_text(json.dumps({**found, "rows": rows}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
