"""A store by its name: a folder, or the URL of one in Valkey."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from segue.errors import ConfigError, StoreError
from segue.serving.store import export
from segue.serving.store.base import Stores
from segue.serving.store.export import ExportedEvent, Survey
from segue.serving.store.folder import MANIFEST, StoreFolder
from segue.serving.store.sqlite import Durability
from segue.serving.store.valkey import export as valkey_export
from segue.serving.store.valkey.home import ValkeyStores
from segue.serving.store.valkey.place import Place, is_place, place_of

PASSWORD = "SEGUE_VALKEY_PASSWORD"
"""The variable that has the password of a Valkey server whose URL has none."""


def open_stores(
    name: str, *, shards: int | None = None, durability: Durability = "durable", new: bool = True
) -> Stores:
    """Open a store.

    Args:
        name: a folder, or a URL such as `valkey://127.0.0.1:6379/0?prefix=shop`.
        shards: see `StoreFolder` and `ValkeyStores`.
        new: whether one may be made where there is none.

    Raises:
        ConfigError: no name of a store.
        StoreError: it cannot be opened, or is not as durable as is asked for.
    """
    place = found_place(name)
    if isinstance(place, Place):
        return ValkeyStores(place, shards=shards, durability=durability, new=new)
    if not new:
        check_there(place)
    return StoreFolder(place, shards=shards, durability=durability)


def shown(name: str) -> str:
    """The name of a store as it may be printed: without a password."""
    return str(found_place(name))


def folder_of(name: str, *, instead: str) -> Path:
    """The folder of a store in one.

    Args:
        instead: what to do with one that is in Valkey.

    Raises:
        ConfigError: it is.
        StoreError: there is none.
    """
    place = found_place(name)
    if isinstance(place, Place):
        raise ConfigError(f"{place} is no folder with files of its own: {instead}")
    check_there(place)
    return place


def exported(name: str) -> tuple[Survey, Iterator[list[ExportedEvent]]]:
    """What there is in a store, and all its events, some at a time.

    Servers may use the store meanwhile. Raises StoreError where there is none, or it cannot be read.
    """
    place = found_place(name)
    if not isinstance(place, Place):
        return export.survey(place), export.exported_events(place)
    return valkey_export.survey(place), valkey_export.exported_events(place)


def found_place(name: str) -> Place | Path:
    """What a name says. Raises ConfigError for none."""
    if not name.strip():
        raise ConfigError("the name of the store is empty; expected a folder, or a URL such as valkey://127.0.0.1:6379")
    if is_place(name):
        return place_of(name, os.environ.get(PASSWORD))
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", name):
        scheme = name.partition(":")[0]
        raise ConfigError(
            f"`{scheme}:` is no store that segue knows: expected a folder, or valkey://HOST:PORT/0?prefix=NAME"
        )
    return Path(name)


def check_there(folder: Path) -> None:
    """Raise StoreError where there is no store: none is to be made by looking at it."""
    if not (folder / MANIFEST).exists():
        raise StoreError(f"{folder} holds no store of segue ({MANIFEST} is missing)")
