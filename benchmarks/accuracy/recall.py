"""Which cells carry an item over 100, 1,000 and 5,000 events, learned through windows of 64 with the state carried.

    .venv/bin/python benchmarks/accuracy/recall.py                                   all rows, into recall.json
    .venv/bin/python benchmarks/accuracy/recall.py --cells mingru --distances 1000   some of them; the others are kept

The log is `segue.data.synthetic.recall`: a cue seen once decides the answer after `distance` fillers and a probe. Every
tested episode has the whole distance; histories to learn from have shorter ones too. Windows are shorter than what is
asked: gradients reach back 64 events, the state reaches on. A row is one network: it learns from 4 million events (with
repeats; 12 million for the longest distance), and is asked for each answer of 32 other histories. `accuracy` is the
share of answers in the first place of the whole catalog; a guesser who knows that an answer is due reaches `chance`.
Settings were chosen by hand with seed 1, which is not among those that are reported.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from machine import introduce

from segue.data.catalog import Catalog
from segue.data.sessions import Sequences
from segue.data.synthetic import recall
from segue.evaluation.replay import replay
from segue.shapes import Bools
from segue.training.loop import train_network
from segue.training.networks import new_network
from segue.training.plan import Plan, plan_of

OUT = Path(__file__).with_name("recall.json")
CUES, WINDOW, WIDTH = 8, 64, 32
LEARNING, ASKED = 96, 32
"""Histories."""

EVENTS = {100: 4_000_000, 1_000: 4_000_000, 5_000: 12_000_000}
"""That a row learns from, by distance."""

PLAIN = {"cell": "gru", "block": "plain", "layers": 1, "convolution": 0, "cosine": 0.0}
BLOCKS = {"model.block": "residual", "model.layers": 2, "train.learning_rate": 3e-3}
CELLS: dict[str, dict[str, Any]] = {
    **{cell: {"cell": cell} for cell in ("mingru", "rglru", "gru", "lstm", "gated", "elman", "conv", "attention")},
    "gated-cosine": {"cell": "gated", "model.cosine": 16.0},
    "mingru-blocks": {"cell": "mingru", **BLOCKS},
    "mingru-every-event": {"cell": "mingru", "targets": "every event", "times": 3},
    "mingru-reset": {"cell": "mingru", "carried": False},
}
"""By the name of the row: a setting, or one of what `row` takes."""


def main() -> None:
    parser = argparse.ArgumentParser(description="How far cells remember.")
    parser.add_argument("--cells", default=",".join(CELLS), help="names of rows, with commas between")
    parser.add_argument("--distances", default=",".join(map(str, EVENTS)))
    parser.add_argument("--seeds", default="2,3,4")
    options = parser.parse_args()
    introduce()
    for seed in map(int, options.seeds.split(",")):
        for distance in map(int, options.distances.split(",")):
            for name in options.cells.split(","):
                keep({"name": name, "distance": distance, "seed": seed, **row(distance, seed, **CELLS[name])})
    table()


def row(
    distance: int,
    seed: int,
    *,
    cell: str,
    targets: str = "answers",
    carried: bool = True,
    times: int = 1,
    **settings: Any,
) -> dict[str, Any]:
    """Train one network and ask it.

    Args:
        distance: fillers between a cue and its probe.
        seed: of the log, the weights and the order.
        cell: the recurrent layer.
        targets: what is foretold in training: the `answers`, or `every event`, fillers too.
        carried: whether the state goes on from window to window, or begins anew at each.
        times: as many events as others learn from.
        settings: besides those below.
    """
    plan = planned(distance, seed, times * EVENTS[distance], settings)
    learned, replayed = plan.judge.learned, plan.judge.replayed
    if not carried:
        learned, replayed = cut(learned), cut(replayed)
    answer = answers(plan.judge.catalog, learned)
    network = new_network(cell, len(plan.judge.catalog), plan.rule, plan.settings)
    began = time.process_time()
    went = train_network(
        network, learned, plan.settings.train, seed=seed, learn=answer if targets == "answers" else None
    )
    seconds = time.process_time() - began
    asked = plan.judge.asked & answers(plan.judge.catalog, replayed)
    found = replay(network, replayed, asked, exclude="none", k=1)
    return {
        "accuracy": float((found.rank == 1).mean()),
        "answers": len(found.rank),
        "chance": 1 / CUES,
        "targets": targets,
        "carried": carried,
        "settings": network.settings(),
        "parameters": sum(p.numel() for p in network.parameters()),
        "events_learned": went.epochs * len(learned),
        "processor_seconds": round(seconds, 1),
    }


def planned(distance: int, seed: int, events: int, settings: Mapping[str, Any]) -> Plan:
    """The log, with at least four tested episodes in each history, and all settings."""
    length = max(2_000, 4 * (distance + 3))
    log = recall(LEARNING + ASKED, length, distance=distance, nearest=1, asked=ASKED, cues=CUES, seed=seed)
    tree: dict[str, Any] = {
        "seed": seed,
        "sessions": {"gap": "never", "at_session_start": "reset"},
        "split": {"kind": "column"},
        "model": {**PLAIN, "width": WIDTH, "dropout": 0.0, "embedding_dropout": 0.0},
        "train": {
            "epochs": round(events / (LEARNING * length)),
            "rows": 32,
            "window": WINDOW,
            "learning_rate": 0.01,
            "loss": "full",
            "threads": 1,
            "precision": "float32",
        },
        "evaluate": {"exclude": "none", "max_predictions": ASKED * length},
    }
    for key, value in settings.items():
        section, _, field = key.partition(".")
        tree[section][field] = value
    plan = plan_of(log, tree)
    chosen = [one.key for one in plan.proposals if one.key.startswith(("model.", "train."))]
    assert not chosen, f"the log chooses {chosen}: a row would not be the network it is called"
    return plan


def answers(catalog: Catalog, sequences: Sequences) -> Bools:
    """(E,) which events are answers."""
    return np.array([name.startswith("answer") for name in catalog.ids])[sequences.item]


def cut(sequences: Sequences) -> Sequences:
    """The same events, where each history begins anew at every window's length."""
    place = np.arange(len(sequences)) - np.repeat(sequences.bounds[:-1], np.diff(sequences.bounds))
    return Sequences(**{**sequences._asdict(), "starts": place % WINDOW == 0})


