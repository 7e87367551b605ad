"""Packing a log: read once, sorted and numbered, into a folder that opens at once and is never loaded as a whole."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from glob import has_magic
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from segue.data import spill
from segue.data.events import EventLog, Rejection
from segue.data.log import read_log
from segue.data.reading.packed import COLUMNS, FORMAT, KIND, MANIFEST, Column, Manifest, open_packed
from segue.disk import write_through
from segue.errors import LogError
from segue.shapes import Array

__all__ = ["check_free", "open_packed", "pack_log", "rewritten"]


def pack_log(source: Any, folder: Path | str, *, overwrite: bool = False, **columns: Any) -> EventLog:
    """Read a log and write it packed, whole or not at all: whatever goes wrong, what was there before stays.

    Args:
        source: what `read_log` takes.
        folder: where to; `read_log` opens it from then on.
        overwrite: replace the packed log that is there.
        columns: which column is what; see `read_log`.

    Returns:
        The packed log, opened.

    Raises:
        LogError: the log cannot be read, the folder is in the way, or the disk does not take it.
        ConfigError: a column that was asked for does not exist.
    """
    check_there(source)
    folder = Path(folder).expanduser().resolve()
    check_free(folder, overwrite=overwrite)
    with _partial(folder) as partial:
        check_free(folder, overwrite=overwrite)
        log = read_log(source, **columns)
        if not len(log):
            raise LogError("the log has no events; expected at least one: there is nothing to pack")
        _write(log, partial, folder)
        _replace(folder, partial)
    return open_packed(folder)


@contextmanager
def rewritten(log: EventLog, folder: Path) -> Iterator[Callable[[], None]]:
    """A log written beside a packed one; gives what puts it in its place. Raises LogError where that cannot be."""
    folder = folder.expanduser().resolve()
    check_free(folder, overwrite=True)
    with _partial(folder) as partial:
        _write(log, partial, folder)
        yield lambda: _replace(folder, partial)


def check_there(source: Any) -> None:
    """Raise LogError for a file that is not there, of those that `source` names, before anything is opened."""
    for single in source if isinstance(source, list | tuple) else [source]:
        if not isinstance(single, str | os.PathLike) or single in ("", "-"):
            continue
        path = Path(single).expanduser()
        if not path.exists() and not has_magic(str(path)):
            raise LogError(f"there is no file {path}; expected a log: check the path")


def check_free(folder: Path, *, overwrite: bool) -> None:
    """Raise LogError unless a packed log may be written there."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not folder.is_dir():
        raise LogError(f"{folder} is a file; expected a folder, or nothing: choose another --out")
    if not (folder / MANIFEST).exists():
        raise LogError(f"{folder} exists and holds no packed log: it is not overwritten, choose another --out")
    if not overwrite:
        raise LogError(f"{folder} exists already: choose another --out, or replace the packed log with --overwrite")
    foreign = sorted(file.name for file in folder.iterdir() if file.suffix != ".npy" and file.name != MANIFEST)
    if foreign:
        raise LogError(
            f"{folder} holds more than a packed log ({', '.join(foreign[:3])}): it is not overwritten; "
            "move that elsewhere"
        )


@contextmanager
def _partial(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder`, ours alone, gone afterwards; what a killed packing left is cleared away."""
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        lock = os.open(partial, os.O_RDONLY)
    except OSError as error:
        raise _refused(folder, error) from None
    try:
        _claim(folder, partial, lock)
        yield partial
    finally:
        # Not after it has taken the place of `folder`, and not another's.
        with suppress(OSError):
            if os.path.samestat(os.stat(partial), os.fstat(lock)):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(partial, ignore_errors=True)
        os.close(lock)


def _claim(folder: Path, partial: Path, lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for file in partial.iterdir():
            file.unlink()
        if _old(folder).exists() and not folder.exists():
            os.rename(_old(folder), folder)
    except BlockingIOError:
        raise LogError(f"{folder} is being packed by another process: wait for it, or choose another --out") from None
    except OSError as error:
        raise _refused(folder, error) from None
    shutil.rmtree(_old(folder), ignore_errors=True)


def _write(log: EventLog, partial: Path, folder: Path) -> None:
    arrays: dict[str, Array] = {name: getattr(log, name) for name in COLUMNS if getattr(log, name) is not None}
    arrays |= {f"feature-{place}": values for place, values in enumerate(log.features.values())}
    for kind, ids in (("users", log.users), ("items", log.items)):
        arrays |= {f"{kind}.text": np.frombuffer(ids.text, np.uint8), f"{kind}.ends": ids.ends}
    manifest = Manifest(
        kind=KIND,
        format=FORMAT,
        events=len(log),
        users=len(log.users),
        items=len(log.items),
        timed=log.timed,
        anonymous=log.anonymous,
        type_names=log.type_names,
        features=tuple(log.features),
        feature_names=dict(log.feature_names),
        notes=tuple(map(_writable, log.notes)),
        rejected=tuple(Rejection(no.reason, no.rows, _writable(no.example)) for no in log.rejected),
        files={name: Column(values.dtype.str, len(values)) for name, values in arrays.items()},
    )
    try:
        for name, values in arrays.items():
            _write_array(partial / f"{name}.npy", values)
        # Last: without it the folder is no packed log.
        write_through(partial / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    except OSError as error:
        size = sum(values.nbytes for values in arrays.values())
        raise _refused(folder, error, f"; expected room for {size / 1e6:,.1f} MB") from None


def _write_array(file: Path, values: Array) -> None:
    header = {"descr": values.dtype.str, "fortran_order": False, "shape": values.shape}
    with file.open("wb") as opened:
        np.lib.format.write_array_header_1_0(opened, header)
        for block in spill.blocks(len(values)):
            opened.write(np.ascontiguousarray(values[block]).data)
            spill.release(values)
        opened.flush()
        os.fsync(opened.fileno())


def _replace(folder: Path, partial: Path) -> None:
    old = _old(folder)
    try:
        if folder.exists() and any(folder.iterdir()):
            os.rename(folder, old)
        os.rename(partial, folder)
    except OSError as error:
        if old.exists() and not folder.exists():
            with suppress(OSError):
                os.rename(old, folder)
        raise _refused(folder, error) from None
    shutil.rmtree(old, ignore_errors=True)


def _old(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _refused(folder: Path, error: OSError, expected: str = "") -> LogError:
    stays = "what was there is untouched" if folder.exists() else "nothing of it is left there"
    return LogError(
        f"{folder}: the packed log cannot be written ({error.strerror}){expected}; {stays}: "
        "make room or give leave to write, or choose another --out"
    )


def _writable(text: str) -> str:
    """A sentence without what UTF-8 cannot hold, such as the odd bytes of a file's name."""
    return text.encode("utf-8", "replace").decode()
