"""What a long history is worth: the state carried from a user's first event, or begun anew some events before the end.

    .venv/bin/python benchmarks/accuracy/long_history.py ml-1m blocks-256    into ml-1m-long-history.json

The networks of a row of `run.py` (trained there or here, kept in `.runs/`) are asked for the last event of each user
with more than 500 earlier ones, from the state after the last 10, 50, 200 and 500 events, and after all of them. The
same weights and the same targets: only what the state has seen differs. Nothing is chosen by these figures. A figure is
the mean over seeds, target by target; its interval is a bootstrap over users.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from configurations import settings_of
from logs import PROTOCOLS, planned
from machine import introduce
from run import trained

from segue.data.sessions import Sequences
from segue.evaluation.judge import rank_values
from segue.evaluation.replay import Predictions, replay
from segue.metrics import Bootstrap
from segue.rng import stream
from segue.shapes import Array

LONG = 500
SEEN = (10, 50, 200, 500)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a long history is worth.")
    parser.add_argument("log", choices=PROTOCOLS)
    parser.add_argument("name", help="of the configuration")
    parser.add_argument("--seeds", default="1,2,3")
    options = parser.parse_args()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    introduce()
    values: dict[str, dict[str, list[Array]]] = {}
    for seed in seeds:
        for seen, found in asked(options.log, options.name, seed):
            for metric in PROTOCOLS[options.log].shown:
                values.setdefault(seen, {}).setdefault(metric, []).append(rank_values(metric, found))
            user = found.user
    means = {seen: {metric: np.mean(of, 0) for metric, of in one.items()} for seen, one in values.items()}
    facts = {"command": " ".join(["python", *sys.argv]), "seeds": seeds, "users": len(user), "more_than": LONG}
    out = Path(__file__).with_name(f"{options.log}-long-history.json")
    out.write_text(json.dumps({**facts, "rows": table(means, user)}, indent=1) + "\n")
    print(f"written: {out.name}")


def asked(log: str, name: str, seed: int) -> Iterator[tuple[str, Predictions]]:
    """What one network answers, by how many events its state has seen."""
    plan = planned(log, settings_of(log, name)[1], seed)
    network = trained(log, name, seed).model
    laid, exclude = plan.judge.replayed, plan.settings.evaluate.exclude
    long = plan.judge.asked & (since_first(laid) > LONG)
    for seen in SEEN:
        yield str(seen), replay(network, seeing(laid, long, seen), long, exclude=exclude)
    yield "all", replay(network, laid, long, exclude=exclude)


def since_first(sequences: Sequences) -> Array:
    """(E,) how many events its user had before each one."""
    return np.arange(len(sequences)) - np.repeat(sequences.bounds[:-1], np.diff(sequences.bounds))


def seeing(sequences: Sequences, asked: Array, seen: int) -> Sequences:
    """The same events, with the state begun anew `seen` events before each asked one."""
    starts = np.array(sequences.starts)
    starts[np.flatnonzero(asked) - seen] = True
    return Sequences(**{**sequences._asdict(), "starts": starts})


def table(values: dict[str, dict[str, Array]], user: Array) -> list[dict[str, Any]]:
    """Each metric by what the state has seen, and its difference to a state that has seen all, with a 95 % interval."""
    resamples = Bootstrap(user, rng=stream(1, "bootstrap"))
    rows = []
    for seen, of in values.items():
        row: dict[str, Any] = {"seen": seen}
        for metric, one in of.items():
            against = resamples.compare(one, values["all"][metric])
            row[metric] = round(float(one.mean()), 4)
            row[f"{metric} against all"] = [round(part, 4) for part in (against.difference, against.low, against.high)]
        print(row, flush=True)
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
