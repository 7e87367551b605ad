"""Which events are to be predicted, and how much each counts: the business's need as a number an event."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from segue.config import ObjectiveSettings
from segue.data import spill
from segue.data.events import EventLog
from segue.durations import seconds_of
from segue.errors import ConfigError, did_you_mean
from segue.shapes import Array, Floats

LEAST = 1e-6
"""What is left of the worth of the oldest event: one that is no target is at zero."""

TINY = float(np.finfo(np.float32).tiny)

MOST = 1e9
"""The largest weight of a type: with the largest weight of an event it is still a finite float32."""


def worth_of(log: EventLog, objective: ObjectiveSettings, *, strict: bool = True) -> Floats | None:
    """(E,) how much each event counts where it is to be predicted, 0 where it is not; None: all count alike.

    The product of what its type counts, of its weight in the log, and of a half for each half-life between it and the
    last event of the log.

    Raises:
        ConfigError: the log lacks what the objective speaks of, or nothing is left to be predicted.
    """
    if objective == ObjectiveSettings():
        return None
    by_type = by_type_of(log, objective, strict=strict)
    if objective.at_least != "any" and not math.isfinite(objective.at_least):
        raise ConfigError(f"objective.at_least is {objective.at_least}; expected a finite number, such as 4")
    weight = log.weight
    if weight is None and (objective.by_weight or objective.at_least != "any"):
        name = "by_weight" if objective.by_weight else "at_least"
        raise ConfigError(
            f"objective.{name} needs a number for each event, and this log has none: name its column, such as a rating "
            "or what was paid, with log.weight_col (`--weight-col`)"
        )
    half_life = seconds_of(objective.half_life, of="objective.half_life") if objective.half_life else None
    if half_life is not None and not log.timed:
        raise ConfigError("objective.half_life needs times, and this log has only an order")
    last = float(log.time[-1]) if len(log) else 0.0

    def worth(block: slice) -> Array:
        value = np.ones(block.stop - block.start, np.float64)
        if by_type is not None and log.event_type is not None:
            value *= by_type[log.event_type[block]]
        if weight is not None:
            if objective.at_least != "any":
                value *= weight[block] >= objective.at_least
            if objective.by_weight:
                value *= weight[block]
        if half_life is not None:
            faded = np.exp2((log.time[block] - last) / half_life)
            value *= np.maximum(faded, LEAST)
        # what counts at all still does in single precision: zero would make it no target
        return np.where(value > 0, np.maximum(value, TINY), 0).astype(np.float32)

    found: Floats = spill.filled(len(log), np.float32, worth, log.time)
    if not any(found[block].any() for block in spill.blocks(len(found))):
        raise ConfigError(
            "the objective leaves nothing to be predicted: no event of the log has a worth above zero; "
            f"set other objective.{' or objective.'.join(spoken_of(objective))}"
        )
    return found


def by_type_of(log: EventLog, objective: ObjectiveSettings, *, strict: bool = True) -> Array | None:
    """What each type of the log counts; None: all alike.

    Args:
        strict: raise ConfigError for types that the log does not have; a few days of one may well lack a rare type.
    """
    named = [*objective.targets, *objective.type_weights]
    if not named:
        return None
    if log.event_type is None:
        raise ConfigError(
            f"objective.{'targets' if objective.targets else 'type_weights'} names `{named[0]}`, and this log has no "
            "column of event types: name it with log.type_col (`--type-col`)"
        )
    for name in named if strict else ():
        if name not in log.type_names:
            raise ConfigError(f"objective: `{name}` is no event type of this log{did_you_mean(name, log.type_names)}")
    check_weights(objective.type_weights)
    return np.array(
        [
            objective.type_weights.get(name, 1.0) * (not objective.targets or name in objective.targets)
            for name in log.type_names
        ]
    )


def check_weights(weights: Mapping[str, float]) -> None:
    """Raise ConfigError for a weight that is no number from zero to `MOST`."""
    for name, weight in weights.items():
        if not 0 <= weight <= MOST:
            raise ConfigError(f"objective.type_weights: `{name}` has {weight:g}; expected a number from 0 to {MOST:g}")


def spoken_of(objective: ObjectiveSettings) -> list[str]:
    """The names of what was set."""
    plain = ObjectiveSettings()
    return [name for name in objective.__struct_fields__ if getattr(objective, name) != getattr(plain, name)]


def described(objective: ObjectiveSettings) -> str:
    """The objective as a sentence of a report; empty where every next event is asked for alike."""
    parts = []
    if objective.targets:
        parts.append(f"only {', '.join(objective.targets)} {'are' if len(objective.targets) > 1 else 'is'} predicted")
    if objective.at_least != "any":
        parts.append(f"only events with a weight of at least {objective.at_least:g} are predicted")
    if objective.type_weights:
        weights = (f"{name} {weight:g}" for name, weight in objective.type_weights.items())
        parts.append(f"types count {', '.join(weights)}")
    if objective.by_weight:
        parts.append("an event counts by its weight")
    if objective.half_life:
        parts.append(f"one counts half of another that is {objective.half_life} younger")
    return "; ".join(parts)
