"""Reading the rows of an items table with polars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from segue.data.reading.checks import Checks
from segue.data.reading.coding import as_strings
from segue.data.reading.columns import OPTIONS, candidates, missing, pick
from segue.data.reading.sources import open_tables
from segue.data.reading.tables import Batch
from segue.errors import LogError


class Rows(NamedTuple):
    """Distinct ids, and for each further column a str, a list of str or None an id."""

    ids: list[str]
    columns: dict[str, list[Any]]
    notes: tuple[str, ...]


def read_rows(source: Any, *, item_col: str | None, kind: str | None) -> Rows:
    """Read an items table as strings; see `segue.data.items.read_items`."""
    checks, notes = Checks(), []
    seen: dict[str, None] = {}
    columns: dict[str, list[Any]] = {}
    n_rows = n_again = 0
    with open_tables(source, kind=kind) as tables:
        for table in tables:
            item = item_column(table.columns, table.name, item_col)
            notes += [*table.notes, f"item_id from column `{item}`"]
            others = [name for name in table.columns if name != item]
            for name in others:
                columns.setdefault(name, [None] * len(seen))
            for batch in table.batches(table.columns):
                n_rows += batch.frame.height
                n_again += _add(batch, item, others, seen, columns, checks)
            for values in columns.values():
                values += [None] * (len(seen) - len(values))
    notes += [f"{no.rows:,} rows left out: {no.reason} ({no.example})" for no in checks.rejections()]
    if n_again:
        notes.append(f"{n_again:,} rows left out: the item has a row already (the first counts)")
    if not seen:
        tail = f": {'; '.join(notes)}" if n_rows else ""
        raise LogError(
            f"the items table {tables[0].name} has no usable row of {n_rows:,}; expected a row per item{tail}"
        )
    return Rows(list(seen), columns, tuple(dict.fromkeys(notes)))


def item_column(columns: Sequence[str], table: str, asked: str | None) -> str:
    """The column of item ids of an items table, where it may also be called `id`."""
    if asked is not None:
        return pick(asked, columns, table=table, option=OPTIONS["item_id"])
    found = candidates("item_id", columns, further=["id"])
    if not found:
        raise missing("the item", ["item_id"], columns, table, flag="--items-col")
    return found[0]


def _add(
    batch: Batch,
    item: str,
    others: Sequence[str],
    seen: dict[str, None],
    columns: dict[str, list[Any]],
    checks: Checks,
) -> int:
    """Add the usable rows of a batch; returns how many had an id that was there already."""
    ids = as_strings(batch.frame[item], batch.table)
    keep = np.ones(len(ids), bool)
    checks.check_ids(keep, ids, "item_id", batch, item)
    usable = np.flatnonzero(keep)
    new, again = [], 0
    for row, identifier in zip(usable, ids.gather(usable), strict=True):
        if identifier in seen:
            again += 1
            continue
        seen[identifier] = None
        new.append(int(row))
    for name in others:
        values = _values(batch.frame[name].gather(new), batch.table)
        columns[name] += [None if value == "" else value for value in values]
    return again


def _values(column: pl.Series, where: str) -> list[Any]:
    if isinstance(column.dtype, pl.List | pl.Array) and not column.dtype.inner.is_nested():
        return column.cast(pl.List(pl.String)).to_list()
    if column.dtype.is_nested():
        return [None if value is None else repr(value) for value in column.to_list()]
    return as_strings(column, where).to_list()
