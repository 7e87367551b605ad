"""Which version of a home is served."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from segue.artifact.content import MANIFEST
from segue.errors import ArtifactError

CURRENT = "current.json"


class Current(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of `current.json`.

    Attributes:
        version: the folder that is served.
        before: those that were served before it, the last one last.
        change: how often this was written: a version that is published again is tried again.
    """

    version: str
    before: tuple[str, ...] = ()
    change: int = 1


def is_home(folder: Path) -> bool:
    """Whether a folder holds versions of a model, and is no model itself."""
    return (folder / CURRENT).exists() and not (folder / MANIFEST).exists()


def read_current(home: Path) -> Current:
    """Which version is served. Raises ArtifactError where that cannot be read."""
    file = home / CURRENT
    try:
        current = msgspec.json.decode(file.read_bytes(), type=Current)
    except FileNotFoundError:
        raise ArtifactError(
            f"{home}: holds no versions of a model ({CURRENT} is missing): `segue publish` one"
        ) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise ArtifactError(f"{file}: damaged ({error}): `segue publish` a model to write it anew") from None
    for version in (current.version, *current.before):
        if not version or Path(version).name != version:
            raise ArtifactError(f"{file}: damaged: `{version}` is no name of a folder in it")
    return current


def served(folder: Path) -> Path:
    """Where the model of a folder is: of a home the version that is served, else the folder itself."""
    return folder / read_current(folder).version if is_home(folder) else folder
