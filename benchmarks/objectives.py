"""What an objective is worth: the same network taught every next event, and taught what the business asks for.

    .venv/bin/python benchmarks/objectives.py                  all cases, three seeds; about an hour on two cores
    .venv/bin/python benchmarks/objectives.py --cases funnel

Both are chosen by the validation predictions that the objective asks for, learn anew from training and validation, and
are asked for the same events of the test part; beside them the best of the baselines, which count what is asked for.

- funnel: views, carts and purchases made up so that the answer is known (`segue.data.synthetic.funnel`).
- ratings: MovieLens latest-small; a film that will be rated 4 or better.
- revenue: a shop's invoices (Online Retail II), purchases and cancellations; an event counts by what was paid.

Rows are added to objectives.json.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from machine import DATA, introduce, processor

from segue.cli.show import progress
from segue.data.events import EventLog
from segue.data.log import read_log
from segue.data.synthetic import funnel
from segue.evaluation.phase import Phase
from segue.evaluation.replay import only_users_with, replay
from segue.metrics import Bootstrap
from segue.models.build import BASELINES
from segue.rng import stream
from segue.shapes import Array
from segue.training.candidates import fit_baseline
from segue.training.networks import Workshop, fit_network
from segue.training.plan import Plan, plan_of

OUT = Path(__file__).with_suffix(".json")
K = 10


def shop_log() -> EventLog:
    """Invoices with what was paid; cancellations have a type of their own, and are worth nothing."""
    frame = pl.read_parquet(DATA / "online-retail-ii" / "interactions.parquet").filter(pl.col("user_id").is_not_null())
    cancelled = pl.col("invoice").str.starts_with("C")
    frame = frame.filter(cancelled | ((pl.col("quantity") > 0) & (pl.col("price") > 0)))
    paid = (pl.col("quantity") * pl.col("price")).clip(0).cast(pl.Float32)
    frame = frame.with_columns(
        kind=pl.when(cancelled).then(pl.lit("cancellation")).otherwise(pl.lit("purchase")), paid=paid
    )
    # the order inside an invoice means nothing: it is drawn
    frame = frame.sample(fraction=1.0, shuffle=True, seed=1)
    return read_log(frame.select("user_id", "item_id", "timestamp", "kind", "paid"), type_col="kind", weight_col="paid")


def rated_log() -> EventLog:
    frame = pl.read_parquet(DATA / "ml-latest-small" / "interactions.parquet")
    return read_log(frame, weight_col="rating")


CASES: dict[str, tuple[Callable[[], EventLog], dict[str, Any], dict[str, Any]]] = {
    "funnel": (
        lambda: funnel()[0],
        {"objective": {"targets": ["purchase"]}, "train": {"reach": "ahead"}},
        {"evaluate": {"exclude": "none"}},
    ),
    "ratings": (rated_log, {"objective": {"at_least": 4.0}}, {}),
    "ratings, weighted": (
        rated_log,
        {"objective": {"at_least": 4.0, "by_weight": True, "half_life": "365d"}},
        {},
    ),
    "revenue": (shop_log, {"objective": {"targets": ["purchase"], "by_weight": True}}, {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="What an objective is worth.")
    parser.add_argument("--cases", default=",".join(name for name in CASES if "," not in name))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    introduce()
    for case in options.cases.split(","):
        rows = [row for seed in range(1, options.seeds + 1) for row in compared(case, seed)]
        for name in dict.fromkeys(row["taught"] for row in rows):
            of = [row for row in rows if row["taught"] == name]
            means = {key: round(float(np.mean([row[key] for row in of])), 4) for key in ("recall", "ndcg", "by_worth")}
            print(json.dumps({"case": case, "taught": name, "seeds": len(of), **means}), flush=True)
        found = json.loads(OUT.read_text()) if OUT.exists() else {}
        found[case] = {"k": K, "machine": processor(), "rows": rows}
        OUT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def compared(case: str, seed: int) -> list[dict[str, Any]]:
    """A row for the plain network, the one with the objective, and the best baseline."""
    read, objective, settings = CASES[case]
    log = read()
    tree = {**settings, "seed": seed}
    asked, plain = plan_of(log, {**tree, **objective}), plan_of(log, tree)
    assert len(asked.judge.catalog) == len(plain.judge.catalog)
    rows = [measured(case, seed, "the objective", fitted(asked), asked.judge, asked)]
    taught = plain._replace(
        choose=asked.choose._replace(learned=plain.choose.learned),
        judge=asked.judge._replace(learned=plain.judge.learned),
    )
    rows.append(measured(case, seed, "every next event", fitted(taught), asked.judge, asked))
    names = [name for name in BASELINES if name != "recent_popularity" or log.timed]
    baselines = {
        name: fit_baseline(name, asked.choose, asked.judge, asked.rule, asked.settings, lambda _: None).model
        for name in names
    }
    others = [measured(case, seed, name, model, asked.judge, asked) for name, model in baselines.items()]
    return [*rows, max(others, key=lambda row: row["ndcg"])]


def fitted(plan: Plan) -> Any:
    with progress() as show:
        shop = Workshop(plan.settings, print, show)
        return fit_network(plan.settings.model.cell, plan.choose, plan.judge, plan.rule, shop).model


def measured(case: str, seed: int, taught: str, model: Any, phase: Phase, plan: Plan) -> dict[str, Any]:
    found = replay(model, phase.replayed, phase.asked, exclude=plan.settings.evaluate.exclude, k=K)
    worth = worth_of_targets(phase, found.place)
    hit = (found.rank <= K).astype(float)
    ndcg = np.where(hit > 0, 1 / np.log2(1.0 + found.rank.astype(float)), 0.0)
    resamples = Bootstrap(found.user, rng=stream(seed, "bootstrap"), replicates=500)
    interval = resamples.interval(ndcg)
    row = {
        "taught": taught,
        "seed": seed,
        "predictions": len(hit),
        "recall": round(float(hit.mean()), 4),
        "ndcg": round(float(ndcg.mean()), 4),
        "ndcg_interval": [round(float(interval.low), 4), round(float(interval.high), 4)],
        "by_worth": round(float((hit * worth).sum() / worth.sum()), 4),
    }
    print(json.dumps({"case": case, **row}), flush=True)
    return row


def worth_of_targets(phase: Phase, place: Array) -> Array:
    """What the targets are worth."""
    sequences, _ = only_users_with(phase.replayed, phase.asked)
    assert sequences.worth is not None
    return np.asarray(sequences.worth[place], np.float64)


if __name__ == "__main__":
    main()
