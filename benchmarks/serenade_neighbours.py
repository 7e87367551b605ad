"""Baselines on `serenade-shop` beside the published VMIS-kNN figure.

    .venv/bin/python benchmarks/serenade_neighbours.py

Learns from split=train and predicts every next click of split=test (931 predictions), as the publisher did; the item
just clicked may not be answered; full ranking, ties count against us. Published by Serenade (its README; 500 sessions,
last 2 clicks): recall@20 0.6402, mrr@20 0.3277. Deterministic: there is no seed.
"""

import argparse
from pathlib import Path
from time import perf_counter

from machine import DATA, introduce

from segue.data.log import read_log
from segue.data.splits import TEST, VALID, by_column
from segue.evaluation.judge import rank_values
from segue.evaluation.phase import phase_of
from segue.evaluation.replay import replay
from segue.models.base import SessionRule
from segue.models.build import kind_of

ROWS = (
    ("popularity", {}),
    ("recent_popularity", {"half_life": 0.03}),
    ("markov", {}),
    ("sknn", {"sessions": 500, "neighbours": 100, "clicks": 2}),
    ("sknn", {"sessions": 5000, "neighbours": 100, "clicks": 10}),
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Baselines on serenade-shop.")
    parser.add_argument("--data", type=Path, default=DATA / "serenade-shop" / "interactions.parquet")
    introduce()
    log = read_log(str(parser.parse_args().data))
    rule = SessionRule(gap=None, at_session_start="reset")
    phase = phase_of(log, by_column(log), rule, ask=TEST, learn_below=VALID)
    print("published: sknn, 500 sessions, last 2 clicks: recall@20 0.6402, mrr@20 0.3277")
    for name, settings in ROWS:
        started = perf_counter()
        model = kind_of(name)(len(phase.catalog), rule=rule, **settings).fit(phase.learned)
        fitted = perf_counter()
        found = replay(model, phase.replayed, phase.asked, exclude="current")
        recall, mrr = (rank_values(metric, found).mean() for metric in ("recall@20", "mrr@20"))
        print(
            f"{name} {settings or ''}: recall@20 {recall:.4f}, mrr@20 {mrr:.4f} over {len(found.rank)} predictions "
            f"(fit {fitted - started:.1f} s, asked {perf_counter() - fitted:.1f} s)"
        )


if __name__ == "__main__":
    main()
