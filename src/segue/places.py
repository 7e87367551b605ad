"""A file that is asked for by name: refused before any work, where it could not be written, and written whole."""

from __future__ import annotations

from pathlib import Path

from segue.disk import partial_of, replace_file
from segue.errors import ConfigError, SegueError


def check_place(file: Path, ending: str, what: str) -> None:
    """Raise ConfigError for a file that could not be written, or whose name does not end so."""
    if file.suffix != ending:
        raise ConfigError(f"{file}: expected a name that ends in {ending} for {what}")
    if file.is_dir():
        raise ConfigError(f"{file} is a folder; expected the name of a file for {what}")
    probe = partial_of(file)
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"{file}: {what} could not be written there ({error.strerror}); name a file in a folder that exists and "
            "can be written to"
        ) from None


def write_whole(text: str, file: Path, what: str) -> None:
    """Write a text, whole or not at all. Raises SegueError if the disk does not take it."""
    try:
        replace_file(file, text.encode())
    except OSError as error:
        raise SegueError(f"{file}: {what} could not be written ({error.strerror})") from None
