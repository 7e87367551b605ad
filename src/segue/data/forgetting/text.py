"""A text file without the rows of some users: every other byte of the text as it was."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any, cast

from segue.data.forgetting.records import field, hints_of, records
from segue.data.forgetting.sources import LogFile
from segue.data.reading.formats import QUOTES, separator_of
from segue.errors import LogError

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
FEW = 16
"""So many users are looked for in the bytes of a line before it is taken apart."""


def write_text(file: LogFile, users: frozenset[str], out: Path) -> int:
    """Write what stays of a text file; how many rows went. It is packed as the file was."""
    with opened(file.path, "rb", file.path) as source, opened(out, "wb", file.path) as target:
        return copied(file, users, source, target)


def copied(file: LogFile, users: frozenset[str], source: IO[bytes], target: IO[bytes]) -> int:
    """Copy the records of others; how many were left out."""
    gone = 0
    for record, user in with_users(file, users, source):
        if user in users:
            gone += 1
        else:
            target.write(record)
    return gone


def with_users(file: LogFile, users: frozenset[str], lines: IO[bytes]) -> Iterator[tuple[bytes, str | None]]:
    """Each record and its user; None where that is surely none of `users`."""
    if file.kind == "jsonl":
        # what a value is as a string, and which of two equal keys counts, is the reader's business
        rows = chain.from_iterable(file.users())
        for line in lines:
            yield line, next(rows, None) if line.strip() else None
        return
    quoted = QUOTES[file.kind] is not None
    separator = separator_of(file.path, file.kind).encode()
    place, hints = file.table.columns.index(file.column), hints_of(users) if len(users) <= FEW else [b""]
    headed = False
    for record in records(lines, quoted=quoted):
        if not headed:
            headed = bool(record.strip())
            yield record, None
        elif any(hint in record for hint in hints):
            found = field(record, place, separator, quoted=quoted)
            yield record, None if found is None else found.decode("utf-8", "replace")
        else:
            yield record, None


@contextmanager
def opened(path: Path, mode: str, like: Path) -> Iterator[IO[bytes]]:
    """A file, unpacked as it is read or packed as it is written, in the way that the file `like` is packed."""
    with like.open("rb") as file:
        head = file.read(4)
    with path.open(mode) as raw:
        if head.startswith(GZIP):
            with gzip.GzipFile(filename="", mode=mode, fileobj=raw, mtime=0) as packed:
                yield cast("IO[bytes]", packed)
        elif head == ZSTD:
            with zstandard(like).open(raw, mode) as packed:
                yield packed if mode == "wb" else io.BufferedReader(packed)
        else:
            yield cast("IO[bytes]", raw)


def zstandard(path: Path) -> Any:
    """The package. Raises LogError where it is not installed: Python itself has no zstd."""
    try:
        import zstandard
    except ImportError:
        raise LogError(
            f"{path} is packed by zstd, and to write it anew needs the package zstandard, which is not installed: "
            "pip install zstandard, or unpack the file"
        ) from None
    return zstandard
