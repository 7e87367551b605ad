"""Columns of a log: numbers, or distinct values and which one each event has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.encoding.values import text_of
from segue.data.events import EventLog
from segue.errors import ConfigError, did_you_mean
from segue.shapes import Array, Doubles, Floats

TYPE = "type"
"""The name in settings under which the type of an event is read."""


class Distinct(NamedTuple):
    """A column of values that repeat.

    Attributes:
        values: V texts; an empty one is no value.
        code: (E,) which of them an event has; below 0: none.
    """

    values: Sequence[str]
    code: Array

    def occurring(self) -> tuple[list[str | None], Doubles]:
        """The values that occur, None for no value, and how often each does."""
        times = spill.counted(self.code, len(self.values))
        there = np.flatnonzero(times)
        return [self.values[place] or None for place in there.tolist()], times[there].astype(np.float64)


def distinct(numbers: Floats) -> Distinct:
    """The distinct values of a column of numbers (E,), as texts; nan is no value."""
    known = np.zeros(0, np.float32)
    for block in spill.blocks(len(numbers)):
        part = np.asarray(numbers[block])
        known = np.union1d(known, part[np.isfinite(part)])

    def codes(block: slice) -> Array:
        part = np.asarray(numbers[block])
        place = np.searchsorted(known, part).astype(np.int32)
        place[~np.isfinite(part)] = -1
        return place

    return Distinct([text_of(float(one)) for one in known], spill.filled(len(numbers), np.int32, codes, numbers))


def column_of(log: EventLog, name: str) -> Distinct | Floats:
    """A column of a log: float32 (E,), or its distinct values. Raises ConfigError where there is none."""
    if name == TYPE:
        if log.event_type is None:
            raise ConfigError(
                "content.events names `type`, and this log has no column of event types: name it with log.type_col "
                "(`--type-col`)"
            )
        return Distinct(log.type_names, log.event_type)
    if name not in log.features:
        raise ConfigError(
            f"content.events names `{name}`, which is no column that was kept of this log"
            f"{did_you_mean(name, [*log.features, TYPE])}: name it in `feature_cols` (--feature-cols) as well"
        )
    if name in log.feature_names:
        return Distinct(log.feature_names[name], log.features[name])
    return np.asarray(log.features[name])
