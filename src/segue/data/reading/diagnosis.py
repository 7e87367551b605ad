"""Why a file cannot be read, where in it, and what to do: in our words instead of polars'."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import polars as pl

from segue.errors import LogError

TRUNCATED = ("unexpected end of file", "incomplete frame", "gzip", "checksum", "deflate", "zstd", "frame")


@contextmanager
def explained(path: Path, name: str, kind: str) -> Iterator[None]:
    """Turn whatever polars or the system says about a file into a LogError."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, UnicodeError) as error:
        try:
            message = _explain(path, name, kind, error)
        except (OSError, EOFError, zlib.error) as second:
            message = f"{name} is cut short or damaged ({second}); nothing was read: fetch it again"
        raise LogError(message) from None


def _explain(path: Path, name: str, kind: str, error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    said, text = lines[0], str(error).lower()
    if isinstance(error, FileNotFoundError):
        return f"there is no file {name}; expected a log or an items table: check the path"
    if isinstance(error, PermissionError | IsADirectoryError):
        return f"{name} cannot be opened ({said}): check who may read it"
    if isinstance(error, OSError) and any(word in text for word in TRUNCATED):
        return f"{name} is cut short or damaged ({said}); nothing was read: fetch or compress it again"
    if kind == "parquet":
        return f"{name} is no Parquet file, or a damaged one ({said}): write it again, or give its `format`"
    if "utf-8" in text or "utf8" in text:
        return wrong_encoding(path, name)
    if "more fields" in text:
        return _ragged(path, name, kind)
    if "empty csv" in text:
        return f"{name} is empty; expected a header line and a row per event or item"
    if kind == "jsonl":
        return _bad_json(path, name, said)
    if "could not parse" in text:
        return (
            f"{name} has a quote that does not fit ({said}): a field that begins with '\"' must end with "
            "one, and a '\"' inside must be doubled; mend it, or give the format `inter` for tab-separated "
            "text without quotes"
        )
    return f"{name} cannot be read as {kind} ({said}): check that it is {kind}, or say what it is with `format`"


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(b"\x1f\x8b"):
        return gzip.open(path)  # type: ignore[return-value]
    # Python 3.11 has no zstd: those files get a message without a line number.
    return io.BytesIO() if head == b"\x28\xb5\x2f\xfd" else path.open("rb")


def wrong_encoding(path: Path, name: str) -> str:
    """The message on text that is not UTF-8, with the first line that is not."""
    where, source = "", "LATIN1"
    with _open(path) as file:
        for number, line in enumerate(file, 1):
            if number == 1 and line[:2] in (b"\xff\xfe", b"\xfe\xff"):
                source = "UTF-16"
                break
            try:
                line.decode()
            except UnicodeDecodeError as error:
                before = line[: error.start].decode()[-20:]
                where = f" (line {number}: byte 0x{line[error.start]:02x} after {before!r})"
                break
    return f"{name} is not UTF-8{where}; convert it: iconv -f {source} -t UTF-8 {name} > utf8-{name}"


def _ragged(path: Path, name: str, kind: str) -> str:
    with _open(path) as file, io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="") as text:
        header = text.readline()
        mark = max(",\t;|", key=header.count) if kind != "inter" else "\t"
        text.seek(0)
        plain = csv.reader(text, delimiter=mark, quoting=csv.QUOTE_NONE)
        reader = plain if kind == "inter" else csv.reader(text, delimiter=mark)
        width = len(next(reader, []))
        try:
            found = next(((reader.line_num, row) for row in reader if len(row) > width), None)
        except csv.Error:
            found = None
    tail = f"a field that contains {mark!r} must stand in quotes; mend the file"
    if found is None:
        return f"{name} has a row with more fields than its header; {tail}"
    line, row = found
    shown = mark.join(row)[:60]
    return f"{name}, line {line} has {len(row)} fields, the header {width}: found {shown!r}; {tail}"


def _bad_json(path: Path, name: str, said: str) -> str:
    with _open(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except UnicodeDecodeError:
                return wrong_encoding(path, name)
            except ValueError as error:
                found = line[:60].decode(errors="replace").strip()
                return f"{name}, line {number} is not JSON ({error}): found {found!r}; mend or delete the line"
            if not isinstance(row, dict):
                return f"{name}, line {number}: found {line[:60].decode()!r}, expected one JSON object a line"
    return f"{name} cannot be read as one JSON object a line ({said}): check it, or say what it is with `format`"
