"""Every cell on two logs, in one and the same network: what each is worth, and what it costs.

    .venv/bin/python benchmarks/accuracy/cells.py               both logs, into cells.json and docs/cells.md
    .venv/bin/python benchmarks/accuracy/cells.py --log ml-100k one of them; the other is kept

One seed: the intervals are of the predictions, not of seeds. Epochs are chosen for each cell on validation; all other
settings are the same for all, and were chosen for none of them. One thread, so that nothing in a table depends on how
many there are.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))
from logs import frame_of
from machine import DATA, introduce

from segue import api
from segue.cells import CELLS
from segue.cli.show import print_report, progress, say

HERE = Path(__file__).parent
OUT = HERE / "cells.json"
PAGE = HERE.parents[1] / "docs" / "cells.md"
BEGIN, END = "<!-- cells:begin -->", "<!-- cells:end -->"
NETWORK = {"model.block": "residual", "model.layers": 2, "model.width": 64, "model.convolution": 0}
NETWORK |= {"model.cosine": 16.0, "train.rows": 32, "train.epochs": 12, "train.patience": 3, "train.threads": 1}
LOGS: dict[str, dict[str, Any]] = {
    "ml-100k": {
        "model.dropout": 0.4,
        "model.embedding_dropout": 0.4,
        "train.loss": "full",
        "train.learning_rate": 3e-3,
        "train.window": 64,
        "train.metric": "ndcg@10",
    },
    "serenade-shop": {
        "model.dropout": 0.2,
        "model.embedding_dropout": 0.3,
        "train.loss": "sampled",
        "train.learning_rate": 1e-2,
        "train.window": 16,
        "train.metric": "mrr@20",
        "split.kind": "column",
        "evaluate.exclude": "current",
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Every cell on two logs.")
    parser.add_argument("--log", choices=LOGS, help="by default both")
    parser.add_argument("--page", action="store_true", help="only write the page, from cells.json")
    options = parser.parse_args()
    if not options.page:
        introduce(1)
        measure([options.log] if options.log else list(LOGS))
    found = json.loads(OUT.read_text("utf-8"))
    text = PAGE.read_text("utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    tables = "\n".join(table(name, found[name]) for name in LOGS if name in found)
    PAGE.write_text(f"{before}{BEGIN}\n{tables}{END}{after}", "utf-8")


def measure(names: list[str]) -> None:
    """Train, judge and keep all models on each of these logs."""
    for name in names:
        settings = {**NETWORK, **LOGS[name]}
        frame = frame_of(name) if name == "serenade-shop" else pl.read_parquet(DATA / name / "interactions.parquet")
        with progress() as show:
            report = api.compare(frame, models=[*CELLS, "mix"], settings=settings, say=say, show=show)
        print_report(report)
        command = f"python benchmarks/accuracy/cells.py --log {name}"
        facts = {"command": command, "seeds": 1, "chosen_on": "validation", "settings": settings}
        found = json.loads(OUT.read_text("utf-8")) if OUT.exists() else {}  # by now it may have the other log
        found[name] = {**facts, **msgspec.to_builtins(report)}
        OUT.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def table(name: str, report: dict[str, Any]) -> str:
    """The rows of a log as Markdown."""
    main = report["main"]
    lines = [
        f"**{name}** (`{report['command']}`)",
        "",
        f"| model | {main} | parameters | training, events/s | step, µs | state, bytes | peak, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        value, cost = row["metrics"][main], row["cost"]
        figure = f"{value['value']:.4f} ({value['low']:.4f} to {value['high']:.4f})"
        columns = [f"{cost['parameters']:,}", whole(cost["events_per_s"]), f"{cost['step_us']:.0f}"]
        columns += [f"{cost['state_bytes']:,}", whole(cost["peak_memory_mb"])]
        of = row["settings"].get("network", {}).get("cell")
        name = f"`{row['model']}`" + (f" of `{of}` and `sknn`" if of else "")
        lines.append(f"| {name} | {figure} | {' | '.join(columns)} |")
    return "\n".join(lines) + "\n\n"


def whole(value: float | None) -> str:
    """A number without digits that mean nothing."""
    return "" if value is None else f"{value:,.0f}"


if __name__ == "__main__":
    main()
