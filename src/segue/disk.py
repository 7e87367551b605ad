"""Files that are on the disk, whole, once it is said that they are."""

from __future__ import annotations

import os
from pathlib import Path


def write_through(file: Path, data: bytes) -> None:
    """Write a file down to the disk. Raises OSError."""
    with open(file, "wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def replace_file(file: Path, data: bytes) -> None:
    """Put a file in the place of what was there: whoever reads it finds the one or the other. Raises OSError."""
    partial = file.with_name(f".{file.name}.partial")
    write_through(partial, data)
    os.replace(partial, file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
