"""A picture written to a file: refused before any work, where that could not be done."""

from __future__ import annotations

from pathlib import Path

from segue.errors import ConfigError
from segue.places import check_place, write_whole


def check_chart(file: Path) -> None:
    """Raise ConfigError, before hours of training, for a file that cannot become a picture."""
    if file.suffix != ".svg":
        raise ConfigError(f"{file}: expected a name that ends in .svg; a chart is written as SVG")
    check_place(file, ".svg", "the chart")


def write_chart(picture: str, file: Path) -> None:
    """Write a file, whole or not at all. Raises SegueError if the disk does not take it."""
    write_whole(picture, file, "the chart")
