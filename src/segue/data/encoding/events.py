"""What events bring with them, in numbers: columns of the log, and the type of an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from segue.config import feature_of
from segue.data.encoding.base import Axes
from segue.data.encoding.bound import EventFeatures, Numbers, Ready, Rows
from segue.data.encoding.distinct import TYPE, Distinct, column_of, distinct
from segue.data.encoding.fitting import fitted_to
from segue.data.encoding.number import NumberEncoder
from segue.data.encoding.table import Encoded, TableEncoder
from segue.data.encoding.values import Value, shown, value_for
from segue.data.events import EventLog
from segue.errors import ConfigError, LogError
from segue.shapes import Array, Floats


class EventEncoder(NamedTuple):
    """From what is known of an event to F numbers; zeros where nothing is known.

    Attributes:
        table: the columns by name, `type` for the type of the event.
    """

    table: TableEncoder

    @property
    def width(self) -> int:
        """F."""
        return self.table.width

    @property
    def names(self) -> list[str]:
        """The features that are read, but for the type."""
        return [name for name in self.table.columns if name != TYPE]

    @classmethod
    def fitted(cls, log: EventLog, asked: Iterable[str], *, axes: Axes) -> EventEncoder:
        """Learn from the events of a training log.

        Args:
            asked: names of its columns, or `name:kind`.

        Raises:
            ConfigError: the log has no such column.
            LogError: values that are not of the kind that was asked for.
        """
        columns, notes = dict[str, Encoded](), list[str]()
        for name, kind in map(feature_of, asked):
            found = fitted_to(name, column_of(log, name), kind, axes)
            some = found.length > 0
            if not some.any():
                notes.append(f"feature `{name}` of events is not read: it is empty in all events of the training part")
                continue
            # as in an items table: numbers of a column have a length of 1 on average
            scale = 1 / np.sqrt(np.average(found.length[some] ** 2, weights=found.times[some]))
            columns[name] = Encoded(found.encoder, float(scale))
            rare = found.times[~some].sum() / found.times.sum()
            if found.encoder.kind == "labels" and rare >= 0.005:
                notes.append(
                    f"feature `{name}`: {rare:.0%} of the events have none of its {found.encoder.width} labels"
                )
        if columns:
            told = (f"`{name}` as {one.encoder.kind}, {one.encoder.width}" for name, one in columns.items())
            notes.append(f"features of events: {'; '.join(told)}")
        return cls(TableEncoder(columns, tuple(notes)))

    def bound(self, log: EventLog) -> EventFeatures:
        """The features of the events of a log, to be looked up.

        Raises:
            LogError: the log lacks a column, or one has values of another kind than what was learned from.
        """
        columns, readers = list[Array](), list[Numbers | Rows | Ready]()
        for name, (encoder, scale) in self.table.columns.items():
            try:
                values = column_of(log, name)
            except ConfigError as error:
                raise LogError(f"{error}; the model learned of it") from None
            if isinstance(encoder, NumberEncoder) and not isinstance(values, Distinct):
                columns.append(values)
                readers.append(Numbers(encoder, scale))
                continue
            found = values if isinstance(values, Distinct) else distinct(values)
            columns.append(found.code)
            readers.append(Rows.of(encoder, scale, found.values, name))
        return EventFeatures(tuple(columns), tuple(readers))

    def encode(self, events: Sequence[tuple[Mapping[str, Value] | None, str | None]]) -> Floats:
        """(B, F) of events that came one by one, each with its features and its type.

        A value that cannot be read is as one that is not there: `check` tells of it where that matters.
        """
        found = np.zeros((len(events), self.width), np.float32)
        for name, part in self.table.parts.items():
            encoder, scale = self.table.columns[name]
            given = [kind if name == TYPE else (features or {}).get(name) for features, kind in events]
            if any(value is not None for value in given):
                values = [value_for(encoder.kind, value) for value in given]
                found[:, part] = encoder.encode(values, where=f"feature `{name}`") * np.float32(scale)
        return found

    def check(self, features: Mapping[str, Value]) -> str | None:
        """What is wrong with the features of an event, as a sentence; None: nothing."""
        for name, value in features.items():
            is_number = name in self.names and self.table.columns[name].encoder.kind == "number"
            if is_number and value not in (None, "") and value_for("number", value) is None:
                return f"feature `{name}` is {shown(value)}; expected a finite number, as it was learned"
        return None

    def unread(self, features: Mapping[str, Value]) -> list[str]:
        """The names that the model has not learned of."""
        return [name for name in features if name == TYPE or name not in self.table.columns]

    def plain(self) -> list[dict[str, Any]]:
        """All that is no array."""
        return self.table.plain()

    def arrays(self) -> dict[str, Array]:
        """All arrays by name."""
        return self.table.arrays()

    @classmethod
    def restored(cls, plain: Sequence[Mapping[str, Any]], arrays: Mapping[str, Array]) -> EventEncoder:
        """As it was. Raises KeyError, TypeError or ValueError where it does not fit."""
        return cls(TableEncoder.restored(plain, arrays))
