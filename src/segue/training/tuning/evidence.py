"""What the trials say: how sure the best is, what each value did, and what to say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from segue.evaluation.context import Scored
from segue.evaluation.measures import compared
from segue.metrics import Bootstrap
from segue.rng import stream
from segue.shapes import Array
from segue.training.plan import Plan
from segue.training.tuning.records import Effect, Trial, Tuning, read_values
from segue.training.tuning.space import Dimension, applied, start_of, values_at

HALVES = 200
"""So often half of the users choose and the other half judge."""


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The best complete trial, the earlier of equals."""
    done = [one for one in trials if one.state == "complete" and one.value is not None]
    return max(done, key=lambda one: one.value or 0.0, default=None)


def against(folder: Path, best: Trial, start: Trial, *, seed: int, replicates: int) -> dict[str, float | None]:
    """The paired difference of two trials over the same predictions."""
    user, values = read_values(folder, best.number)
    resamples = Bootstrap(user, rng=stream(seed, "tuning"), replicates=replicates)
    return compared(resamples, Scored(values), Scored(read_values(folder, start.number)[1]))


def held_out_gain(folder: Path, trials: Sequence[Trial], start: Trial, *, seed: int) -> float | None:
    """The advantage over the start of what half of the users choose, as the other half sees it; mean over many halves.

    The best of many is best by luck too, on the predictions that chose it; on others only its merit remains.
    Trials are chosen by half of the users here, so that it is a little too low for a choice by all of them.
    """
    done = [one for one in trials if one.state == "complete"]
    read = [read_values(folder, one.number) for one in done]
    _, member = np.unique(read[0][0], return_inverse=True)
    users = int(member.max()) + 1
    if users < 4:
        return None
    lengths = np.bincount(member, minlength=users)
    totals = np.stack([np.bincount(member, values, minlength=users) for _, values in read], axis=1)
    return halves(totals, lengths, [one.number for one in done].index(start.number), seed=seed)


def halves(totals: Array, lengths: Array, start: int, *, seed: int) -> float:
    """The same from sums of values a user and trial (U, C) and predictions a user (U,)."""
    rng, gains = stream(seed, "halves"), []
    for _ in range(HALVES):
        chooses = rng.permutation(len(lengths)) % 2 == 0
        best = int(np.argmax(totals[chooses].sum(0)))
        judged = totals[~chooses].sum(0) / lengths[~chooses].sum()
        gains.append(judged[best] - judged[start])
    return float(np.mean(gains))


def effect(key: str, choice: Any, trials: Sequence[Trial]) -> Effect:
    """How the trials with one value did."""
    having = [one for one in trials if one.values.get(key) == choice]
    values = [one.value for one in having if one.state == "complete" and one.value is not None]
    return Effect(
        trials=len(values),
        best=max(values, default=None),
        mean=float(np.mean(values)) if values else None,
        stopped=sum(one.state in ("pruned", "failed") for one in having),
    )


def told(chosen: Any, value: float, effects: Mapping[str, Effect]) -> str:
    """Beside the value chosen, what the others did: `64 lost 0.0041 (best of 3)`."""
    others, untried = [], []
    for choice, found in effects.items():
        if choice == str(chosen):
            continue
        if found.best is not None:
            of = f"best of {found.trials}" if found.trials > 1 else "1 trial"
            others.append(f"{choice} lost {value - found.best:.4f} ({of})")
        elif found.stopped:
            others.append(f"{choice} was given up ({found.stopped})")
        else:
            untried.append(choice)
    return "; ".join([", ".join(others)] * bool(others) + [f"not tried: {', '.join(untried)}"] * bool(untried))


def summed_up(
    plan: Plan, space: Sequence[Dimension], trials: Sequence[Trial], folder: Path, *, interrupted: bool
) -> Tuning:
    """What came of a tuning.

    Args:
        folder: where the values of complete trials are kept.
    """
    settings, metric = plan.settings, plan.settings.train.metric
    best, start = best_of(trials), start_in(space, trials)
    gain, held_out = None, None
    if best is not None and start is not None and best is not start:
        gain = against(folder, best, start, seed=settings.seed, replicates=settings.evaluate.replicates)
        held_out = held_out_gain(folder, trials, start, seed=settings.seed)
    chosen = {} if best is None else best.values
    return Tuning(
        metric=metric,
        predictions=int(plan.choose.asked.sum()),
        best=None if best is None else best.number,
        settings=applied(settings, chosen),
        verdict=verdict_of(trials, best, start, gain, held_out, metric),
        against_start=gain,
        held_out=held_out,
        trials=list(trials),
        effects={one.key: {str(of): effect(one.key, of, trials) for of in one.choices} for one in space},
        space={one.key: {"choices": list(one.choices), "reason": one.reason} for one in space},
        seconds=round(sum(one.seconds or 0.0 for one in trials), 2),
        interrupted=interrupted,
    )


def start_in(space: Sequence[Dimension], trials: Sequence[Trial]) -> Trial | None:
    """The complete trial of the settings that hold without tuning."""
    values = values_at(space, start_of(space))
    return next((one for one in trials if one.state == "complete" and one.values == values), None)


def verdict_of(
    trials: Sequence[Trial],
    best: Trial | None,
    start: Trial | None,
    gain: Mapping[str, float | None] | None,
    held_out: float | None,
    metric: str,
) -> str:
    """Whether the best is better than what holds without tuning, in words."""
    tried = len([one for one in trials if one.state in ("complete", "pruned", "failed")])
    if best is None:
        return "no trial came to its end: there is nothing to choose from"
    optimism = f"the best of {tried} is the luckiest too: on later events expect less than {best.value:.4f}"
    if start is None:
        return f"trial {best.number} is the best of {tried}; the settings without tuning have no figure. {optimism}"
    if best is start:
        return f"the settings without tuning are the best of {tried} tried: keep them"
    difference, low, high = ((gain or {}).get(name) for name in ("difference", "low", "high"))
    if difference is None or low is None or high is None:
        return f"too few users to tell trial {best.number} from the settings without tuning: use a longer log"
    span = f"{difference:+.4f} in {metric}, 95 % {low:+.4f} to {high:+.4f}"
    if held_out is not None:
        span += f" (chosen by half of the users and judged by the others: {held_out:+.4f})"
    name = f"trial {best.number}, the best of {tried}"
    if low > 0:
        return f"{name}, beats the settings without tuning: {span}. That is optimistic: {optimism}"
    return f"WITHIN NOISE: {name}, and the settings without tuning cannot be told apart: {span}. And {optimism}"


def line_of(trial: Trial, start: Trial) -> str:
    """A trial in a line, and how its configuration differs from the first one's."""
    stood = "no value" if trial.value is None else f"{trial.value:.4f}"
    spent = "" if trial.seconds is None else f" in {trial.seconds:.0f} s"
    why = f" ({trial.reason})" if trial.reason else ""
    return (
        f"trial {trial.number}: {stood} after {trial.epochs} epochs{spent}, {trial.state}{why}: {apart(trial, start)}"
    )


def apart(trial: Trial, start: Trial) -> str:
    """What a trial has that the first one has not."""
    differs = {key: value for key, value in trial.values.items() if start.values.get(key) != value}
    return ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in differs.items()) or "as without tuning"
