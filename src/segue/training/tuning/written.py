"""What a tuning leaves in its folder: settings with reasons, for `segue train`, and all that was tried."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from segue.config import Settings
from segue.training.plan import Plan
from segue.training.tuning.evidence import told
from segue.training.tuning.records import Tuning
from segue.training.tuning.space import stays
from segue.training.tuning.study import SETTINGS, TRIALS

WIDTH = 116

NO_PLACE = "the log proposed {}, which is off beside what was chosen"


def write_tuning(folder: Path, tuning: Tuning, plan: Plan, fixed: Collection[str]) -> None:
    """Both files, each whole or as it was; no settings where no trial is complete."""
    replace(folder / TRIALS, msgspec.json.format(msgspec.json.encode(tuning)).decode() + "\n")
    if tuning.best is not None:
        replace(folder / SETTINGS, settings_text(tuning, plan, fixed))


def settings_text(tuning: Tuning, plan: Plan, fixed: Collection[str]) -> str:
    """What differs from the defaults or was decided, as TOML, each with its reason."""
    best = next(one for one in tuning.trials if one.number == tuning.best)
    reasons = {
        one.key: f"from the log: {one.reason}"
        if stays(tuning.settings, one.key) == one.value
        else NO_PLACE.format(one.value)
        for one in plan.proposals
    }
    reasons |= {"model.cell": "the one that was asked for"} | dict.fromkeys(fixed, "as you set it")
    reasons |= {
        key: f"{had(value, tuning, key)}; {told(value, best.value or 0.0, tuning.effects[key])}"
        for key, value in best.values.items()
    }
    lines = [
        *commented(f"Tuned by segue: segue train LOG --config {SETTINGS}"),
        *commented(
            f"{tuning.metric} {best.value:.4f} (95 % {best.low or 0:.4f} to {best.high or 0:.4f}) over "
            f"{tuning.predictions:,} predictions of the validation part. {tuning.verdict}."
        ),
        *commented("A trial differs from the best one in several settings: what a value lost, it did not lose alone."),
        *commented(schedule_note(best.planned, plan.settings)),
    ]
    tree: dict[str, dict[str, Any]] = {}
    alone = []
    for key in sorted(reasons):
        section, _, name = key.rpartition(".")
        if not section:
            alone += ["", *commented(reasons[key]), assignment(key, stays(tuning.settings, key))]
            continue
        tree.setdefault(section, {})[name] = stays(tuning.settings, key)
    lines += alone
    for section, values in tree.items():
        lines += ["", f"[{section}]"]
        for name, value in values.items():
            lines += [*commented(reasons[f"{section}.{name}"]), assignment(name, value)]
    return "\n".join(lines) + "\n"


def had(value: Any, tuning: Tuning, key: str) -> str:
    """How often a value was tried: the best trial's may have been tried once."""
    trials = sum(one.values.get(key) == value for one in tuning.trials)
    return f"in the best trial, and in {trials - 1} of the {len(tuning.trials) - 1} others"


def schedule_note(planned: float | None, settings: Settings) -> str:
    """What the time of a trial means for a whole training, if it was bent to it."""
    if planned is None or planned >= 0.99 * settings.train.epochs:
        return ""
    return (
        f"A trial had time for a schedule of {planned:.1f} epochs; a training without a budget plans "
        f"{settings.train.epochs}. What is best for the short one need not be best for the long one."
    )


def assignment(name: str, value: Any) -> str:
    """One line of TOML."""
    return tomli_w.dumps({name: value}).strip()


def commented(text: str) -> list[str]:
    """A text as comment lines of bounded width."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + len(word) < WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(f"# {word}")
    return lines


def replace(file: Path, text: str) -> None:
    """Write a file as a whole, or leave what is there."""
    partial = file.with_suffix(".partial")
    partial.write_text(text, "utf-8")
    os.replace(partial, file)
