"""What an objective is worth: the same network taught every next event, and taught what the business asks for.

    .venv/bin/python benchmarks/objectives.py                  funnel, ratings, revenue; three seeds
    .venv/bin/python benchmarks/objectives.py --cases "ratings;revenue"
    .venv/bin/python benchmarks/objectives.py --cases ratings --counting

Both are chosen by the validation predictions that the objective asks for, and asked for the same events of the test
part; beside them the best of the baselines, which count what is asked for. The difference of the two is paired: of each
prediction the mean over the seeds, whole users resampled.

- funnel: views, carts and purchases made up so that the answer is known (`segue.data.synthetic.funnel`).
- ratings: MovieLens latest-small, films with 20 ratings or more; a film that will be rated 4 or better.
  `ratings, ahead` is the same with `train.reach = ahead`.
- revenue: a shop's invoices (Online Retail II), 500 customers, purchases and cancellations; an event counts by what was
  paid, and the network is chosen by `revenue_recall@10`.

Rows are added to objectives.json.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

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
TAUGHT = "the objective", "every next event"
CUSTOMERS = 500


def shop_log() -> EventLog:
    """Invoices with what was paid; cancellations have a type of their own, and are worth nothing."""
    frame = pl.read_parquet(DATA / "online-retail-ii" / "interactions.parquet").filter(pl.col("user_id").is_not_null())
    customers = np.random.default_rng(1).permutation(frame["user_id"].unique().sort().to_numpy())[:CUSTOMERS]
    frame = frame.filter(pl.col("user_id").is_in(customers.tolist()))
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
    """Films with 20 ratings or more."""
    frame = pl.read_parquet(DATA / "ml-latest-small" / "interactions.parquet")
    frame = frame.filter(pl.len().over("item_id") >= 20)
    return read_log(frame, weight_col="rating")


def joined(tree: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two trees of settings, section by section."""
    merged = {key: {**tree[key], **other[key]} for key in tree.keys() & other.keys()}
    return {**tree, **other, **merged}


QUICK = {
    "model": {"width": 64},
    "train": {
        "threads": 1,
        "epochs": 12,
        "rows": 32,
        "window": 16,
        "learning_rate": 5e-3,
        "refit": False,
        "validation_predictions": 2000,
    },
}
BUYING = {"targets": ["purchase"]}
BY_WORTH = "revenue_recall@10"
SHOP = {"train": {"metric": BY_WORTH, "epochs": 8}}

CASES: dict[str, tuple[Callable[[], EventLog], dict[str, Any], dict[str, Any]]] = {
    "funnel": (
        lambda: funnel()[0],
        {"objective": BUYING, "train": {"reach": "ahead"}},
        {"evaluate": {"exclude": "none"}},
    ),
    "ratings": (rated_log, {"objective": {"at_least": 4.0}}, QUICK),
    "ratings, ahead": (rated_log, {"objective": {"at_least": 4.0}, "train": {"reach": "ahead"}}, QUICK),
    "revenue": (shop_log, {"objective": {**BUYING, "by_weight": True}}, joined(QUICK, SHOP)),
}


class Answers(NamedTuple):
    """What a model answered: a row of figures, and of each prediction its user, hit, ndcg and worth."""

    row: dict[str, Any]
    user: Array
    hit: Array
    ndcg: Array
    worth: Array


def main() -> None:
    parser = argparse.ArgumentParser(description="What an objective is worth.")
    parser.add_argument("--cases", default="funnel;ratings;revenue", help="by semicolons")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--counting", action="store_true", help="the counting baselines both ways, and no network")
    options = parser.parse_args()
    introduce()
    for case in options.cases.split(";") if options.counting else ():
        found = json.loads(OUT.read_text())
        found[case]["counting"] = counting(case)
        OUT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    for case in () if options.counting else options.cases.split(";"):
        started = time.process_time()
        answers = [found for seed in range(1, options.seeds + 1) for found in compared(case, seed)]
        means = []
        for name in dict.fromkeys(found.row["taught"] for found in answers):
            rows = [found.row for found in answers if found.row["taught"] == name]
            of = {key: round(float(np.mean([row[key] for row in rows])), 4) for key in ("recall", "ndcg", "by_worth")}
            means.append({"taught": name, "seeds": len(rows), **of})
        entry = {"k": K, "machine": processor(), "cpu_s": round(time.process_time() - started), "means": means}
        entry |= {"gain": gain(answers), "rows": [found.row for found in answers]}
        print(json.dumps({"case": case, "means": means, "gain": entry["gain"]}), flush=True)
        found = json.loads(OUT.read_text()) if OUT.exists() else {}
        found[case] = entry
        OUT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def gain(answers: list[Answers]) -> dict[str, list[float]]:
    """What the objective gains on every next event, with the bounds of its interval, and p."""
    ours, plain = ([found for found in answers if found.row["taught"] == name] for name in TAUGHT)
    first = ours[0]
    resamples = Bootstrap(first.user, rng=stream(1, "gain"), replicates=2000)

    def mean(of: list[Answers], key: str) -> Array:
        return np.asarray(np.mean([getattr(found, key) for found in of], axis=0))

    asked = {"recall": ("hit", None), "ndcg": ("ndcg", None), "by_worth": ("hit", first.worth)}
    return {
        name: [round(value, 4) for value in resamples.compare(mean(ours, key), mean(plain, key), weights)]
        for name, (key, weights) in asked.items()
    }


