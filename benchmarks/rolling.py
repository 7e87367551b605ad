"""A shop week after week: a network kept, updated, and trained anew, beside session neighbours fitted as often.

    .venv/bin/python benchmarks/rolling.py                                  eight weeks of online-retail-ii
    .venv/bin/python benchmarks/rolling.py --customers 300 --epochs 2 --weeks 2 --out -     a minute: does it run?

Purchases of known customers; what an item is (its title) is content. The network is what `segue train --final` makes
of all events before --from; then each week is asked before it is learned. The weeks before --from chose nothing but
what every training chooses on its own last part. Settings of updates (--set) are to be chosen with an earlier --from
than the one that is reported: --from 2010-07-05 is for that.

The goal: updated within 2 % ndcg@10 of retrained, at a tenth of the time. Rows are added to rolling.json, the picture
is docs/pictures/rolling.svg.
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from frontier import shop
from machine import DATA, introduce, processor

import segue
from segue.choices import settings_tree
from segue.cli.rolling import print_rolling
from segue.cli.show import progress, say
from segue.training.rolling.report import Rolling

HERE = Path(__file__).parent
OUT, KEPT = HERE / "rolling.json", HERE / ".rolling"
PICTURE = HERE.parent / "docs" / "pictures" / "rolling.svg"
NAME = "online-retail-ii"
NEAR, SHARE = 0.02, 0.1
"""The goal: how near in ndcg@10, in which share of the time."""


def main() -> None:
    parser = argparse.ArgumentParser(description="A shop week after week.")
    parser.add_argument("--from", dest="first", default="2010-10-04", help="The day of the first week (UTC).")
    parser.add_argument("--weeks", type=int, default=9, help="The first one included, in which nobody has learned yet.")
    parser.add_argument("--every", default="7d")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=20, help="Of training, at most.")
    parser.add_argument("--customers", type=int, help="So many, those with the first ids; all by default.")
    parser.add_argument("--set", action="append", default=[], help="A setting of updates, such as update.replay=2.")
    parser.add_argument("--train-set", action="append", default=[], help="A setting of training.")
    parser.add_argument("--out", default=str(OUT), help="A .json file to add a row to; - for none.")
    options = parser.parse_args()
    introduce(options.seed)
    frame, items = events(options.customers), pl.read_parquet(DATA / NAME / "items.parquet")
    first = datetime.fromisoformat(options.first).replace(tzinfo=UTC)
    model = trained(frame, items, first, options)
    with progress() as show:
        found = model.rolling(
            frame,
            every=options.every,
            weeks=options.weeks,
            items=items,
            settings=settings_tree(None, options.set),
            say=say,
            show=show,
        )
    print_rolling(found)
    reached = goal(found)
    print(f"goal: {reached}", flush=True)
    if options.out == "-":
        return
    file = Path(options.out)
    rows = json.loads(file.read_text("utf-8")) if file.exists() else {}
    command = " ".join(["python", "benchmarks/rolling.py", *sys.argv[1:]])
    rows[command] = {"machine": processor(), "seed": options.seed, "goal": reached, **told(found, model)}
    file.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    PICTURE.write_text(found.chart(), "utf-8")


def events(customers: int | None) -> pl.DataFrame:
    """What known customers bought, of all of them or of some."""
    frame, _, _ = shop()
    if customers is None:
        return frame
    some = frame.get_column("user_id").unique().sort().head(customers)
    return frame.filter(pl.col("user_id").is_in(some.implode()))


def trained(
    frame: pl.DataFrame, items: pl.DataFrame, first: datetime, options: argparse.Namespace
) -> segue.Recommender:
    """A network of all events before a day, or the one that was trained so before."""
    chosen = [f"seed={options.seed}", f"train.epochs={options.epochs}", "train.final=true", *options.train_set]
    parts = [options.first, f"seed{options.seed}", f"epochs{options.epochs}", f"customers{options.customers or 'all'}"]
    kept = KEPT / "-".join([*parts, *(one.replace("/", "_") for one in options.train_set)])
    if kept.exists():
        say(f"the network of {kept} is taken; remove it to train it anew")
        return segue.load(kept)
    before = frame.filter(pl.col("timestamp") < int(first.timestamp()))
    early = items.filter(pl.col("item_id").is_in(before.get_column("item_id").unique().implode()))
    with progress() as show:
        model = segue.fit(before, items=early, model="gru", settings=settings_tree(None, chosen), say=say, show=show)
    model.save(kept, say=say)
    return model


def goal(found: Rolling) -> dict[str, Any]:
    """Whether updated models are near enough to retrained ones, in as little of the time."""
    near = next(one.relative for one in found.differences if one.against == "retrained" and one.metric == "ndcg@10")
    share = found.time_share
    return {
        "ndcg@10 of updated to retrained": [rounded(near.value), rounded(near.low), rounded(near.high)],
        "share of the time": rounded(share),
        "near enough": near.value is not None and near.value >= -NEAR,
        "soon enough": share is not None and share <= SHARE,
    }


def told(found: Rolling, model: segue.Recommender) -> dict[str, Any]:
    """Weeks in short."""
    return {
        "network": model.artifact.settings.model.cell,
        "cutoff": model.artifact.facts.cutoff,
        "predictions": found.predictions,
        "users": found.users,
        "weeks": [
            {
                "week": week.number,
                "begins": week.begins_utc,
                "events": week.events,
                "predictions": week.predictions,
                "compared": week.compared,
                "models": {
                    name: {
                        **{metric: rounded(value.value) for metric, value in one.metrics.items()},
                        "unknown": one.unknown,
                        "passes": rounded(one.passes),
                        "seconds": one.seconds,
                        "learning": one.learning,
                    }
                    for name, one in week.models.items()
                },
            }
            for week in found.weeks
        ],
        "overall": {
            name: {
                metric: [rounded(end) for end in (value.value, value.low, value.high)] for metric, value in of.items()
            }
            for name, of in found.overall.items()
        },
        "differences": [
            {
                "of": f"{one.model} to {one.against}",
                "metric": one.metric,
                "relative": [rounded(end) for end in (one.relative.value, one.relative.low, one.relative.high)],
                **{name: rounded(value) for name, value in one.difference.items()},
            }
            for one in found.differences
        ],
        "seconds": found.seconds,
        "verdicts": found.verdicts,
        "notes": found.notes,
    }


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


if __name__ == "__main__":
    main()
