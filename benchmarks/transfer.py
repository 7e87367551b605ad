"""What the core of a network of MovieLens-1M is worth to two small catalogs of films, other people and other ids.

    .venv/bin/python benchmarks/transfer.py                                  training included
    .venv/bin/python benchmarks/transfer.py --logs ml-100k --shares 5 --draws 1 --epochs 4 --source-users 600

- the source: the plain GRU over the films of ml-1m, with titles and genres as content; the last film of each user
  judges it.
- ml-latest-small, ml-100k: parted by time; the last tenth of the ratings is asked for, whoever was drawn to learn from.
  With the last film of each user in its place (`--split leave-one-out`) a twentieth of the users has so few to choose
  by that choice is luck.

Everything is chosen on validation; the test sets were looked at by this script alone. The source is kept in
`.transfer/`, by its options; the reports are written to transfer.json.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from machine import DATA, introduce, processor

import segue
from segue.choices import toml_value
from segue.cli.show import say
from segue.training.finetuning.finetune import prepare
from segue.training.finetuning.transfer import transfer_report
from segue.training.networks import Workshop

HERE = Path(__file__).parent
OUT, KEPT = HERE / "transfer.json", HERE / ".transfer"
SEED = 1


def many_films(users: int | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The ratings of ml-1m in the standard order, and its films."""
    frame = pl.read_parquet(DATA / "ml-1m" / "interactions.parquet").filter(pl.col("position_lrurec") >= 0)
    if users is not None:
        drawn = frame["user_id"].unique().sort().sample(users, seed=SEED)
        frame = frame.filter(pl.col("user_id").is_in(drawn.implode()))
    items = pl.read_parquet(DATA / "ml-1m" / "items.parquet")
    return frame.select("user_id", "item_id", "position"), told(items, "title", pl.col("genres").str.split("|"))


def latest_films() -> tuple[pl.DataFrame, pl.DataFrame]:
    """ml-latest-small, whose genre `Children` is `Children's` in ml-1m."""
    items = pl.read_parquet(DATA / "ml-latest-small" / "items.parquet")
    genres = pl.col("genres").str.split("|").list.eval(pl.element().replace("Children", "Children's"))
    return read("ml-latest-small"), told(items, "title", genres)


def early_films() -> tuple[pl.DataFrame, pl.DataFrame]:
    """ml-100k; the year goes into the title, as in ml-1m."""
    items = pl.read_parquet(DATA / "ml-100k" / "items.parquet")
    title = pl.format("{} ({})", "title", "year")
    return read("ml-100k"), told(items.with_columns(title=title), "title", pl.col("genres").str.split(" "))


def read(name: str) -> pl.DataFrame:
    return pl.read_parquet(DATA / name / "interactions.parquet").select("user_id", "item_id", "timestamp")


def told(items: pl.DataFrame, title: str, genres: pl.Expr) -> pl.DataFrame:
    return items.select("item_id", title, categories=genres)


LOGS = {"ml-latest-small": latest_films, "ml-100k": early_films}


def source(options: argparse.Namespace) -> segue.Recommender:
    """The network of ml-1m, trained once for each set of options."""
    kept = KEPT / f"users-{options.source_users or 'all'}-epochs-{options.source_epochs}-cosine-{options.cosine:g}"
    if kept.exists():
        return segue.load(kept)
    log, items = many_films(options.source_users)
    settings = {
        "seed": SEED,
        "split.kind": "leave-one-out",
        "evaluate.exclude": "seen",
        "model.cell": "gru",
        "model.block": "plain",
        "model.dropout": 0.3,
        "model.cosine": options.cosine,
        "train.loss": "full",
        "train.epochs": options.source_epochs,
        "train.rows": 32,
        "train.window": 64,
        "train.refit": False,
    }
    model = segue.fit(log, items=items, settings=settings, order_col="position", say=say)
    model.save(kept, say=say)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description="What a core of ml-1m is worth to small catalogs of films.")
    parser.add_argument("--logs", default=",".join(LOGS))
    parser.add_argument("--split", default="time")
    parser.add_argument("--shares", default="1,5,10,100")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--source-epochs", type=int, default=6)
    parser.add_argument("--source-users", type=int)
    parser.add_argument("--cosine", type=float, default=0.0, help="Of the source, and so of all.")
    parser.add_argument("--same-items", action="store_true", help="Only ids of ml-latest-small mean the same.")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="A setting of finetuning.")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    introduce(SEED)
    began = time.monotonic()
    origin = source(options)
    print(f"the source is there after {time.monotonic() - began:.0f} s", flush=True)
    more = {key: toml_value(value) for key, _, value in (one.partition("=") for one in options.set)}
    settings = {
        "seed": SEED,
        "split.kind": options.split,
        "evaluate.exclude": "seen",
        "train.epochs": options.epochs,
        **more,
    }
    for name in options.logs.split(","):
        log, items = LOGS[name]()
        began = time.monotonic()
        shares = [float(share) for share in options.shares.split(",")]
        given: dict[str, Any] = {"items": items, "same_items": options.same_items, "settings": settings}
        plan, beginning = prepare(origin.artifact, log, **given)
        say(beginning.told(plan.judge))
        shop = Workshop(plan.settings, say, lambda *_: None)
        report = transfer_report(plan, beginning, shop, shares=shares, draws=options.draws)
        for row in report.rows():
            print(*(cell.rjust(width) for cell, width in zip(row, (18, 13, 16, 30, 5), strict=True)))
        print(f"{name}: {report.verdict}", flush=True)
        rows = json.loads(options.out.read_text()) if options.out.exists() else {}
        rows[name] = {
            "command": command_of(options, name),
            "machine": processor(),
            "seconds": round(time.monotonic() - began),
            "report": msgspec.to_builtins(report),
        }
        options.out.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def command_of(options: argparse.Namespace, name: str) -> str:
    """The command that makes one log's report again."""
    words = [f"--logs {name} --split {options.split} --shares {options.shares} --draws {options.draws}"]
    words.append(f"--epochs {options.epochs}")
    words.append(f"--source-epochs {options.source_epochs} --cosine {options.cosine:g}")
    words += [f"--source-users {options.source_users}"] * bool(options.source_users)
    words += ["--same-items"] * options.same_items
    return f"python benchmarks/transfer.py {' '.join([*words, *(f'--set {one}' for one in options.set)])}"


if __name__ == "__main__":
    main()
