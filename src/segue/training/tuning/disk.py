"""What the disk does to a tuning, said in words."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
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
def alone(folder: Path) -> Iterator[None]:
    """Keep a second tuning out of the folder while this one is at work; the lock goes with the process."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise TrainingError(
            f"{folder}: another tuning is at work there; wait for it, or choose another --out"
        ) from None
    finally:
        os.close(handle)
