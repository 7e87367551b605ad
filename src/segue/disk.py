"""Files that are on the disk, whole, once it is said that they are."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

PARTIAL = ".partial-"


def write_through(file: Path, data: bytes) -> None:
    """Write a file down to the disk. Raises OSError."""
    with open(file, "wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def replace_file(file: Path, data: bytes) -> None:
    """Put a file in the place of what was there: whoever reads it finds the one or the other. Raises OSError."""
    partial = partial_of(file)
    try:
        write_through(partial, data)
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(file.parent)


def partial_of(file: Path) -> Path:
    """Where a file is until it is whole: under a name that no other writer has, on another machine neither."""
    return file.with_name(f".{file.name}{PARTIAL}{secrets.token_hex(8)}")


def is_partial(file: Path) -> bool:
    """Whether it is what was left of a writer that was killed."""
    return file.name.startswith(".") and PARTIAL in file.name


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