def compared(case: str, seed: int) -> list[Answers]:
    """The answers of the network with the objective, of the plain one, and with the first seed of the best baseline."""
    read, objective, settings = CASES[case]
    log = read()
    tree = {**settings, "seed": seed}
    asked, plain = plan_of(log, joined(tree, objective)), plan_of(log, tree)
    assert len(asked.judge.catalog) == len(plain.judge.catalog)
    answers = [measured(case, seed, TAUGHT[0], fitted(asked), asked.judge, asked)]
    taught = plain._replace(
        choose=asked.choose._replace(learned=plain.choose.learned),
        judge=asked.judge._replace(learned=plain.judge.learned),
    )
    answers.append(measured(case, seed, TAUGHT[1], fitted(taught), asked.judge, asked))
    if seed > 1:  # nothing is drawn in a baseline
        return answers
    names = [name for name in BASELINES if name != "recent_popularity" or log.timed]
    baselines = {
        name: fit_baseline(name, asked.choose, asked.judge, asked.rule, asked.settings, lambda _: None).model
        for name in names
    }
    others = [measured(case, seed, name, model, asked.judge, asked) for name, model in baselines.items()]
    by = "by_worth" if asked.settings.train.metric == BY_WORTH else "ndcg"
    return [*answers, max(others, key=lambda found: found.row[by])]


def counting(case: str) -> dict[str, list[float]]:
    """What baselines reach in ndcg that count every event, and what is asked for; the gain, its bounds, and p."""
    read, objective, settings = CASES[case]
    log = read()
    asked, plain = plan_of(log, joined(settings, objective)), plan_of(log, settings)
    gains = {}
    for name in ("popularity", "recent_popularity", "markov"):
        both = []
        for of in (asked, plain):
            phases = (asked.choose._replace(learned=of.choose.learned), asked.judge._replace(learned=of.judge.learned))
            model = fit_baseline(name, *phases, asked.rule, asked.settings, lambda _: None).model
            taught = TAUGHT[of is plain]
            both.append(measured(case, 1, taught, model, asked.judge, asked))
        gains[name] = [both[1].row["ndcg"], both[0].row["ndcg"], *gain(both)["ndcg"]]
    return gains


def fitted(plan: Plan) -> Any:
    with progress() as show:
        shop = Workshop(plan.settings, print, show)
        return fit_network(plan.settings.model.cell, plan.choose, plan.judge, plan.rule, shop).model


def measured(case: str, seed: int, taught: str, model: Any, phase: Phase, plan: Plan) -> Answers:
    found = replay(model, phase.replayed, phase.asked, exclude=plan.settings.evaluate.exclude, k=K)
    sequences, _ = only_users_with(phase.replayed, phase.asked)
    assert sequences.worth is not None
    worth = np.asarray(sequences.worth[found.place], np.float64)
    hit = (found.rank <= K).astype(float)
    ndcg = np.where(hit > 0, 1 / np.log2(1.0 + found.rank.astype(float)), 0.0)
    resamples = Bootstrap(found.user, rng=stream(seed, "bootstrap"), replicates=500)
    interval = resamples.interval(ndcg)
    row = {
        "taught": taught,
        "seed": seed,
        "predictions": len(hit),
        "users": len(np.unique(found.user)),
        "recall": round(float(hit.mean()), 4),
        "ndcg": round(float(ndcg.mean()), 4),
        "ndcg_interval": [round(float(interval.low), 4), round(float(interval.high), 4)],
        "by_worth": round(float((hit * worth).sum() / worth.sum()), 4),
    }
    print(json.dumps({"case": case, **row}), flush=True)
    return Answers(row, found.user, hit, ndcg, worth)


if __name__ == "__main__":
    main()
