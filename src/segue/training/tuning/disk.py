"""What the disk does to a tuning, said in words; and a lock on the folder where one is at work."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

from segue.errors import TrainingError


@contextmanager
def on_disk(folder: Path) -> Iterator[None]:
    """Turn errors of files and of the study's database into a TrainingError; finished trials are on the disk."""
    try:
        yield
    except Exception as error:
        # Optuna and what it stores with are imported only to tune: known by name.
        stored = type(error).__module__.startswith(("optuna.", "sqlalchemy.", "sqlite3"))
        pruned = type(error).__name__ == "TrialPruned"
        if pruned or not (stored or isinstance(error, OSError | SafetensorError)):
            raise
        said = (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip().splitlines()[0]
        raise TrainingError(
            f"{folder}: the tuning could not be written ({said}). Make room or choose another --out; finished trials "
            "that are there are kept: go on with --resume"
        ) from error


@contextmanager
def alone(folder: Path, work: str = "tuning") -> Iterator[None]:
    """Keep a second process out of the folder while this one is at work; the lock goes with the process.

    Args:
        folder: created.
        work: what is done there, in messages.

    Raises:
        TrainingError: another is at work there, or the folder cannot be made.
    """
    try:
        lock = locked(folder)
    except BlockingIOError:
        raise TrainingError(
            f"{folder}: another {work} is at work there; wait for it, or choose another --out"
        ) from None
    except OSError as error:
        raise TrainingError(
            f"{folder}: the {work} cannot be kept there ({error.strerror}); choose an --out whose folder can be "
            "written to"
        ) from None
    try:
        yield
    finally:
        os.close(lock)


def locked(folder: Path) -> int:
    """An open, locked handle of a folder. Raises OSError, a BlockingIOError where another process has it."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise
        except OSError:
            return handle  # a file system that knows no locks of folders, such as NFS: as if there were none
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(folder), os.fstat(handle)):
                return handle
        os.close(handle)  # it was removed in between by the process that had it
