"""What diversity costs a model, kept in its folder: measured after it was saved, and no part of its version."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from segue.artifact.content import FRONTIER, Artifact
from segue.artifact.reading import read_manifest, version_of
from segue.disk import replace_file
from segue.errors import ArtifactError

MOST_BYTES = 2**20
"""A file that is larger is not read: 8 strategies at 8 places of the knob take a tenth of it."""


class Measured(Struct, frozen=True, kw_only=True):
    """The content of `frontier.json`.

    Attributes:
        version: of the model that it was measured on; on another one it says nothing.
        measured_at: UTC, ISO 8601.
        frontier: as `segue frontier --json` prints it, see `segue.evaluation.points`.
    """

    version: str
    measured_at: str
    frontier: dict[str, Any]


def keep_frontier(artifact: Artifact, frontier: Any) -> Path:
    """Write what was measured into the folder of a model, in the place of what was there; the file.

    Args:
        artifact: as it was read from its folder.
        frontier: what is to be kept, a struct or a dict.

    Raises:
        ArtifactError: the model has no folder, another one is there by now, or the disk does not take it.
    """
    folder = artifact.folder
    if folder is None:
        raise ArtifactError("the model was not read from a folder: save it and load it, so that it has one")
    if version_of(read_manifest(folder)) != artifact.version:
        raise ArtifactError(f"{folder}: holds another model than the one that was measured: measure that one")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    kept = Measured(version=artifact.version, measured_at=now, frontier=msgspec.to_builtins(frontier))
    data = msgspec.json.format(msgspec.json.encode(kept)) + b"\n"
    try:
        replace_file(folder / FRONTIER, data)
    except OSError as error:
        raise ArtifactError(f"{folder / FRONTIER}: cannot be written ({error.strerror})") from None
    return folder / FRONTIER


def frontier_of(folder: Path | None, version: str) -> Measured | None:
    """What was measured on this very version; None where nothing was, or it cannot be read.

    It is a picture for people, which the model does without: damage is no error.
    """
    if folder is None:
        return None
    try:
        with open(folder / FRONTIER, "rb") as file:
            data = file.read(MOST_BYTES + 1)
        kept = msgspec.json.decode(data, type=Measured) if len(data) <= MOST_BYTES else None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return kept if kept is not None and kept.version == version else None


def carry_frontier(source: Path, target: Path, version: str) -> None:
    """Have a copy of a version hold the newest of what was measured on either. Raises OSError."""
    given, had = frontier_of(source, version), frontier_of(target, version)
    if given is not None and (had is None or had.measured_at < given.measured_at):
        replace_file(target / FRONTIER, (source / FRONTIER).read_bytes())
