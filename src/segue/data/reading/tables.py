"""A table as the readers see it: named columns, and their rows in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from segue.errors import ConfigError, LogError

BATCH = 262_144
SHOWN = 60


@dataclass(frozen=True)
class Batch:
    """Some rows of a table, one after another.

    Attributes:
        frame: the rows.
        table: the table's name, for messages.
        before: how many rows of the table came before them.
    """

    frame: pl.DataFrame
    table: str
    before: int

    def cell(self, row: int, column: str) -> str:
        """Where a value stands and what it is: the opening of a message."""
        value = self.frame[column][row]
        text = repr(value)
        if len(text) > SHOWN:
            text = text[:SHOWN] + "…"
        found = "nothing" if value is None else text
        return f"{self.table}, row {self.before + row + 1}, column `{column}`: found {found}"


@dataclass(frozen=True)
class Table:
    """One file or frame.

    Attributes:
        name: for messages.
        columns: all of its columns.
        scan: the rows of the columns asked for (or of more), in order, in batches.
        notes: what was decided when it was opened.
    """

    name: str
    columns: tuple[str, ...]
    scan: Callable[[Sequence[str]], Iterator[pl.DataFrame]]
    notes: tuple[str, ...] = ()

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """All rows of `columns`, in order."""
        before = 0
        for frame in self.scan(columns):
            yield Batch(frame, self.name, before)
            before += frame.height


def frame_table(source: Any, name: str) -> Table | None:
    """A polars or pandas frame as a table; None if `source` is neither."""
    if isinstance(source, pl.DataFrame):
        source = source.lazy()
    if isinstance(source, pl.LazyFrame):
        with _computed():
            return Table(name, tuple(source.collect_schema().names()), partial(_scan_polars, source))
    if hasattr(source, "iloc") and hasattr(source, "columns"):
        names = tuple(str(column) for column in source.columns)
        return Table(name, names, partial(_scan_pandas, source, names))
    return None


@contextmanager
def _computed() -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise LogError(f"the lazy frame cannot be computed ({said}): try its `collect()`") from None


def _scan_polars(frame: pl.LazyFrame, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    with _computed():
        yield from frame.select(columns).collect_batches(chunk_size=BATCH)


def _scan_pandas(frame: Any, names: Sequence[str], columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    for start in range(0, len(frame), BATCH):
        part = frame.iloc[start : start + BATCH]
        yield pl.DataFrame({name: _pandas_column(part.iloc[:, names.index(name)]) for name in columns})


def _pandas_column(column: Any) -> pl.Series:
    if getattr(column.dtype, "tz", None) is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufM":
        values = column.to_numpy()
        return pl.Series(values.astype("datetime64[us]") if values.dtype.kind == "M" else values)
    listed = [isinstance(value, list | tuple | np.ndarray) for value in column]
    missing = column.isna().tolist()
    if any(listed):
        rows = [[_text(v) for v in value] if many else None for value, many in zip(column, listed, strict=True)]
        return pl.Series(rows, dtype=pl.List(pl.String))
    texts = [None if gone else _text(value) for value, gone in zip(column.tolist(), missing, strict=True)]
    return pl.Series(texts, dtype=pl.String)


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def not_a_source(source: Any) -> ConfigError:
    """The error on something that cannot be read as a table at all."""
    return ConfigError(
        f"cannot read a {type(source).__name__} as a table; expected a path, a glob, a folder, '-', a polars "
        "or pandas data frame, or a list of these"
    )
