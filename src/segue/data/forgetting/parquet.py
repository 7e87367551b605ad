"""A Parquet file without the rows of some users: the same columns, types and notes."""

from __future__ import annotations

from functools import partial as given
from pathlib import Path

import polars as pl

from segue.data.forgetting.sources import LogFile
from segue.data.reading.coding import as_strings


def write_parquet(file: LogFile, users: frozenset[str], out: Path) -> int:
    """Write what stays of a file; how many rows went. Compression and row groups are those of polars."""
    source = pl.scan_parquet(file.path, glob=False)
    ids = pl.col(file.column).map_batches(
        given(as_strings, where=file.table.name), return_dtype=pl.String, is_elementwise=True
    )
    notes = {name: text for name, text in pl.read_parquet_metadata(file.path).items() if name != "ARROW:schema"}
    kept = source.filter(ids.is_in(sorted(users)).fill_null(False).not_())
    kept.sink_parquet(out, metadata=notes or None, maintain_order=True)
    return rows_of(file.path) - rows_of(out)


def rows_of(path: Path) -> int:
    """How many rows a file says that it has."""
    return int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())
