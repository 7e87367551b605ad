"""The features of many events: columns as they are in the log, made numbers of where they are looked up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np

from segue.data import spill
from segue.data.encoding.base import Encoder
from segue.data.encoding.number import NumberEncoder
from segue.data.encoding.values import shown, value_for
from segue.errors import LogError
from segue.shapes import Array, Floats

ROWS = 1 << 16
"""So many distinct values are encoded at a time."""


class Numbers(NamedTuple):
    """Reads a column of numbers."""

    encoder: NumberEncoder
    scale: float

    @property
    def width(self) -> int:
        """How many numbers a value becomes."""
        return self.encoder.width

    def read(self, values: Array) -> Floats:
        """(..., width)."""
        found: Floats = self.encoder.encoded(values) * np.float32(self.scale)
        return found


class Rows(NamedTuple):
    """Reads a column of codes: the row of a distinct value is made once.

    Attributes:
        table: (V + 1, width); the last row, of no value, is zero.
    """

    table: Floats

    @property
    def width(self) -> int:
        """How many numbers a value becomes."""
        return int(self.table.shape[1])

    @classmethod
    def of(cls, encoder: Encoder, scale: float, values: Sequence[str], name: str) -> Self:
        """The rows of the distinct values of a column. Raises LogError for one that is no number and should be."""
        table = spill.empty((len(values) + 1, encoder.width), np.float32)
        table[-1] = 0
        for block in spill.blocks(len(values), ROWS):
            given = [value_for(encoder.kind, value) for value in values[block]]
            if encoder.kind == "number":
                for one, value in zip(values[block], given, strict=True):
                    if one and value is None:
                        raise LogError(f"column `{name}` of the log is {shown(one)}; expected a number, as learned")
            table[block] = encoder.encode(given, where=f"column `{name}` of the log") * np.float32(scale)
        return cls(table)

    def read(self, codes: Array) -> Floats:
        """(..., width)."""
        found: Floats = self.table[np.maximum(codes, -1)]
        return found


class Ready(NamedTuple):
    """Reads what is numbers already."""

    width: int

    def read(self, rows: Array) -> Floats:
        """(..., width)."""
        return rows


class EventFeatures(NamedTuple):
    """The features of E events.

    Attributes:
        columns: (E,) each, as in the log; or (E, F), where they are numbers already.
        readers: of each column.
    """

    columns: tuple[Array, ...]
    readers: tuple[Numbers | Rows | Ready, ...]

    @classmethod
    def of(cls, rows: Floats | None) -> Self | None:
        """Those of events whose numbers (E, F) are there; None where there are none."""
        return None if rows is None else cls((rows,), (Ready(rows.shape[1]),))

    @property
    def width(self) -> int:
        """F."""
        return sum(reader.width for reader in self.readers)

    def at(self, place: Array) -> Floats:
        """(..., F) of the events at some places; zeros where a place is below 0."""
        there = np.maximum(place, 0)
        read = [reader.read(column[there]) for column, reader in zip(self.columns, self.readers, strict=True)]
        found = np.concatenate(read, axis=-1)
        found[np.asarray(place) < 0] = 0
        return found

    def each(self, change: Callable[[Array], Array]) -> Self:
        """The same with other events: of each column what `change` makes of it."""
        return self._replace(columns=tuple(change(column) for column in self.columns))
