"""What an items table is worth: items that nobody met, rare ones, and whether ids alone would do as well.

    .venv/bin/python benchmarks/content.py                       cold, rare, ml-1m; three seeds
    .venv/bin/python benchmarks/content.py --cases "cold;rare"
    .venv/bin/python benchmarks/content.py --users 300 --epochs 1 --seeds 1    whether it runs; writes nothing

- cold: Online Retail II with 10 % of the items, drawn by the seed, hidden from training: their events before the test
  part are dropped. In the test part they are asked for, ranked against the whole catalog, beside chance and content
  neighbours (`segue evaluate --new-items`); further rows are of other lifts, of which none was chosen here.
- rare: Amazon Beauty and MovieLens latest-small, each user's last item, among those the targets with 1 to 9 training
  events of both logs together: recall@20 of the network with the items table, and of the same with ids alone. The order
  within a day, which means nothing, is drawn.
- ml-1m: genres and titles against ids alone on all targets, in ndcg@10; the network of `frontier.py`.

Networks are chosen by validation and learn both parts anew. Differences are paired: of each prediction the mean over
the seeds, whole users resampled. Rows are added to content.json.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from frontier import films, shop
from machine import DATA, introduce, processor

import segue
from segue import api
from segue.cli.show import progress, say
from segue.evaluation.replay import replay
from segue.metrics import Bootstrap, parse
from segue.rng import stream
from segue.shapes import Array
from segue.training.networks import Workshop, fit_network

OUT = Path(__file__).with_suffix(".json")
HIDDEN, TEST = 0.1, 0.1
LIFTS = 0.0, 1.0, 2.0
RARE = 10
BEAUTY = {
    "split": {"kind": "leave-one-out"},
    "evaluate": {"exclude": "seen"},
    "model": {"block": "plain", "width": 128, "cosine": 16.0, "dropout": 0.4, "embedding_dropout": 0.4},
    "train": {"loss": "full", "rows": 32, "window": 16, "learning_rate": 3e-3, "epochs": 12},
}
RARE_LOGS = {"amazon-beauty": BEAUTY, "ml-latest-small": {**BEAUTY, "train": {**BEAUTY["train"], "window": 64}}}


class Options(NamedTuple):
    """What is run: `users` of a log (0: all), `epochs` (0: as the case says)."""

    seeds: int
    users: int
    epochs: int


class Answers(NamedTuple):
    """Of P predictions the user, the training events of the target, and two metrics."""

    user: Array
    learned: Array
    recall: Array
    ndcg: Array


def main() -> None:
    parser = argparse.ArgumentParser(description="What an items table is worth.")
    parser.add_argument("--cases", default=";".join(CASES), help="by semicolons")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--users", type=int, default=0, help="so many users of each log; then nothing is written")
    parser.add_argument("--epochs", type=int, default=0)
    given = parser.parse_args()
    introduce()
    options = Options(given.seeds, given.users, given.epochs)
    for case in given.cases.split(";"):
        started = time.process_time()
        found = CASES[case](options)
        command = f"python benchmarks/content.py --cases {case} --seeds {options.seeds}"
        seeds = list(range(1, options.seeds + 1))
        entry = {"command": command, "machine": processor(), "seeds": seeds, **found}
        entry["cpu_s"] = round(time.process_time() - started)
        print(json.dumps({"case": case, **{key: value for key, value in entry.items() if key != "rows"}}), flush=True)
        if not (options.users or options.epochs):
            rows = json.loads(OUT.read_text()) if OUT.exists() else {}
            OUT.write_text(json.dumps({**rows, case: entry}, indent=1) + "\n", "utf-8")


def cold(options: Options) -> dict[str, Any]:
    """Items hidden from training, asked in the test part."""
    frame, items = drawn(shop()[0], options.users), pl.read_parquet(DATA / "online-retail-ii" / "items.parquet")
    rows = []
    for seed in range(1, options.seeds + 1):
        log, hidden = without_hidden(frame, seed)
        share = log.filter(pl.col("timestamp") >= cutoff_of(frame)).height / log.height
        settings = {"seed": seed, "split.test": share, **({"train.epochs": options.epochs} if options.epochs else {})}
        with progress() as show:
            model = segue.fit(log, items=items, settings=settings, say=say, show=show)
        met = hidden & set(model.item_ids)
        assert not met, f"{len(met)} hidden items were learned from"
        for lift in LIFTS:
            found = model.evaluate_new_items(log, items, lift=lift)
            row = {"seed": seed, "lift": lift, "new_items": found.new_items, "n_items": found.n_items + found.new_items}
            row |= {"undescribed": found.undescribed, "predictions": found.predictions, "last": found.last}
            for name, one in found.cold.items():
                row |= {
                    name: rounded(one.network.value),
                    f"{name} interval": [rounded(one.network.low), rounded(one.network.high)],
                    f"{name} of chance": rounded(one.chance),
                    f"{name} of neighbours": rounded(one.neighbours.value),
                    f"{name} over neighbours": told(one.difference),
                    f"{name} cost of known": told(found.known[name].difference),
                }
            print(json.dumps({"case": "cold", **row}), flush=True)
            rows.append(row)
    plain = [row for row in rows if not row["lift"]]
    mean = {
        key: float(np.mean([row[f"recall@20{key}"] for row in plain])) for key in ("", " of chance", " of neighbours")
    }
    return {
        "recall@20": rounded(mean[""]),
        "times chance": rounded(mean[""] / mean[" of chance"]),
        "times neighbours": rounded(mean[""] / max(mean[" of neighbours"], 1e-9)),
        "asked for": "at least 5 times chance, and 1.2 times neighbours",
        "rows": rows,
    }


def without_hidden(frame: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, set[str]]:
    """The log without the earlier events of items that are drawn, and these."""
    ids = frame["item_id"].unique().sort().to_numpy()
    hidden = set(stream(seed, "hidden items").permutation(ids)[: int(len(ids) * HIDDEN)].tolist())
    late = pl.col("timestamp") >= cutoff_of(frame)
    return frame.filter(late | ~pl.col("item_id").is_in(list(hidden))), hidden


def cutoff_of(frame: pl.DataFrame) -> Any:
    """The time from which on events are asked for."""
    return frame["timestamp"].sort()[int(len(frame) * (1 - TEST))]


def rare(options: Options) -> dict[str, Any]:
    """Both logs, and their rare targets together."""
    parts, pooled = {}, []
    for number, name in enumerate(RARE_LOGS):
        frame = pl.read_parquet(DATA / name / "interactions.parquet").select("user_id", "item_id", "timestamp")
        frame = drawn(frame, options.users).sample(fraction=1.0, shuffle=True, seed=1)
        items = pl.read_parquet(DATA / name / "items.parquet").drop("s3rec_item", strict=False)
        both = compared(frame, items, RARE_LOGS[name], {}, options)
        few = [one._replace(**{key: value[rarely(one)] for key, value in one._asdict().items()}) for one in both]
        parts[name] = {"all": gain(both), "rare": gain(few)}
        print(json.dumps({"case": "rare", "log": name, **parts[name]}), flush=True)
        pooled.append([one._replace(user=one.user + number * 10_000_000) for one in few])
    whole = [
        Answers(*(np.concatenate(column) for column in zip(*side, strict=True))) for side in zip(*pooled, strict=True)
    ]
    return {"pooled": gain(whole), "asked for": "recall@20 of pooled at least 20 % above ids alone", **parts}


def rarely(one: Answers) -> Array:
    return (one.learned > 0) & (one.learned < RARE)


def ml_1m(options: Options) -> dict[str, Any]:
    """All targets of a log in which few items are rare."""
    frame, columns, settings = films()
    items = pl.read_parquet(DATA / "ml-1m" / "items.parquet")
    both = compared(drawn(frame, options.users), items, settings, columns, options)
    return {**gain(both), "asked for": "ndcg@10 not below ids alone"}


CASES = {"cold": cold, "rare": rare, "ml-1m": ml_1m}


def compared(
    frame: pl.DataFrame, items: pl.DataFrame, tree: dict[str, Any], columns: dict[str, Any], options: Options
) -> list[Answers]:
    """The network with the items table and with ids alone, of each prediction the mean over the seeds."""
    sides: list[list[Answers]] = [[], []]
    for seed in range(1, options.seeds + 1):
        epochs = {"epochs": options.epochs} if options.epochs else {}
        settings = {**tree, "seed": seed, "train": {**tree["train"], **epochs}}
        plan = api.prepare(frame, items=items, settings=settings, columns=columns)
        bare = plan._replace(choose=plan.choose._replace(content=None), judge=plan.judge._replace(content=None))
        for note in plan.notes:
            say(f"note: {note}")
        for side, one in zip(sides, (plan, bare), strict=True):
            with progress() as show:
                shop = Workshop(one.settings, say, show)
                model = fit_network(one.settings.model.cell, one.choose, one.judge, one.rule, shop).model
            side.append(answers(model, one))
            row = {"content": one is plan, "seed": seed, "ndcg@10": rounded(float(side[-1].ndcg.mean()))}
            print(
                json.dumps({**row, "rare recall@20": rounded(float(side[-1].recall[rarely(side[-1])].mean()))}),
                flush=True,
            )
    return [
        side[0]._replace(**{name: np.mean([getattr(one, name) for one in side], axis=0) for name in ("recall", "ndcg")})
        for side in sides
    ]


def answers(model: Any, plan: Any) -> Answers:
    found = replay(model, plan.judge.replayed, plan.judge.asked, exclude=plan.settings.evaluate.exclude, k=1)
    learned = np.where(found.target >= 0, plan.judge.counts[np.maximum(found.target, 0)], 0)
    values = [metric(found.rank, k) for metric, k in map(parse, ("recall@20", "ndcg@10"))]  # type: ignore[arg-type]
    return Answers(found.user.astype(np.int64), learned, *values)


def gain(both: list[Answers]) -> dict[str, Any]:
    """Figures with content and without, and the difference with its interval and p."""
    ours, plain = both
    resamples = Bootstrap(ours.user, rng=stream(1, "gain"), replicates=2000)
    found: dict[str, Any] = {"predictions": len(ours.user), "users": len(np.unique(ours.user))}
    for name, key in (("recall@20", "recall"), ("ndcg@10", "ndcg")):
        one, other = getattr(ours, key), getattr(plain, key)
        difference = resamples.compare(one, other)
        base = float(other.mean())
        found[name] = {
            "with content": rounded(float(one.mean())),
            "ids alone": rounded(base),
            "difference": [rounded(value) for value in difference],
            "relative": rounded(difference.difference / base) if base else None,
        }
    return found


def drawn(frame: pl.DataFrame, users: int) -> pl.DataFrame:
    """All users, or some."""
    if not users:
        return frame
    names = stream(1, "users").permutation(frame["user_id"].unique().sort().to_numpy())[:users]
    return frame.filter(pl.col("user_id").is_in(names.tolist()))


def told(difference: dict[str, float | None]) -> list[float | None]:
    return [rounded(difference[name]) for name in ("difference", "low", "high", "p")]


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


if __name__ == "__main__":
    main()
