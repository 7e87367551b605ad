"""A text file without the rows of some users: every other byte of the text as it was."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any, cast

from segue.data.forgetting.records import blocks, field, hint_of, records
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
    if file.kind == "jsonl":
        return copied_json(file, users, source, target)
    gone, headed = 0, False
    quoted, separator = QUOTES[file.kind] is not None, separator_of(file.path, file.kind).encode()
    place, hinted = file.table.columns.index(file.column), hint_of(users if len(users) <= FEW else [""]).search
    theirs = {user.encode("utf-8", "surrogatepass") for user in users}
    for block in blocks(source, quoted=quoted):
        if headed and not hinted(block):
            target.write(block)
            continue
        kept = []
        for record in records(io.BytesIO(block), quoted=quoted):
            if headed and hinted(record) and field(record, place, separator, quoted=quoted) in theirs:
                gone += 1
                continue
            headed = headed or bool(record.strip())
            kept.append(record)
        target.write(b"".join(kept))
    return gone


def copied_json(file: LogFile, users: frozenset[str], source: IO[bytes], target: IO[bytes]) -> int:
    """The same of JSON lines: what a value is as a string, and which of two equal keys counts, the reader says."""
    gone, theirs = 0, chain.from_iterable(users_in.is_in(sorted(users)) for users_in in file.users())
    for line in source:
        if line.strip() and next(theirs, False):
            gone += 1
        else:
            target.write(line)
    return gone


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
