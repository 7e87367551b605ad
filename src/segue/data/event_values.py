"""The features of a log's events as values, one event at a time: as they would come live."""

from __future__ import annotations

import math

from segue.data.encoding.values import Value
from segue.data.events import EventLog
from segue.shapes import Array


def event_values(log: EventLog, places: Array) -> list[dict[str, Value] | None]:
    """What is known of each of the events at some places (M,); None where that is nothing."""
    found: list[dict[str, Value]] = [{} for _ in places]
    for name, column in log.features.items():
        names = log.feature_names.get(name)
        for event, value in zip(found, column[places], strict=True):
            if names is not None:
                if value >= 0 and names[value]:
                    event[name] = names[value]
            elif math.isfinite(value):
                event[name] = float(str(value))  # the shortest that is this number in single precision
    return [event or None for event in found]
