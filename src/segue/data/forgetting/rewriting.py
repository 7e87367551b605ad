"""A log without some users beside the log itself, looked through before it takes its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segue.data.forgetting.packed import events_of, without
from segue.data.forgetting.parquet import write_parquet
from segue.data.forgetting.sources import Found, LogFile, look
from segue.data.forgetting.text import write_text
from segue.data.packed import open_packed, rewritten
from segue.data.reading.formats import open_file
from segue.disk import sync_folder
from segue.errors import LogError


class Cleaned(NamedTuple):
    """A log that is ready to take the place of what is there.

    Attributes:
        path: of the file, or the folder of a packed log.
        rows: how many rows go, by user; of a packed log, events.
        put: puts it there; does nothing where no row goes.
        links: other names of the file, which keep what was in it.
    """

    path: Path
    rows: dict[str, int]
    put: Callable[[], None]
    links: int = 0


@contextmanager
def cleaned(source: LogFile | Path, users: frozenset[str], *, write: bool = True) -> Iterator[Cleaned]:
    """Write a log anew beside itself, without some users; it is gone at the end where it was not put.

    Args:
        source: a file, or the folder of a packed log.
        users: ids, none of them empty.
        write: False only counts.

    Raises:
        LogError: it cannot be read or written, or nothing would be left of a packed log.
    """
    if isinstance(source, Path):
        yield from of_packed(source, users, write)
    else:
        yield from of_file(source, users, write)


def of_packed(folder: Path, users: frozenset[str], write: bool) -> Iterator[Cleaned]:
    """A packed log."""
    log = open_packed(folder)
    found = events_of(log, users)
    if not found or not write:
        yield Cleaned(folder, found, lambda: None)
        return
    if sum(found.values()) == len(log):
        raise LogError(f"{folder}: all {len(log):,} events are of these users; delete the folder: nothing stays of it")
    with rewritten(without(log, users), folder) as put:
        yield Cleaned(folder, found, put)


def of_file(file: LogFile, users: frozenset[str], write: bool) -> Iterator[Cleaned]:
    """A file of another kind."""
    before = file.path.stat()
    found = look(file, users)
    if write:
        remove_left(file.path)
    if not found or not write:
        yield Cleaned(file.path, found, lambda: None, before.st_nlink - 1)
        return
    partial = file.path.with_name(f".{file.path.name}.partial-{os.getpid()}")
    try:
        with writing(file):
            gone = write_rest(file, users, partial)
            shutil.copymode(file.path, partial)
            with suppress(PermissionError):  # only root may give a file to others
                os.chown(partial, before.st_uid, before.st_gid)
        check(file, partial, gone, found)

        def put() -> None:
            with writing(file):
                now = file.path.stat()
            if (now.st_mtime_ns, now.st_size, now.st_ino) != (before.st_mtime_ns, before.st_size, before.st_ino):
                raise LogError(f"{file.path} was written to meanwhile and is left as it is: stop that, and try again")
            with writing(file):
                os.replace(partial, file.path)
                sync_folder(file.path.parent)

        yield Cleaned(file.path, found, put, before.st_nlink - 1)
    finally:
        partial.unlink(missing_ok=True)


def write_rest(file: LogFile, users: frozenset[str], partial: Path) -> int:
    """Write what stays of a file down to the disk; how many rows went."""
    gone = (write_parquet if file.kind == "parquet" else write_text)(file, users, partial)
    handle = os.open(partial, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return gone


def remove_left(path: Path) -> None:
    """Remove what killed processes left beside a file: it has the rows of whoever is forgotten now."""
    head = f".{path.name}.partial-"
    for left in path.parent.iterdir():
        process = left.name.removeprefix(head)
        if process == left.name or not process.isdigit():
            continue
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            left.unlink(missing_ok=True)
        except OSError:
            continue


def check(file: LogFile, partial: Path, gone: int, before: Found) -> None:
    """Raise LogError unless the reader finds what was there in what was written, but for the users."""
    after = Found()
    if partial.stat().st_size:  # of JSON lines there may be none left
        after = look(LogFile(partial, file.kind, open_file(partial, file.table.name, file.kind), file.column), before)
    if after or gone != before.rows or after.named != before.named - before.rows:
        raise LogError(
            f"{file.path} cannot be written anew: of {before.named:,} rows {before.rows:,} were to go, and {gone:,} "
            f"went, {after.named:,} stay; it is left as it is. Look for odd quotes in it, or write it as Parquet"
        )


@contextmanager
def writing(file: LogFile) -> Iterator[None]:
    """Make what the disk does not take a LogError. What was there was read as a whole before."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        said = getattr(error, "strerror", None) or (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise LogError(
            f"{file.path} cannot be written anew ({said}); it is left as it is: make room beside it for a second one, "
            "or give leave to write to its folder"
        ) from None
