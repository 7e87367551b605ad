"""Reading an interaction log into an `EventLog`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from segue.data.events import EventLog
from segue.data.reading.collecting import Collector
from segue.data.reading.columns import Columns, find_columns
from segue.data.reading.packed import check_features, open_packed, packed_folder
from segue.data.reading.sources import open_tables
from segue.data.reading.tables import Table
from segue.data.spill import room
from segue.errors import LogError


def read_log(
    source: Any,
    *,
    user_col: str | None = None,
    item_col: str | None = None,
    time_col: str | None = None,
    session_col: str | None = None,
    order_col: str | None = None,
    type_col: str | None = None,
    weight_col: str | None = None,
    split_col: str | None = None,
    feature_cols: Sequence[str] = (),
    format: str | None = None,  # noqa: A002
) -> EventLog:
    """Read a log.

    A log has an item, a time or an order, and a user or a session. Columns are found by name (see
    `segue.data.reading.columns`), and what each was taken for is in the log's `notes`; rows that cannot be used are
    counted in `rejected`. Times are Unix seconds, ms, us or ns, or ISO-8601, where no zone means UTC.

    Args:
        source: a path, a glob, a folder, '-' for standard input, a polars or pandas frame, a list of these,
            a folder that `segue.pack` wrote, or a log, which is returned as it is.
        user_col: the column of users; None: find it, or take each session for a user.
        item_col: the column of items; None: find it, as with those below.
        time_col: the column of times.
        session_col: the column of session ids.
        order_col: a column of numbers that orders events: among equal times if there are times, else alone.
        type_col: the column of kinds of event.
        weight_col: a column of numbers from 0 on; only a column called `weight` is taken unasked.
        split_col: the column that says train, valid or test.
        feature_cols: further columns to keep.
        format: csv, tsv, inter, jsonl or parquet; None: from each file's name.

    Raises:
        LogError: it cannot be read, lacks a column, mixes units of time, or no row can be used.
        ConfigError: a column that was asked for does not exist.
    """
    if isinstance(source, EventLog):
        return source
    asked = {
        "user_id": user_col,
        "item_id": item_col,
        "time": time_col,
        "session_id": session_col,
        "order": order_col,
        "event_type": type_col,
        "weight": weight_col,
        "split": split_col,
    }
    folder = packed_folder(source)
    if folder is not None:
        return _packed(folder, [name for name in asked.values() if name], feature_cols)
    with room(), open_tables(source, kind=format) as tables:
        columns = [find_columns(t.columns, table=t.name, asked=asked, features=feature_cols) for t in tables]
        _require_same_meaning(tables, columns)
        collector = Collector(set(columns[0].by_role), list(feature_cols))
        for table, found in zip(tables, columns, strict=True):
            for batch in table.batches(found.wanted):
                collector.add(batch, found)
        notes = [note for table in tables for note in table.notes]
        notes += dict.fromkeys(note for found in columns for note in found.notes)
        if len(tables) > 1:
            notes.append(f"{len(tables)} files or frames read as one log")
        _require_events(collector, tables)
        return collector.finish(notes)


def _packed(folder: Path, asked: Sequence[str], features: Sequence[str]) -> EventLog:
    log = open_packed(folder)
    check_features(log, folder, features)
    if not asked:
        return log
    note = f"the columns asked for ({', '.join(asked)}) were not looked for: packing has chosen them"
    return replace(log, notes=(*log.notes, note))


def _require_same_meaning(tables: Sequence[Table], columns: Sequence[Columns]) -> None:
    first = set(columns[0].by_role)
    for table, found in zip(tables, columns, strict=True):
        differing = first ^ set(found.by_role)
        if differing:
            one, other = (tables[0], table) if differing & first else (table, tables[0])
            raise LogError(
                f"{one.name} has a column for {', '.join(sorted(differing))}, and {other.name} has none; "
                "expected the same columns in all files: read them apart, or name the columns"
            )


def _require_events(collector: Collector, tables: Sequence[Table]) -> None:
    name = tables[0].name if len(tables) == 1 else f"{tables[0].name} and {len(tables) - 1} more"
    rejections = collector.checks.rejections()
    if collector.n_rows == 0:
        raise LogError(f"{name} has columns but no rows; expected a row per event")
    if collector.n_events == 0:
        reasons = "; ".join(f"{r.rows:,} because {r.reason} ({r.example})" for r in rejections)
        raise LogError(f"none of the {collector.n_rows:,} rows of {name} can be used: {reasons}")
