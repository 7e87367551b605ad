"""What a configuration is worth on logs as a user would bring them: validation only, the test part is not touched.

    .venv/bin/python benchmarks/accuracy/defaults.py                     all logs, all candidates, one after another
    .venv/bin/python benchmarks/accuracy/defaults.py --logs ml-100k --candidates proposed,blocks
    .venv/bin/python benchmarks/accuracy/defaults.py --logs ml-100k --search 20   what 20 trials of `segue tune` find
    .venv/bin/python benchmarks/accuracy/defaults.py --page   the table of docs/defaults.md

Each log is read with no settings at all but its order where it has no times; what `inspect` proposes holds, and a
candidate changes some of it. `proposed` changes nothing. Rows are added to defaults.json: the best epoch's validation
metric (ndcg@10), that epoch, the seconds it all took.

A search begins at the proposal. Its trials are bent to the time they may take, and a short schedule is kinder to little
dropout than a long one: therefore its best and the proposal are trained in full at the end, as `segue train` would, and
`share` is what the proposal reaches of the other. The best was chosen by the events that judge it, so that the share is
rather more. A search that is cut off goes on where it stopped.
"""

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))
from logs import frame_of
from machine import DATA, introduce

from segue.choices import settings_tree
from segue.cli.show import progress
from segue.config import toml_of
from segue.data.log import read_log
from segue.training.networks import Workshop, choose_network
from segue.training.plan import Plan, plan_of
from segue.training.tuning.evidence import start_in
from segue.training.tuning.space import keys_of, space_of
from segue.training.tuning.tune import tune_plan
from segue.tuning import LEADING

