"""The validation curve of a configuration, and of what might be better: how `configurations.py` came about.

    .venv/bin/python benchmarks/accuracy/choose.py ml-1m blocks-128
    .venv/bin/python benchmarks/accuracy/choose.py ml-1m blocks-128 --set model.width=256 --set cell=rglru
    .venv/bin/python benchmarks/accuracy/choose.py serenade-shop gru-cosine --mix   its mixes with tuned neighbours too

It learns from the training part, and is asked for the validation part after each epoch; the test part is not touched.
"""

import argparse
import json
import time
from typing import Any

from configurations import CONFIGURATIONS, settings_of
from logs import PROTOCOLS, planned
from machine import introduce

from segue.cli.show import progress, say
from segue.evaluation.judge import rank_values
from segue.evaluation.replay import replay
from segue.models.base import Model
from segue.models.neighbours import Neighbours
from segue.training.candidates import again, fit_baseline
from segue.training.loop import train_network
from segue.training.mixing import WEIGHTS, mixed
from segue.training.networks import new_network


def main() -> None:
    parser = argparse.ArgumentParser(description="The validation curve of a configuration.")
    parser.add_argument("log", choices=PROTOCOLS)
    parser.add_argument("name", help="of a configuration of that log")
    parser.add_argument("--set", action="append", default=[], help="a setting in place of its own")
    parser.add_argument("--mix", action="store_true", help="also ask its mixes with neighbours")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.name not in CONFIGURATIONS[options.log]:
        parser.error(f"{options.name}: {options.log} has {', '.join(CONFIGURATIONS[options.log])}")
    introduce(options.seed)
    choose(options.log, options.name, options.seed, dict(one.split("=", 1) for one in options.set), options.mix)


def choose(log: str, name: str, seed: int, instead: dict[str, str], mixes: bool) -> None:
    """Train on the training part, and ask for the validation part after each epoch."""
    cell, chosen = settings_of(log, name)
    cell = instead.pop("cell", cell)
    chosen.update({key: typed(value) for key, value in instead.items()})
    plan = planned(log, {"train.patience": 1000, **chosen}, seed)
    network = new_network(cell, len(plan.choose.catalog), plan.rule, plan.settings)
    began = time.monotonic()

    def validated(model: Model = network, told: str = "") -> float:
        found = replay(model, plan.choose.replayed, plan.choose.asked, exclude=plan.settings.evaluate.exclude)
        values = {metric: float(rank_values(metric, found).mean()) for metric in PROTOCOLS[log].shown}
        shown = ", ".join(f"{metric} {value:.4f}" for metric, value in values.items())
        print(f"{told}{shown}; {time.monotonic() - began:.0f} s", flush=True)
        return values[PROTOCOLS[log].main]

    with progress() as show:
        trained = train_network(
            network,
            plan.choose.learned,
            plan.settings.train,
            seed=seed,
            validate=validated,
            show=lambda at: show(name, at),
        )
    print(f"{name}: epoch {trained.epochs} of {plan.settings.train.epochs} is best")
    if mixes:
        tuned = fit_baseline("sknn", plan.choose, plan.judge, plan.rule, plan.settings, say)
        neighbours = again(Neighbours, tuned.settings, plan.choose, plan.rule)
        for weight in WEIGHTS:
            validated(mixed(network, neighbours, weight), f"the network's share {weight:g}: ")


def typed(value: str) -> Any:
    """A number where it is one."""
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


if __name__ == "__main__":
    main()
