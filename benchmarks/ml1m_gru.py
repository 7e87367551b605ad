"""A plain GRU of one layer on MovieLens-1M, leave-one-out, item ids only.

    .venv/bin/python benchmarks/ml1m_gru.py

The protocol of the published rows: the 3,416 films with five ratings or more, the standard order, the last item of
each user is the test, the second-last chooses the epoch; seen items are left out of the ranking. The best plain GRU
published has ndcg@10 0.168, hr@10 0.289. The time printed is of choosing the epoch and of learning anew, without
the baselines. Bars: ndcg@10 0.160 in 15 minutes.
"""

import argparse
import sys
from pathlib import Path

import polars as pl
from machine import DATA, introduce

from segue import api
from segue.cli.show import print_report, progress, say

SETTINGS = {
    "split.kind": "leave-one-out",
    "evaluate.exclude": "seen",
    "model.cell": "gru",
    "model.block": "plain",
    "model.dropout": 0.3,
    "train.epochs": 6,
    "train.rows": 32,
    "train.window": 64,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="A plain GRU on MovieLens-1M.")
    parser.add_argument("--data", type=Path, default=DATA / "ml-1m" / "interactions.parquet")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    introduce(options.seed)
    print(f"settings: {SETTINGS}", flush=True)
    frame = pl.read_parquet(options.data).filter(pl.col("position_lrurec") >= 0)
    frame = frame.select("user_id", "item_id", "position")
    with progress() as show:
        report = api.compare(
            frame,
            settings={**SETTINGS, "seed": options.seed},
            say=say,
            show=show,
            order_col="position",
        )
    print_report(report)
    row = next(row for row in report.rows if row.model == "gru")
    ndcg, hr = row.metrics["ndcg@10"].value, row.metrics["hr@10"].value
    print(f"gru: ndcg@10 {ndcg:.4f}, hr@10 {hr:.4f}, trained in {row.seconds:.0f} s")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
