"""A table as one matrix: its columns, each by its encoder, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from segue.data.encoding.base import Axes, Encoder
from segue.data.encoding.guess import KINDS, kind_for
from segue.errors import ConfigError, LogError, did_you_mean
from segue.shapes import Array, Floats


class Encoded(NamedTuple):
    """One column of a table.

    Attributes:
        encoder: makes numbers of it.
        scale: times these: so that an item's numbers of a column have a length of 1 on average.
    """

    encoder: Encoder
    scale: float


class Content(NamedTuple):
    """What items are, in numbers (N, C), and what made them."""

    encoder: TableEncoder
    numbers: Floats


class TableEncoder(NamedTuple):
    """The columns that are encoded, by name, in order.

    Attributes:
        columns: see `Encoded`.
        notes: what was decided, one sentence each.
    """

    columns: dict[str, Encoded]
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many numbers a row becomes."""
        return sum(one.encoder.width for one in self.columns.values())

    @property
    def parts(self) -> dict[str, slice]:
        """Where the numbers of each column are."""
        ends = np.cumsum([0, *(one.encoder.width for one in self.columns.values())]).tolist()
        return {name: slice(*ends[place : place + 2]) for place, name in enumerate(self.columns)}

    @classmethod
    def fitted(
        cls, table: Mapping[str, Sequence[Any]], asked: Iterable[str], *, axes: Axes, skip: Iterable[str] = ()
    ) -> TableEncoder:
        """Learn from the columns of a table.

        Args:
            table: values by column, M each, None where nothing is known.
            asked: names of columns, or `name:kind`; `auto` stands for all that tell something.
            skip: columns that `auto` leaves out.

        Raises:
            ConfigError: no such column or kind.
            LogError: values that are not of the kind that was asked for.
        """
        wanted, notes = dict[str, str](), list[str]()
        for one in asked:
            name, _, kind = one.rpartition(":") if one.rpartition(":")[2] in KINDS else (one, "", "")
            if name == "auto":
                found = {other: kind_for(other, values) for other, values in table.items() if other not in skip}
                wanted |= {other: guessed for other, guessed in found.items() if guessed is not None}
                idle = [other for other, guessed in found.items() if guessed is None]
                notes += [f"no content in {', '.join(idle)}: empty, all alike, or different for each"] if idle else []
                continue
            if name not in table:
                raise ConfigError(
                    f"there is no column `{name}`{did_you_mean(name, table) if table else ': there is no table'}"
                )
            wanted[name] = kind or kind_for(name, table[name]) or "labels"
        columns = {}
        for name, kind in wanted.items():
            where = f"column `{name}`"
            encoder = KINDS[kind].fitted(table[name], where=where, axes=axes)
            length = np.linalg.norm(encoder.encode(table[name], where=where), axis=1)
            if not length.any():
                continue
            columns[name] = Encoded(encoder, float(1 / np.sqrt(np.mean(length[length > 0] ** 2))))
        if columns:
            shown = (f"`{name}` as {one.encoder.kind}, {one.encoder.width}" for name, one in columns.items())
            notes.append(f"content of items: {'; '.join(shown)}")
        return cls(columns, tuple(notes))

    def encode(self, table: Mapping[str, Sequence[Any]], rows: int, *, of: str = "the items table") -> Floats:
        """(rows, width); zeros where nothing is known.

        Args:
            of: names the table in a message.

        Raises:
            LogError: a column is missing, or has values of another kind than what was learned from.
        """
        missing = [name for name in self.columns if name not in table]
        if missing:
            raise LogError(
                f"{of} lacks {', '.join(f'`{name}`' for name in missing)}, of which the model learned; expected the "
                f"columns {', '.join(f'`{name}`' for name in self.columns)}"
            )
        found = np.zeros((rows, self.width), np.float32)
        for name, part in self.parts.items():
            encoder, scale = self.columns[name]
            found[:, part] = encoder.encode(table[name], where=f"column `{name}` of {of}") * scale
        return found

    def plain(self) -> list[dict[str, Any]]:
        """All that is no array, to be kept as JSON."""
        return [
            {"name": name, "kind": one.encoder.kind, "scale": one.scale, "learned": one.encoder.plain()}
            for name, one in self.columns.items()
        ]

    def arrays(self) -> dict[str, Array]:
        """All arrays by name."""
        return {
            f"{place}.{name}": array
            for place, one in enumerate(self.columns.values())
            for name, array in one.encoder.arrays().items()
        }

    @classmethod
    def restored(cls, plain: Sequence[Mapping[str, Any]], arrays: Mapping[str, Array]) -> TableEncoder:
        """As it was. Raises KeyError, TypeError or ValueError where it does not fit."""
        columns = {}
        for place, one in enumerate(plain):
            own = {name.partition(".")[2]: array for name, array in arrays.items() if name.split(".")[0] == str(place)}
            columns[one["name"]] = Encoded(KINDS[one["kind"]].restored(one["learned"], own), float(one["scale"]))
        return cls(columns)
