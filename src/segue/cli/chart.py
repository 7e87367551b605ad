"""A picture written to a file: refused before any work, where that could not be done."""

from __future__ import annotations

import os
from pathlib import Path

from segue.errors import ConfigError, SegueError


def check_chart(file: Path) -> None:
    """Raise ConfigError, before hours of training, for a file that cannot become a picture."""
    if file.suffix != ".svg":
        raise ConfigError(f"{file}: expected a name that ends in .svg; a chart is written as SVG")
    check_place(file, ".svg", "the chart")


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


def write_chart(picture: str, file: Path) -> None:
    """Write a file, whole or not at all. Raises SegueError if the disk does not take it."""
    write_whole(picture, file, "the chart")


def write_whole(text: str, file: Path, what: str) -> None:
    """Write a text, whole or not at all. Raises SegueError if the disk does not take it."""
    partial = partial_of(file)
    try:
        partial.write_text(text, "utf-8")
        os.replace(partial, file)
    except OSError as error:
        raise SegueError(f"{file}: {what} could not be written ({error.strerror})") from None
    finally:
        partial.unlink(missing_ok=True)


def partial_of(file: Path) -> Path:
    """Where a picture is until it is whole."""
    return file.with_name(f".{file.name}.partial-{os.getpid()}")
