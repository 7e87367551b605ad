"""The items table: titles, categories and whatever else is known of each item. Loads without polars."""

from __future__ import annotations

from typing import Any

from segue.data.catalog import ItemTable
from segue.data.ids import Ids
from segue.data.reading.metadata import describe
from segue.errors import LogError

SHOWN = 3


def read_items(
    source: Any,
    *,
    item_col: str | None = None,
    format: str | None = None,  # noqa: A002
) -> ItemTable:
    """Read an items table; of rows with the same id the first counts.

    Args:
        source: as in `read_log`; or an items table, which is returned as it is.
        item_col: the column that holds the item id; None: find it.
        format: csv, tsv, inter, jsonl or parquet; None: from each file's name.

    Raises:
        LogError: it cannot be read, has no column of item ids, or no row can be used.
        ConfigError: a column that was asked for does not exist.
    """
    if isinstance(source, ItemTable):
        return source
    # Here, not above: a saved model loads its items without polars.
    from segue.data.reading.rows import read_rows

    rows = read_rows(source, item_col=item_col, kind=format)
    columns, notes = describe(rows.columns)
    return ItemTable(Ids.of(rows.ids), columns, (*rows.notes, *notes))


def check_items(table: ItemTable, log_item_ids: Ids) -> list[str]:
    """Hold an items table against the items of a log: one sentence for each thing that does not fit.

    Raises:
        LogError: not a single item of the log has a row.
    """
    described = sum(item in table.ids.places for item in log_item_ids)
    if not described and len(table) and len(log_item_ids):
        here = ", ".join(f"`{table.ids[place]}`" for place in range(min(SHOWN, len(table))))
        there = ", ".join(f"`{log_item_ids[place]}`" for place in range(min(SHOWN, len(log_item_ids))))
        raise LogError(
            f"no item of the log is in the items table: the table has {here}, the log {there}; expected the "
            "same ids: name the right columns (--item-col for the log, --items-col for the table)"
        )
    notes = []
    missing, spare = len(log_item_ids) - described, len(table) - described
    if missing:
        notes.append(f"{missing:,} of {len(log_item_ids):,} items of the log have no row in the items table")
    if spare:
        notes.append(f"{spare:,} of {len(table):,} rows of the items table are items that the log does not have")
    return notes
