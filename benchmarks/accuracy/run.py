"""How accurate recurrent networks are where others have published figures, and where the bars of this project lie.

    .venv/bin/python benchmarks/accuracy/run.py ml-1m

Settings and epochs are chosen on the validation part (see `choose.py`) and stand in `configurations.py`. Then each
configuration learns from training and validation events with each seed, for as many epochs, and is asked for the test
part once, beside the baselines tuned on validation. A row of the written table is a configuration: means over seeds;
intervals are the means of those of single seeds, and the p of the paired test against the best baseline is the largest
of any seed.

A trained network is kept in `.runs/`, by its settings: a run that is cut off goes on where it stopped.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec
import numpy as np
import safetensors.numpy
from configurations import CONFIGURATIONS, settings_of
from logs import PROTOCOLS, Protocol, parts_of, planned
from machine import introduce

from segue.cli.show import print_report, progress, say
from segue.config import toml_of
from segue.evaluation.judge import Entry, judge, rank_values
from segue.evaluation.replay import replay
from segue.evaluation.report import Report, Row, Value
from segue.models.build import BASELINES
from segue.training.candidates import fit_baseline
from segue.training.loop import train_network
from segue.training.mixing import mixed
from segue.training.networks import new_network
from segue.training.plan import Plan

HERE = Path(__file__).parent
RUNS = HERE / ".runs"


def main() -> None:
    parser = argparse.ArgumentParser(description="Accuracy on the logs with published figures.")
    parser.add_argument("log", choices=PROTOCOLS)
    parser.add_argument("--only", help="names of configurations, with commas between; by default all")
    parser.add_argument("--seeds", default="1,2,3")
    options = parser.parse_args()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    introduce(seeds[0])
    names = options.only.split(",") if options.only else list(CONFIGURATIONS[options.log])
    report = table(options.log, names, seeds)
    print_report(report)
    verdicts(PROTOCOLS[options.log], report, len(seeds))
    facts = {"command": " ".join(["python", *sys.argv]), "seeds": len(seeds), "chosen_on": "validation"}
    out = HERE / f"{options.log}.json"
    out.write_bytes(msgspec.json.format(msgspec.json.encode({**facts, **msgspec.to_builtins(report)})) + b"\n")
    print(f"written: {out.name}")


def table(log: str, names: list[str], seeds: list[int]) -> Report:
    """Train or fetch every configuration with every seed, and judge all of them at once."""
    plan = planned(log, {}, seeds[0])
    entries = {}
    for name in BASELINES:
        if name != "recent_popularity" or plan.log.timed:
            one = fit_baseline(name, plan.choose, plan.judge, plan.rule, plan.settings, say)
            entries[name] = Entry(model=one.model, baseline=True, seconds=one.seconds, settings=one.settings)
    for name in names:
        for seed in seeds:
            entries[f"{name} seed {seed}"] = with_neighbours(log, name, trained(log, name, seed), entries["sknn"])
    main = PROTOCOLS[log].main
    exclude = plan.settings.evaluate.exclude
    report = judge(entries, plan.judge, exclude=exclude, main=main, split=plan.facts, notes=plan.notes)
    rows = [row for row in report.rows if row.baseline]
    rows += [mean_row(name, [row for row in report.rows if row.model.startswith(f"{name} seed ")]) for name in names]
    rows.sort(key=lambda row: -(row.metrics[main].value or 0))
    asked = {}
    if log == "amazon-beauty":
        asked = {
            name: replay(entry.model, plan.judge.replayed, plan.judge.asked, exclude=exclude)
            for name, entry in entries.items()
        }
    rows = [with_parts(row, log, plan, asked) for row in rows]
    return msgspec.structs.replace(report, rows=rows, verdict=f"means over {len(seeds)} seeds")


def trained(log: str, name: str, seed: int) -> Entry:
    """A network that learned from training and validation events, from `.runs/` if it is there."""
    cell, chosen = settings_of(log, name)
    plan = planned(log, chosen, seed)
    network = new_network(cell, len(plan.judge.catalog), plan.rule, plan.settings)
    key = json.dumps([log, cell, toml_of(plan.settings)])
    of = CONFIGURATIONS[log][name].get("mix_of", name)
    kept = RUNS / f"{log}-{of}-{seed}-{hashlib.sha256(key.encode()).hexdigest()[:8]}.safetensors"
    if kept.exists():
        network.load_arrays(safetensors.numpy.load_file(kept))
        seconds = float(kept.with_suffix(".seconds").read_text())
    else:
        with progress() as show:
            went = train_network(
                network,
                plan.judge.learned,
                plan.settings.train,
                seed=seed,
                show=lambda at: show(f"{name} seed {seed}", at),
            )
        seconds = went.seconds
        RUNS.mkdir(exist_ok=True)
        kept.with_suffix(".seconds").write_text(str(seconds))
        safetensors.numpy.save_file({key: np.ascontiguousarray(a) for key, a in network.arrays().items()}, kept)
    rate = round(len(plan.judge.learned) * plan.settings.train.epochs / seconds)
    facts = {"cell": cell, **chosen, "parameters": sum(p.numel() for p in network.parameters()), "events_per_s": rate}
    return Entry(model=network, baseline=False, seconds=seconds, settings=facts)


def with_neighbours(log: str, name: str, network: Entry, neighbours: Entry) -> Entry:
    """The mix of both where the configuration is one, with the share that was chosen for it; else the network."""
    if "weight" not in CONFIGURATIONS[log][name]:
        return network
    weight = CONFIGURATIONS[log][name]["weight"]
    mix = mixed(network.model, neighbours.model, weight)
    learned = {"parameters": sum(int(array.size) for array in mix.arrays().values())}
    return msgspec.structs.replace(
        network,
        model=mix,
        seconds=(network.seconds or 0.0) + (neighbours.seconds or 0.0),
        settings={"weight": weight, **network.settings, **learned, "neighbours": neighbours.settings},
    )


def mean_row(name: str, rows: list[Row]) -> Row:
    """One row of the means of several."""

    def mean(values: list[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return fmean(known) if known else None

    def means(columns: list[dict[str, Value]]) -> dict[str, Value]:
        return {
            key: Value(*(mean([getattr(column[key], part) for column in columns]) for part in ("value", "low", "high")))
            for key in columns[0]
        }

    against = [row.against_best_baseline for row in rows if row.against_best_baseline]
    return Row(
        model=name,
        baseline=False,
        predictions=rows[0].predictions,
        seconds=mean([row.seconds for row in rows]),
        settings={**rows[0].settings, "seeds": len(rows)},
        metrics=means([row.metrics for row in rows]),
        groups=means([row.groups for row in rows]),
        against_best_baseline={
            key: max(one[key] or 0 for one in against) if key == "p" else mean([one[key] for one in against])
            for key in against[0]
        }
        if against
        else None,
    )


def with_parts(row: Row, log: str, plan: Plan, asked: dict[str, Any]) -> Row:
    """The row with the published metrics of each part of the predictions that a log must tell apart."""
    own = [found for name, found in asked.items() if name == row.model or name.startswith(f"{row.model} seed ")]
    groups = dict(row.groups)
    for found in own[:1]:
        for part, which in parts_of(log, plan, found).items():
            for metric in PROTOCOLS[log].shown:
                groups[f"{metric}, {part}"] = Value(fmean(float(rank_values(metric, one)[which].mean()) for one in own))
    return msgspec.structs.replace(row, groups=groups)


def verdicts(protocol: Protocol, report: Report, seeds: int) -> None:
    """Which bars a row meets, all of its metrics at once."""
    for row in report.rows:
        if row.baseline:
            continue
        values = [row.metrics[metric].value or 0.0 for metric in protocol.shown]
        told = ", ".join(f"{metric} {value:.4f}" for metric, value in zip(protocol.shown, values, strict=True))
        met = [
            word
            for word, bars in (("must", protocol.must), ("goal", protocol.goal))
            if all(value >= bar for value, bar in zip(values, bars, strict=True))
        ]
        print(f"{row.model}, mean of {seeds} seeds: {told}; meets {' and '.join(met) or 'no bar'}")


if __name__ == "__main__":
    main()
