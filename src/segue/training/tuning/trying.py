"""From a trial that the study asks for to what is known of it afterwards, whatever happens on the way."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from msgspec.structs import replace

from segue.errors import EvaluationError, TrainingError
from segue.evaluation.measures import number
from segue.metrics import bootstrap
from segue.rng import stream
from segue.training.networks import Show
from segue.training.plan import Plan
from segue.training.tuning.records import State, Trial, keep_values
from segue.training.tuning.space import applied
from segue.training.tuning.study import Study
from segue.training.tuning.trial import Attempt, StoppedError

if TYPE_CHECKING:
    import optuna

FAILURES = (TrainingError, EvaluationError, MemoryError, torch.OutOfMemoryError)
"""What a configuration may come to without the tuning coming to an end."""


def try_one(
    plan: Plan,
    study: Study,
    trial: optuna.Trial,
    values: dict[str, Any],
    *,
    seconds: float | None,
    folder: Path,
    show: Show,
) -> Trial:
    """Try a configuration and tell the study.

    Args:
        values: of the trial, as the study gave them.
        seconds: see `Attempt`.
        folder: where the values of its predictions are kept if it is complete.
    """
    began = time.monotonic()
    attempt = Attempt(plan, applied(plan.settings, values), seconds)
    state: State = "complete"
    reason = ""
    try:
        attempt.run(
            lambda share, value: study.report(trial, share, value),
            lambda progress: show(f"trial {trial.number}", progress),
        )
    except StoppedError as stopped:
        state, reason = "pruned", str(stopped)
    except FAILURES as error:
        state, reason = "failed", str(error) or type(error).__name__
    except RuntimeError as error:  # so PyTorch says that a processor has no more memory
        if "not enough memory" not in str(error):
            raise
        state, reason = "failed", "not enough memory"
    except KeyboardInterrupt:
        state = "interrupted"
    if attempt.trained is not None and attempt.trained.interrupted:
        state = "interrupted"
    record = Trial(
        number=trial.number,
        state=state,
        values=values,
        value=number(attempt.value),
        epochs=attempt.epochs,
        reason=reason,
    )
    if state == "complete":
        record = completed(record, attempt, plan, folder)
    record = replace(record, seconds=round(time.monotonic() - began, 2))
    study.tell(trial, record)
    return record


def completed(record: Trial, attempt: Attempt, plan: Plan, folder: Path) -> Trial:
    """The record with its interval and schedule; what it was given for each prediction is kept."""
    trained, user, values = attempt.trained, attempt.user, attempt.values
    if trained is None or user is None or values is None or record.value is None:
        return replace(record, state="failed", reason="no epoch was judged")
    keep_values(folder, record.number, user, values)
    found = bootstrap(
        values, user, rng=stream(plan.settings.seed, "tuning"), replicates=plan.settings.evaluate.replicates
    )
    return replace(
        record,
        low=number(found.low),
        high=number(found.high),
        passes=round(trained.passes, 3),
        planned=round(trained.planned, 3),
    )
