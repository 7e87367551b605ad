"""One file as a table: its format, and how polars reads it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from segue.data.reading.diagnosis import explained, wrong_encoding
from segue.data.reading.tables import BATCH, Table
from segue.errors import ConfigError, LogError, did_you_mean

FORMATS = ("csv", "tsv", "inter", "jsonl", "parquet")
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".inter": "inter",
    ".item": "inter",
    ".user": "inter",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
SEPARATORS = {"csv": ",", "tsv": "\t", "inter": "\t"}
QUOTES = {"csv": '"', "tsv": '"', "inter": None}
"""RecBole does not quote."""
LINES_FOR_KEYS = 1000


def check_format(name: str | None) -> str | None:
    """The format of that name; `ndjson` is `jsonl`."""
    if name is None or name in FORMATS:
        return name
    if name == "ndjson":
        return "jsonl"
    raise ConfigError(f"`format` (--format) is `{name}`, which is no format segue reads{did_you_mean(name, FORMATS)}")


def format_of(path: Path) -> str | None:
    """The format that a file's name tells, None if it tells none."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = bool(suffixes) and suffixes[-1] in (".gz", ".zst")
    inner = suffixes[:-1] if packed else suffixes
    found = SUFFIXES.get(inner[-1]) if inner else None
    return None if packed and found == "parquet" else found


def sniff(path: Path) -> str:
    """The format of a file without a name, from its first bytes; what shows nothing is csv."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(path) as unpacked:
                head = unpacked.read(4096)
        except (OSError, EOFError):
            return "csv"
    if head.startswith(b"PAR1"):
        return "parquet"
    return "jsonl" if head.lstrip().startswith(b"{") else "csv"


def open_file(path: Path, name: str, kind: str) -> Table:
    """A file of a known format as a table.

    Raises:
        LogError: it is missing, empty, or not of that format.
    """
    with explained(path, name, kind):
        if path.stat().st_size == 0:
            raise LogError(f"{name} is empty (0 bytes); expected a {kind} file with a row per event or item")
        if kind == "parquet":
            frame = pl.scan_parquet(path, glob=False)
            return Table(name, tuple(frame.collect_schema().names()), partial(_scan, frame, path, name, kind))
        if kind == "jsonl":
            return Table(name, _json_keys(path, name), partial(_scan_json, path, name))
        return _open_text(path, name, kind)


def _open_text(path: Path, name: str, kind: str) -> Table:
    usual, mark = SEPARATORS[kind], separator_of(path, kind)
    notes: tuple[str, ...] = ()
    if mark != usual:
        notes = (f"{name}: the header has no {usual!r}, so fields are parted by {mark!r}",)
    frame = _fields(path, kind, mark)
    columns = frame.collect_schema().names()
    if any("\ufffd" in column for column in columns):
        # Polars replaces in a header what it refuses in a row.
        raise LogError(wrong_encoding(path, name))
    return Table(name, tuple(columns), partial(_scan_text, frame, path, name, kind), notes)


def separator_of(path: Path, kind: str) -> str:
    """What parts the fields of a csv, tsv or inter file: the usual mark, or the one that its header has instead."""
    usual = SEPARATORS[kind]
    columns = _fields(path, kind, usual).collect_schema().names()
    if len(columns) > 1:
        return usual
    return next((mark for mark in ",\t;|" if mark != usual and mark in columns[0]), usual)


def _fields(path: Path, kind: str, mark: str) -> pl.LazyFrame:
    return pl.scan_csv(path, separator=mark, quote_char=QUOTES[kind], infer_schema=False, glob=False)


def _scan(frame: pl.LazyFrame, path: Path, name: str, kind: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    with explained(path, name, kind):
        yield from frame.select(columns).collect_batches(chunk_size=BATCH)


def _scan_text(frame: pl.LazyFrame, path: Path, name: str, kind: str, _: Sequence[str]) -> Iterator[pl.DataFrame]:
    # Not `select`: of a projection polars 2.1 reads rows with too many fields without a word.
    with explained(path, name, kind):
        yield from frame.collect_batches(chunk_size=BATCH)


def _scan_json(path: Path, name: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    # As strings whatever they are: keys whose type changes from line to line are common.
    frame = pl.scan_ndjson(path, schema=dict.fromkeys(columns, pl.String))
    yield from _scan(frame, path, name, "jsonl", columns)


def _json_keys(path: Path, name: str) -> tuple[str, ...]:
    keys: dict[str, None] = {}
    lines = pl.scan_csv(
        path,
        has_header=False,
        separator="\x01",
        quote_char=None,
        new_columns=["line"],
        infer_schema=False,
        glob=False,
        n_rows=LINES_FOR_KEYS,
        truncate_ragged_lines=True,
    )
    for number, line in enumerate(lines.collect().to_series(), 1):
        if not (line or "").strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise LogError(f"{name}, line {number} is not JSON ({error}): found {line[:60]!r}; mend it") from None
        if not isinstance(row, dict):
            raise LogError(f"{name}, line {number}: found {line[:60]!r}, expected one JSON object a line")
        keys.update(dict.fromkeys(row))
    return tuple(keys)
