"""Try configurations until the budget is spent, and say what the best is worth."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from segue.durations import spoken
from segue.errors import ConfigError, TrainingError
from segue.training.candidates import Say
from segue.training.fingerprint import run_fingerprint
from segue.training.hardware import hardware_of
from segue.training.networks import Show
from segue.training.plan import Plan
from segue.training.tuning.disk import alone, on_disk
from segue.training.tuning.evidence import best_of, line_of, summed_up
from segue.training.tuning.records import Trial, Tuning
from segue.training.tuning.space import Dimension, applied, space_of
from segue.training.tuning.study import Study, forget
from segue.training.tuning.trial import epoch_seconds
from segue.training.tuning.trying import try_one
from segue.training.tuning.written import write_tuning

TRIALS_AIMED_AT = 16
"""The budget is dealt out to so many; those that end early make room for more."""

USEFUL_EPOCHS = 3
"""A trial gets time for so many epochs of the settings without tuning, or none is begun."""

JUDGING = 0.02
"""The part of the budget that is kept for what comes after the trials."""

FAILURES = 5
"""After so many failures in a row, with no trial that came to its end, the settings are not what is wrong."""


class Bounds(NamedTuple):
    """When to stop, over all commands on one study together.

    Attributes:
        budget: seconds, or None.
        trials: how many, or None.
        ends: when the budget is spent, by `time.monotonic`.
    """

    budget: float | None
    trials: int | None
    ends: float

    @property
    def left(self) -> float:
        """Seconds."""
        return self.ends - time.monotonic()


def tune_plan(
    plan: Plan,
    cells: Sequence[str],
    folder: Path,
    *,
    started: float,
    budget: float | None = None,
    trials: int | None = None,
    fixed: Collection[str] = (),
    resume: bool = False,
    overwrite: bool = False,
    say: Say = lambda _: None,
    show: Show = lambda *_: None,
) -> Tuning:
    """Try configurations of a network on the validation part; the test part is never asked.

    Args:
        plan: a log with everything decided; the first trial has its settings.
        cells: recurrent layers to try, the first one first, whatever the settings name.
        folder: where the study and what comes of it are kept.
        started: when the command began, by `time.monotonic`.
        budget: seconds, reading the log included; earlier commands on the same study count.
        trials: how many at most, those of earlier commands included.
        fixed: dotted keys that are not to be touched.
        resume, overwrite: go on with a study that is there, or forget it.
        say, show: told of what happens.

    Raises:
        ConfigError: nothing bounds it, nothing is open, or the budget bears no two trials.
        TrainingError: there is a study that must not be touched, or every trial fails.
    """
    if budget is None and trials is None:
        raise ConfigError("a tuning needs an end: give --budget (such as 1h) or --trials (such as 20)")
    plan = plan._replace(settings=applied(plan.settings, {"model.cell": cells[0]}))
    space = space_of(plan.choose, plan.settings, cells, fixed)
    if not space:
        raise ConfigError("all that could be tuned is fixed: leave a setting open, or name more --models")
    with on_disk(folder), alone(folder):
        study = Study(
            folder,
            space,
            fingerprint=fingerprint_of(plan, space),
            seed=plan.settings.seed,
            resume=resume,
            overwrite=overwrite,
        )
        try:
            spent = sum(one.seconds or 0.0 for one in study.trials())
            ends = float("inf") if budget is None else started + budget * (1 - JUDGING) - spent
            interrupted = False
            try:
                try_all(plan, study, Bounds(budget, trials, ends), folder, say, show)
            except KeyboardInterrupt:
                interrupted = True
            tuning = summed_up(plan, space, study.trials(), folder, interrupted=interrupted)
            write_tuning(folder, tuning, plan, fixed)
            return tuning
        except ConfigError:
            if not study.trials():  # nothing was tried: nothing is left that would be in the way
                study.close()
                forget(folder)
            raise
        finally:
            study.close()


def try_all(plan: Plan, study: Study, bounds: Bounds, folder: Path, say: Say, show: Show) -> None:
    """One trial after another, until the bounds are met or nothing is left to try."""
    precision = study.kept("precision") or hardware_of(plan.settings.train).precision
    study.keep("precision", precision)  # measured once: trials must not differ in it
    plan = plan._replace(settings=applied(plan.settings, {"train.precision": precision}))
    seconds = seconds_a_trial(plan, study, bounds, say)
    failures = 0
    while not met(bounds, seconds, study.trials()):
        asked = study.ask()
        if asked is None:
            say("all that is near has been tried")
            return
        record = try_one(plan, study, *asked, seconds=seconds, folder=folder, show=show)
        say(line_of(record, study.trials()[0]))
        if record.state == "interrupted":
            raise KeyboardInterrupt
        failures = failures + 1 if record.state == "failed" else 0
        if failures >= FAILURES and best_of(study.trials()) is None:
            raise TrainingError(f"{failures} trials failed, one after another, the last one so: {record.reason}")


def met(bounds: Bounds, seconds: float | None, trials: Sequence[Trial]) -> bool:
    """Whether no further trial may begin: there are enough, or none would come to its end in the time left."""
    ended = [one for one in trials if one.state in ("complete", "pruned", "failed")]
    if bounds.trials is not None and len(ended) >= bounds.trials:
        return True
    if seconds is None:
        return False
    took = [one.seconds for one in ended if one.state == "complete" and one.seconds is not None]
    return bounds.left < min(seconds, max(took, default=seconds))


def seconds_a_trial(plan: Plan, study: Study, bounds: Bounds, say: Say) -> float | None:
    """What every trial of a study may take, so that they can be compared; None without a budget.

    Raises:
        ConfigError: the budget bears no two trials.
    """
    if bounds.budget is None:
        return None
    kept = study.kept("seconds a trial")
    if kept is not None:
        return float(kept)
    epoch = epoch_seconds(plan)
    useful = min(USEFUL_EPOCHS, plan.settings.train.epochs) * epoch
    if bounds.left < 2 * useful:
        enough = bounds.budget - bounds.left + 4 * useful
        raise ConfigError(
            f"--budget of {spoken(bounds.budget)} is too short: an epoch takes about {spoken(epoch)} here, and a trial "
            f"needs {USEFUL_EPOCHS}. Allow at least {spoken(enough)}, or set train.validation_predictions lower"
        )
    seconds = max(bounds.left / (bounds.trials or TRIALS_AIMED_AT), useful)
    study.keep("seconds a trial", seconds)
    say(f"an epoch takes about {spoken(epoch)}; a trial may take {spoken(seconds)}, its schedule is bent to that")
    return seconds


def fingerprint_of(plan: Plan, space: Sequence[Dimension]) -> str:
    """What a study must match: log, split, settings and space."""
    parts = [run_fingerprint(plan, "tune").encode(), msgspec.json.encode([one[:4] for one in space])]
    return hashlib.sha256(b" ".join(parts)).hexdigest()[:16]
