"""Baselines on `serenade-shop` beside the published VMIS-kNN figure.

    PYTHONPATH=src python benchmarks/serenade_neighbours.py --data ../shared/data/serenade-shop

Trains on split=train and predicts every next click of split=test (931 predictions). The item just clicked may
not be answered; full ranking, ties count against us. Published by Serenade (README, 931 events, 500 sessions,
last 2 clicks): recall@20 0.6402, mrr@20 0.3277. Deterministic: there is no seed.
"""

from __future__ import annotations

import argparse
import platform
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
import polars as pl

from segue.data.events import EventLog, log_of
from segue.data.sessions import lay_out
from segue.models.base import Event, Model, SessionRule, advance
from segue.models.markov import Markov
from segue.models.neighbours import Neighbours
from segue.models.popularity import Popularity
from segue.models.recent_popularity import RecentPopularity
from segue.ranking import Exclusions, rank_of
from segue.shapes import Array, Ints

RULE = SessionRule(gap=None, at_session_start="reset")
K = 20


class Pairs(NamedTuple):
    """P predictions in order: the event clicked, and the item clicked next in the session."""

    event: Event
    following: Array


def read(folder: Path, split: str) -> EventLog:
    """The log of one split; each session is its own user. Items are named by their number."""
    table = pl.read_parquet(folder / "interactions.parquet").with_row_index("row")
    table = table.filter(pl.col("split") == split).sort("timestamp", "row")
    sessions, items = (table[name].cast(pl.String).to_list() for name in ("session_id", "item_id"))
    return log_of(sessions, items, table["timestamp"].to_list(), session=table["session_id"].to_numpy())


def pairs_of(log: EventLog, item: Array) -> Pairs:
    """Every click that has a next one in its session."""
    laid = lay_out(log, gap=None, at_session_start="reset", item=item)
    following = np.append(np.where(laid.opens[1:], -2, laid.item[1:]), -2)
    return Pairs(Event(laid.item, laid.time, laid.opens), following)


def ranks_of(model: Model, pairs: Pairs) -> tuple[Ints, float]:
    """The rank of each next click, and the mean milliseconds of one score."""
    ranks, spent = [], 0.0
    state = model.initial_state(1)
    for i, target in enumerate(pairs.following):
        event = Event(pairs.event.item[i : i + 1], pairs.event.time[i : i + 1], pairs.event.opens[i : i + 1])
        state = advance(model, event, event.opens, state)
        if target == -2:
            continue
        begin = perf_counter()
        scores = model.score(model.query(state))
        spent += perf_counter() - begin
        ranks.append(rank_of(scores, pairs.following[i : i + 1], Exclusions(np.array([0]), event.item)))
    return np.concatenate(ranks), 1e3 * spent / len(ranks)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/serenade-shop"))
    folder = parser.parse_args().data
    train, test = read(folder, "train"), read(folder, "test")
    item = train.items.places_of(test.items)[test.item]
    pairs = pairs_of(test, item)
    sequences = lay_out(train, gap=None, at_session_start="reset")
    n = len(train.items)
    models: dict[str, Model] = {
        "popularity": Popularity(n, rule=RULE).fit(sequences),
        "recent popularity, half-life 0.03": RecentPopularity(n, rule=RULE, half_life=0.03).fit(sequences),
        "markov": Markov(n, rule=RULE).fit(sequences),
    }
    for sessions, clicks in ((500, 2), (5000, 10)):
        neighbours = Neighbours(n, rule=RULE, sessions=sessions, neighbours=100, clicks=clicks)
        begin = perf_counter()
        models[f"sknn, {sessions} sessions, 100 neighbours, {clicks} clicks"] = neighbours.fit(sequences)
        print(f"index of {sessions} sessions an item: {perf_counter() - begin:.2f} s")
    print(f"{platform.processor() or platform.machine()}, numpy {np.__version__}, {n} items")
    print(f"{'model':45} {'n':>4} recall@{K} mrr@{K} ms/score")
    for name, model in models.items():
        ranks, spent = ranks_of(model, pairs)
        hits = ranks <= K
        print(f"{name:45} {len(ranks):4} {hits.mean():9.4f} {(hits / ranks).mean():6.4f} {spent:8.3f}")


if __name__ == "__main__":
    main()
