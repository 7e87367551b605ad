"""What is known of every trial, and of a tuning as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import safetensors.numpy
from msgspec import Struct

from segue.config import Settings
from segue.shapes import Array

State = Literal["complete", "pruned", "failed", "interrupted", "killed"]


class Trial(Struct, frozen=True, kw_only=True):
    """One configuration that was tried.

    Attributes:
        number: from 0, the settings that hold without tuning; in the order they were begun.
        state: `pruned` was stopped for being behind, `failed` had a loss that was no number, `interrupted` met Ctrl-C,
            `killed` was begun by a command that never came to its end.
        values: what was chosen, by dotted key.
        value: the best validation metric; null where none was measured.
        low, high: its 95 % interval, by a bootstrap over users; null where it is not complete.
        epochs: how many were judged.
        passes: after so many over the log it was best.
        planned: passes its schedule was made for.
        seconds: all it took; null if killed.
        reason: why it was pruned or failed.
    """

    number: int
    state: State
    values: dict[str, Any]
    value: float | None = None
    low: float | None = None
    high: float | None = None
    epochs: int = 0
    passes: float | None = None
    planned: float | None = None
    seconds: float | None = None
    reason: str = ""


class Effect(Struct, frozen=True, kw_only=True):
    """What the trials say of one value of one setting.

    Attributes:
        trials: complete ones with this value.
        best, mean: of their validation metrics; null where none is complete.
        stopped: trials with this value that were pruned or failed.
    """

    trials: int
    best: float | None
    mean: float | None
    stopped: int


class Tuning(Struct, frozen=True, kw_only=True):
    """What came of a tuning.

    Attributes:
        metric: what was chosen by, on `predictions` predictions of the validation part.
        best: the number of the best complete trial; null if there is none.
        settings: of the best trial; the settings that hold without tuning if there is none.
        verdict: in words, whether the best is better than what holds without tuning.
        against_start: paired difference of the two; null where they are one, or one is not complete.
        held_out: mean advantage over the start when half of the users choose and the other half judge.
        trials: in the order they were begun.
        effects: by setting, then by value (as text).
        space: by setting, the values that were open, and why.
        seconds: of all trials, over all commands.
        interrupted: stopped by Ctrl-C.
    """

    metric: str
    predictions: int
    best: int | None
    settings: Settings
    verdict: str
    against_start: dict[str, float | None] | None
    held_out: float | None
    trials: list[Trial]
    effects: dict[str, dict[str, Effect]]
    space: dict[str, dict[str, Any]]
    seconds: float
    interrupted: bool


def values_file(folder: Path, number: int) -> Path:
    """Where the values of a trial are kept."""
    return folder / "values" / f"{number:04}.safetensors"


def keep_values(folder: Path, number: int, user: Array, values: Array) -> None:
    """Keep what a trial was given for each prediction, for paired comparisons."""
    file = values_file(folder, number)
    file.parent.mkdir(exist_ok=True)
    safetensors.numpy.save_file({"user": user, "values": values}, file)


def read_values(folder: Path, number: int) -> tuple[Array, Array]:
    """Whose predictions they are, and what they were given, (P,) each."""
    found = safetensors.numpy.load_file(values_file(folder, number))
    return found["user"], found["values"]
