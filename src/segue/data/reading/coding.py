"""From columns of strings to small numbers and back, batch by batch, without a Python string each."""

from __future__ import annotations

import numpy as np
import polars as pl

from segue.data import spill
from segue.data.ids import Ids
from segue.data.reading.spool import Spool
from segue.errors import LogError
from segue.shapes import Array, Ints


class Coder:
    """Numbers strings in the order in which they come, over any number of batches."""

    def __init__(self) -> None:
        # Polars forgets the strings once no series of the type is alive.
        self.anchor = pl.Series([], dtype=pl.Categorical(pl.Categories.random()))
        self.count = 0

    def encode(self, strings: pl.Series) -> Ints:
        """(E,) the number of each string; none may be null."""
        codes: Ints = strings.cast(self.anchor.dtype).to_physical().to_numpy().astype(np.int32)
        self.count = max(self.count, int(codes.max(initial=-1)) + 1)
        return codes

    @property
    def strings(self) -> pl.Series:
        """The strings by number."""
        # `Categories.to_series` makes a Python string of each.
        return pl.Series(np.arange(self.count, dtype=np.uint32)).cat.to(self.anchor.dtype).cast(pl.String)


def by_appearance(codes: Spool, strings: pl.Series) -> tuple[Array, pl.Series]:
    """Renumber `codes` (E,) in order of first appearance; also returns the strings in the new order."""
    place = np.full(len(strings), -1, np.int32)
    first = np.empty(len(strings), np.int32)
    out, order, count = Spool(np.int32), [], 0
    for block in codes.blocks():
        unseen = block[place[block] < 0]
        at = np.arange(len(unseen), dtype=np.int32)
        # Of several writes to one place the last stays: going backwards, that is the first appearance.
        first[unseen[::-1]] = at[::-1]
        fresh = unseen[first[unseen] == at]
        place[fresh] = np.arange(count, count + len(fresh), dtype=np.int32)
        count += len(fresh)
        order.append(fresh)
        out.append(place[block])
    return out.array(), strings.gather(np.concatenate(order))


def pack(strings: pl.Series) -> Ids:
    """Distinct strings as `Ids`."""
    ends = np.zeros(len(strings) + 1, np.int64)
    np.cumsum(strings.str.len_bytes().to_numpy(), out=ends[1:])
    parts = (strings[block.start : block.stop] for block in spill.blocks(len(strings)))
    return Ids(b"".join(part.str.join("").item().encode() for part in parts), ends)


def as_strings(column: pl.Series, where: str) -> pl.Series:
    """A column of any plain type as strings: 1 and 1.0 are "1", NaN is null.

    Raises:
        LogError: the column is nested or binary.
    """
    if column.dtype == pl.String:
        return column
    if column.dtype.is_float():
        # Pandas turns integers into floats where some are missing.
        value = pl.col(column.name)
        whole = (value == value.floor()) & (value.abs() < 2.0**63)
        text = pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(value.cast(pl.String))
        return column.to_frame().select(pl.when(value.is_not_nan()).then(text)).to_series()
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        raise LogError(f"{where}, column `{column.name}` holds {column.dtype}, expected strings or numbers")
    return column.cast(pl.String)


def as_numbers(column: pl.Series, where: str) -> Array:
    """A column as float64 (E,), nan where it holds no number."""
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return column.cast(pl.Float64).to_numpy()
    text = as_strings(column, where)
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() > text.null_count():
        numbers = text.str.strip_chars().cast(pl.Float64, strict=False)
    return numbers.to_numpy()