def kept() -> list[dict[str, Any]]:
    """The rows that are there."""
    return list(json.loads(OUT.read_text())["rows"]) if OUT.exists() else []


def keep(new: dict[str, Any]) -> None:
    """Show a row, and write it in place of the one of its name, distance and seed."""
    spent = f"{new['events_learned']:,} events in {new['processor_seconds']:.0f} s"
    told = f"{new['accuracy']:.3f} of {new['answers']} answers (chance {new['chance']:.3f}), {spent}"
    print(f"{new['name']}, distance {new['distance']:,}, seed {new['seed']}: {told}", flush=True)

    def key(row: dict[str, Any]) -> tuple[int, int, int]:
        return list(CELLS).index(row["name"]), row["distance"], row["seed"]

    rows = sorted([*(row for row in kept() if key(row) != key(new)), new], key=key)
    facts = {"command": "python benchmarks/accuracy/recall.py", "window": WINDOW, "cores": os.cpu_count()}
    OUT.write_text(json.dumps({**facts, "rows": rows}, indent=1) + "\n")


def table() -> None:
    """Means over seeds, and the least of several, as the page shows them."""
    rows = kept()
    distances = sorted({row["distance"] for row in rows})
    print("\n| | " + " | ".join(f"{distance:,}" for distance in distances) + " |")
    print("|---|" + "---|" * len(distances))
    for name in CELLS:
        cells = []
        for distance in distances:
            found = [row["accuracy"] for row in rows if (row["name"], row["distance"]) == (name, distance)]
            least = f" (least of {len(found)}: {min(found):.2f})" if len(found) > 1 else ""
            cells.append(f"{fmean(found):.2f}{least}" if found else "-")
        print(f"| `{name}` | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
