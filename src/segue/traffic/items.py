"""Which items a load is of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from segue.errors import ConfigError

MADE_UP = 1000


def known_items(model: Path | None, file: Path | None) -> tuple[Sequence[str], list[str]]:
    """Item ids, the most frequent first as far as that is known, and what is to be said of them.

    Args:
        model: the folder of a model, or of versions of one, whose catalog is taken.
        file: ids, one a line.

    Raises:
        ConfigError: both are given, or the file cannot be read or holds none.
        ArtifactError: there is no such model.
    """
    if model is not None and file is not None:
        raise ConfigError("--model and --items: both given; expected at most one of them")
    if model is not None:
        from segue.artifact.current import served
        from segue.artifact.reading import read_checked, read_manifest

        folder = served(model)
        content = read_checked(folder, "catalog.json", read_manifest(folder).files)  # the weights may be large
        return msgspec.json.decode(content)["ids"], []
    if file is None:
        note = "neither --model nor --items: the server knows none of the items that are sent, and lists are of no one"
        return [f"item {n}" for n in range(MADE_UP)], [note]
    try:
        ids = [line for line in file.read_text("utf-8").splitlines() if line]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read ({error}); expected item ids in UTF-8, one a line") from None
    if not ids:
        raise ConfigError(f"{file} holds no item id; expected one a line")
    return ids, []