OUT = Path(__file__).with_name("defaults.json")
PAGE = Path(__file__).parents[2] / "docs" / "defaults.md"
BEGIN, END = "<!-- searches:begin -->", "<!-- searches:end -->"
SEARCHES = Path(__file__).with_name(".runs") / "searches"
LOGS = ("ml-100k", "ml-latest-small", "serenade-shop", "amazon-beauty", "online-retail-ii", "diginetica", "ml-1m")
COSINE = {"model.cosine": 16.0, "train.loss": "full", "model.dropout": 0.2, "model.embedding_dropout": 0.3}
COSINE |= {"train.learning_rate": 3e-3}
BLOCKS = {"model.cell": "mingru", "model.block": "residual", "model.layers": 2, "model.convolution": 4}
BLOCKS |= {"model.dropout": 0.4, "model.embedding_dropout": 0.3}
CANDIDATES: dict[str, dict[str, Any]] = {
    "proposed": {},
    "gru": {"model.cell": "gru", "model.block": "plain", "model.cosine": 0.0, "train.loss": "full"},
    "gru-cosine": COSINE,
    "gru-cosine-dropped": {**COSINE, "model.dropout": 0.5, "model.embedding_dropout": 0.5},
    "blocks": BLOCKS,
    "blocks-64": {**BLOCKS, "model.width": 64},
    "blocks-cosine": {**BLOCKS, "model.cosine": 16.0, "train.loss": "full"},
    "blocks-3": {**BLOCKS, "model.layers": 3, "train.window": 200},
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Configurations on seven logs, by validation.")
    parser.add_argument("--logs", default=",".join(LOGS))
    parser.add_argument("--candidates", default=",".join(CANDIDATES))
    parser.add_argument("--search", type=int, help="in place of candidates: so many trials of a search")
    parser.add_argument(
        "--minutes",
        type=float,
        help="with --search: that each trial may take, the proposal's too; at least three epochs",
    )
    parser.add_argument("--set", action="append", default=[], help="a setting for all of them")
    parser.add_argument(
        "--page", action="store_true", help="write the table of docs/defaults.md from what was measured"
    )
    options = parser.parse_args()
    if options.page:
        write_page()
        return
    introduce(1)
    for log in options.logs.split(","):
        if options.search:
            row = searched(log, options.search, options.minutes, options.set)
            keep(log, "search", row, options.set)
            print(f"{log}: {row}", flush=True)
            if row["trials"] < options.search:
                print(f"{log}: only {row['trials']} trials fit; go on with more --minutes", flush=True)
            continue
        for name in options.candidates.split(","):
            row = tried(log, name, options.set)
            print(f"{log}, {name}: {row['value']:.4f} at epoch {row['epochs']}, {row['seconds']:.0f} s", flush=True)
            keep(log, name, row, options.set)


def keep(log: str, name: str, row: dict[str, Any], given: list[str]) -> None:
    """Add a row to the file; another process may have written to it meanwhile."""
    found = json.loads(OUT.read_text("utf-8")) if OUT.exists() else {}
    found.setdefault(log, {})[name + "".join(f" {one}" for one in given)] = row
    OUT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def plan_for(log: str, settings: dict[str, Any], given: list[str]) -> Plan:
    """The log with what is proposed for it, and these settings."""
    if log in ("ml-1m", "diginetica"):  # they have an order, but no times
        events = read_log(frame_of(log), order_col="position")
    else:
        events = read_log(pl.read_parquet(DATA / log / "interactions.parquet"))
    return plan_of(events, settings_tree(None, given, settings))


def tried(log: str, name: str, given: list[str]) -> dict[str, Any]:
    """One candidate on one log, chosen by its validation part."""
    return in_full(plan_for(log, CANDIDATES[name], given))


def in_full(plan: Plan) -> dict[str, Any]:
    """The best epoch of a whole training."""
    with progress() as show:
        shop = Workshop(plan.settings, lambda _: None, show)
        found = choose_network(plan.settings.model.cell, plan.choose, plan.judge, plan.rule, shop)
    best = max(value for _, value in found.curve if value is not None)
    return {"value": round(best, 5), "epochs": found.epochs, "seconds": round(found.seconds, 1)}


def searched(log: str, trials: int, minutes: float | None, given: list[str]) -> dict[str, Any]:
    """What a search finds, beside where it began."""
    plan = plan_for(log, {}, given)
    cells = list(dict.fromkeys([plan.settings.model.cell, *LEADING]))
    fixed = keys_of(settings_tree(None, given))
    # Of these settings and no others: a search cannot go on where something else was proposed.
    # What a trial may take is the study's: more minutes buy more trials, not longer ones.
    folder = SEARCHES / f"{log}-{hashlib.sha256(toml_of(plan.settings).encode()).hexdigest()[:8]}"
    with progress() as show:
        found = tune_plan(
            plan,
            cells,
            folder,
            started=time.monotonic(),
            trials=trials,
            budget=None if minutes is None else 60 * minutes * trials,
            fixed=fixed,
            resume=folder.exists(),
            say=lambda text: print(f"{log}: {text}", flush=True),
            show=show,
        )
    best = next(one for one in found.trials if one.number == found.best)
    start = start_in(space_of(plan.choose, plan.settings, cells, fixed), found.trials)
    assert best.value is not None
    assert start is not None, "what was proposed came to no end: there is nothing to compare with"
    assert start.value is not None
    same = start.number == best.number
    proposed = None if same else in_full(plan)
    tuned = None if same else in_full(plan._replace(settings=found.settings))
    return {
        "value": round(best.value, 5),
        "start": round(start.value, 5),
        "held_out": None if found.held_out is None else round(found.held_out, 5),
        "in_full": {"proposed": proposed, "tuned": tuned},
        "share": 1.0 if proposed is None or tuned is None else round(proposed["value"] / tuned["value"], 4),
        "trials": len(found.trials),
        "minutes_a_trial": round(max(one.seconds or 0.0 for one in found.trials if one.state == "complete") / 60, 1),
        "values": best.values,
        "seconds": round(found.seconds, 1),
    }


def write_page() -> None:
    """The searches as a table."""
    found = json.loads(OUT.read_text("utf-8"))
    lines = [
        "| log | proposed, in full | found by the search, in full | proposed / found | what the search found |",
        "|---|---|---|---|---|",
    ]
    for log in LOGS:
        row = found.get(log, {}).get("search")
        if row is None:
            continue
        tried = f"{row['trials']} trials of at most {row['minutes_a_trial']:g} min"
        both = row["in_full"]
        if both["proposed"] is None:
            lines.append(f"| {log} | | | 1 | in {tried} nothing better than the proposal |")
            continue
        figures = [f"{both[name]['value']:.4f} (epoch {both[name]['epochs']})" for name in ("proposed", "tuned")]
        values = ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in row["values"].items())
        lines.append(f"| {log} | {' | '.join(figures)} | **{row['share']:.2f}** | in {tried}: {values} |")
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    after = rest.split(END)[1]
    table = "\n".join(lines)
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
