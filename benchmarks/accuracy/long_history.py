"""What a long history is worth: the state carried from a user's first event, or begun anew some events before the end.

    .venv/bin/python benchmarks/accuracy/long_history.py ml-1m blocks-128    into ml-1m-long-history.json

One network of `run.py` (trained there or here, kept in `.runs/`) is asked for the last event of each user with more
than 500 earlier ones, from the state after the last 10, 50, 200 and 500 events, and after all of them. The same weights
and the same targets: only what the state has seen differs. Nothing is chosen by these figures.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from logs import PROTOCOLS, planned
from machine import introduce
from run import settings_of, trained

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
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    introduce(options.seed)
    plan = planned(options.log, settings_of(options.log, options.name)[1], options.seed)
    network = trained(options.log, options.name, options.seed).model
    laid, exclude = plan.judge.replayed, plan.settings.evaluate.exclude
    long = plan.judge.asked & (since_first(laid) > LONG)
    found = {
        str(seen or "all"): replay(network, laid if seen is None else seeing(laid, long, seen), long, exclude=exclude)
        for seen in (*SEEN, None)
    }
    rows = table(found, PROTOCOLS[options.log].shown)
    facts = {"command": " ".join(["python", *sys.argv]), "configuration": options.name, "seed": options.seed}
    out = Path(__file__).with_name(f"{options.log}-long-history.json")
    out.write_text(json.dumps({**facts, "users": len(found["all"].rank), "more_than": LONG, "rows": rows}, indent=1))
    print(f"written: {out.name}")


def since_first(sequences: Sequences) -> Array:
    """(E,) how many events its user had before each one."""
    return np.arange(len(sequences)) - np.repeat(sequences.bounds[:-1], np.diff(sequences.bounds))


def seeing(sequences: Sequences, asked: Array, seen: int) -> Sequences:
    """The same events, with the state begun anew `seen` events before each asked one."""
    starts = np.array(sequences.starts)
    starts[np.flatnonzero(asked) - seen] = True
    return Sequences(**{**sequences._asdict(), "starts": starts})


def table(found: dict[str, Predictions], shown: tuple[str, ...]) -> list[dict[str, Any]]:
    """Each metric by what the state has seen, and what is lost against all, with its 95 % interval over users."""
    resamples = Bootstrap(found["all"].user, rng=stream(1, "bootstrap"))
    rows = []
    for seen, predictions in found.items():
        row: dict[str, Any] = {"seen": seen}
        for metric in shown:
            of, of_all = (rank_values(metric, one) for one in (predictions, found["all"]))
            lost = resamples.compare(of, of_all)
            row[metric] = round(float(of.mean()), 4)
            row[f"{metric} against all"] = [round(value, 4) for value in (lost.difference, lost.low, lost.high)]
        print(f"events seen: {seen}: {row}", flush=True)
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
