"""`tune` as a user meets it: a log in, settings for it out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from segue.api import prepare
from segue.durations import seconds_of
from segue.errors import ConfigError
from segue.models.build import BASELINES, MIX
from segue.training.candidates import Say
from segue.training.networks import Show
from segue.training.run import check_models
from segue.training.tuning.records import Effect, Trial, Tuning
from segue.training.tuning.space import keys_of
from segue.training.tuning.tune import tune_plan

LEADING = ("gru", "mingru", "rglru")
"""The layers that a tuning tries by itself; the others are there to be compared with."""

__all__ = ["Effect", "Trial", "Tuning", "tune"]


def tune(
    log: Any,
    *,
    out: str | Path,
    budget: str | None = None,
    trials: int | None = None,
    models: Sequence[str] = (),
    items: Any = None,
    items_col: str | None = None,
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    say: Say = lambda _: None,
    show: Show = lambda *_: None,
    **columns: Any,
) -> Tuning:
    """Try settings of a network on the validation part of a log, and keep the best with the reasons.

    `out` gets `settings.toml` (for `segue train --config`), `trials.json` and the study, which `resume` goes on with.

    Args:
        log: see `fit`.
        out: a folder.
        budget: the time for all of it, such as "1h"; commands on the same study share it.
        trials: or how many configurations at most; then the same seed tries the same, if the study is not resumed.
        models: recurrent layers to choose from, the first one first; by default `model.cell`, then,
            unless that was set, gru, mingru and rglru.
        items, items_col: see `fit`.
        settings: by dotted key: what is set is not tuned.
        resume: go on with the study in `out`.
        overwrite: forget it.
        say, show: told of what happens.
        columns: which column is what; see `read_log`.

    Raises:
        ConfigError: neither budget nor trials, or a budget too short for two trials.
        TrainingError: `out` holds a study, and neither `resume` nor `overwrite` was asked for.
    """
    started = time.monotonic()
    seconds = None if budget is None else seconds_of(budget, of="--budget")
    if seconds is None and trials is None:
        raise ConfigError("a tuning needs an end: give --budget (such as 1h) or --trials (such as 20)")
    if trials is not None and trials < 1:
        raise ConfigError(f"--trials is {trials}; expected at least 1")
    if models:
        check_models(models)
    for name in models:
        if name in BASELINES:
            raise ConfigError(f"`{name}` is a baseline: train tunes it by itself; tune takes recurrent layers")
        if name == MIX:
            raise ConfigError("`mix` is tuned through its network: tune takes recurrent layers")
    plan = prepare(log, items=items, items_col=items_col, settings=settings, columns=columns)
    for note in plan.notes:
        say(f"note: {note}")
    fixed = keys_of(settings or {}) | {f"log.{name}" for name in plan.settings.log.chosen()}
    if models:  # they are what was asked for, whatever a file of settings says
        fixed = fixed - {"model.cell"}
    first = plan.settings.model.cell
    others = () if "model.cell" in fixed else LEADING
    return tune_plan(
        plan,
        list(dict.fromkeys(models or (first, *others))),
        Path(out),
        started=started,
        budget=seconds,
        trials=trials,
        fixed=fixed,
        resume=resume,
        overwrite=overwrite,
        say=say,
        show=show,
    )
