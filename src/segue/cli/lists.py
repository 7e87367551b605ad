"""Lists of many users, and other tables: printed, or written to a file piece by piece."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from segue.errors import ConfigError, SegueError, did_you_mean

SCHEMA = {"user_id": pl.String, "item_id": pl.String, "score": pl.Float32, "rank": pl.Int32}
WRITERS: dict[str, Callable[..., Any]] = {
    ".parquet": pl.LazyFrame.sink_parquet,
    ".csv": pl.LazyFrame.sink_csv,
    ".jsonl": pl.LazyFrame.sink_ndjson,
}


def print_lists(frames: Iterator[pl.DataFrame], *, json: bool) -> None:
    """CSV, or a JSON object a line, on stdout."""
    for number, frame in enumerate(frames):
        text = frame.write_ndjson() if json else frame.write_csv(include_header=number == 0)
        sys.stdout.write(text)


def write_frames(frames: Iterator[pl.DataFrame], file: Path, schema: Mapping[str, Any] = SCHEMA) -> int:
    """Write a file, whole or not at all; the number of rows.

    Raises:
        ConfigError: the name does not say a format.
        SegueError: the disk does not take it.
    """
    if file.suffix not in WRITERS:
        raise ConfigError(
            f"{file}: expected a name that ends in .parquet, .csv or .jsonl{did_you_mean(file.suffix, WRITERS)}"
        )
    written = 0

    def source(*_: Any) -> Iterator[pl.DataFrame]:
        nonlocal written
        for frame in frames:
            written += frame.height
            yield frame

    partial = file.with_name(f".{file.name}.partial-{os.getpid()}")
    try:
        WRITERS[file.suffix](register_io_source(source, schema=dict(schema)), partial)
        os.replace(partial, file)
    except OSError as error:
        raise SegueError(f"{file}: could not be written ({error.strerror or error})") from None
    finally:
        partial.unlink(missing_ok=True)
    return written
