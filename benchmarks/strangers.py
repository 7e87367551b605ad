"""What a stranger should get: the network's initial state, what is trending, or what is popular.

    .venv/bin/python benchmarks/strangers.py                     all logs; a few minutes each on one core
    .venv/bin/python benchmarks/strangers.py --logs ml-100k --loss full

The first event of every user of whom nothing was learned, under a split in time: recall@20 of the list that each gives
to someone of whom nothing is known, with intervals of whole users. The network is a GRU of width 64, trained for at
most --epochs; `trending` is the server's own chain. The validation part decides (there all have learned from the
training part), and the test part is reported (there from both). Where a model begins a session with its initial state,
the first events of later sessions are asked for as well (`returning`).

Rows are added to strangers.json.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import polars as pl
from machine import DATA, introduce, processor

from segue.cli.show import progress
from segue.data.events import EventLog
from segue.data.log import read_log
from segue.evaluation.phase import Phase
from segue.metrics import Bootstrap
from segue.models.base import Model
from segue.models.log_counts import LogCounts
from segue.rng import stream
from segue.serving.lists.fallback import Chain
from segue.shapes import Array, Longs
from segue.training.candidates import fit_baseline
from segue.training.networks import Workshop, choose_network, learn_anew
from segue.training.plan import plan_of

OUT = Path(__file__).with_suffix(".json")
LOGS = ("ml-latest-small", "ml-100k", "online-retail-ii", "serenade-shop")
SMALL = {
    "model": {"cell": "gru", "block": "plain", "layers": 1, "width": 64},
    "train": {"negatives": 512, "rows": 32, "learning_rate": 0.005, "validation_predictions": 2000, "threads": 1},
}
K = 20


def main() -> None:
    parser = argparse.ArgumentParser(description="What a stranger should get.")
    parser.add_argument("--logs", default=",".join(LOGS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--loss", default="sampled")
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args()
    introduce(options.seed)
    for log in options.logs.split(","):
        rows = measured(log, options.seed, options.loss, options.epochs)
        found = json.loads(OUT.read_text("utf-8")) if OUT.exists() else {}
        given = f"--logs {log} --seed {options.seed} --loss {options.loss} --epochs {options.epochs}"
        command = f"python benchmarks/strangers.py {given}"
        found[log if options.loss == "sampled" else f"{log}, {options.loss}"] = {
            "command": command,
            "seed": options.seed,
            "machine": processor(),
            "k": K,
            "rows": rows,
        }
        OUT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def events_of(log: str) -> EventLog:
    """A log; of a shop's invoices what was bought by whom, the order inside an invoice, which means nothing, drawn."""
    frame = pl.read_parquet(DATA / log / "interactions.parquet")
    if log == "online-retail-ii":
        sold = ~pl.col("invoice").str.starts_with("C") & (pl.col("quantity") > 0) & pl.col("user_id").is_not_null()
        frame = frame.filter(sold).sample(fraction=1.0, shuffle=True, seed=1)
        frame = frame.select("user_id", "item_id", "timestamp")
    return read_log(frame)


def measured(log: str, seed: int, loss: str, epochs: int) -> list[dict[str, Any]]:
    """A row for each part and group of a log."""
    train = {**SMALL["train"], "loss": loss, "epochs": epochs}
    given = {**SMALL, "train": train, "split": {"kind": "time"}, "seed": seed}
    plan = plan_of(events_of(log), given)
    baselines = {
        name: fit_baseline(name, plan.choose, plan.judge, plan.rule, plan.settings, print)
        for name in ("popularity", "recent_popularity")
    }
    half_life = baselines["recent_popularity"].settings["half_life"]
    with progress() as show:
        shop = Workshop(plan.settings, print, show)
        cell = plan.settings.model.cell
        chosen = choose_network(cell, plan.choose, plan.judge, plan.rule, shop)
        final = learn_anew(cell, chosen, plan.judge, plan.rule, shop)
    rows = []
    for part, phase, model in (("valid", plan.choose, chosen.model), ("test", plan.judge, final.model)):
        groups = {"strangers": first_events(phase)}
        if plan.rule.resets:
            groups["returning"] = later_sessions(phase)
        for group, places in groups.items():
            if len(places):
                about = {"log": log, "part": part, "group": group, "epochs": chosen.epochs, "half_life": half_life}
                rows.append(about | compared(phase, model, places, half_life, seed))
                print(json.dumps(rows[-1]), flush=True)
    return rows


def first_events(phase: Phase) -> Longs:
    """The places of the first events of users of whom nothing was learned."""
    first = phase.replayed.bounds[:-1]
    return np.asarray(first[~phase.earlier[first]], np.int64)


def later_sessions(phase: Phase) -> Longs:
    """The places, in the part that is asked, of the first events of sessions that are not their users' first."""
    opens = phase.replayed.opens & ~phase.earlier
    opens[phase.replayed.bounds[:-1]] = False
    return np.flatnonzero(opens)


def compared(phase: Phase, model: Model, places: Longs, half_life: float, seed: int) -> dict[str, Any]:
    """recall@20 of the three lists before events, and how far the state is before what is trending."""
    n_items = len(phase.catalog)
    target, user = phase.replayed.item[places], phase.replayed.user[places]
    state = model.initial_state(1)
    counts = LogCounts.of(phase.learned, n_items, cutoff=phase.cutoff, half_life=half_life)
    chain = Chain(counts).order(np.zeros(0, np.int32), np.ones(n_items, bool), K)
    lists = {
        "initial_state": best(model.score(model.query(state, state["time"]))[0]),
        "trending": chain.items,
        "popularity": best(counts.events),
    }
    hits = {name: np.isin(target, items).astype(float) for name, items in lists.items()}
    resamples = Bootstrap(user, rng=stream(seed, "bootstrap"))
    row: dict[str, Any] = {"events": len(places), "users": len(np.unique(user)), "unknown": int((target < 0).sum())}
    for name, hit in hits.items():
        row[name] = [round(float(bound), 4) for bound in resamples.interval(hit)]
    for other in ("initial_state", "popularity"):
        found = resamples.compare(hits["trending"], hits[other])
        row[f"trending - {other}"] = [round(float(bound), 4) for bound in found]
    return row


def best(scores: Array) -> Array:
    """The first items by score; of equals the lower index."""
    return np.argsort(-scores, kind="stable")[:K]


if __name__ == "__main__":
    main()
