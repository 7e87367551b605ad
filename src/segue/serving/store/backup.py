"""A copy of a store as it was at one moment a shard, made beside a server that goes on writing."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path

from segue.disk import sync_folder
from segue.errors import StoreError
from segue.serving.store.export import opened
from segue.serving.store.folder import MANIFEST, Manifest, read_manifest, shard_paths, write_manifest
from segue.serving.store.sqlite_errors import explained


def back_up(folder: Path, out: Path) -> int:
    """Write a store anew into another folder, whole or not at all, without the room of what was deleted.

    Each file is one moment of its shard: all events that were acknowledged before it, and the states they fold to. The
    copy is a store: `segue serve --store OUT` serves it.

    Returns:
        bytes of the copy.

    Raises:
        StoreError: there is no store, OUT is there already, or something cannot be read or written.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise StoreError(f"{folder} holds no store of segue ({MANIFEST} is missing)")
    if out.resolve().is_relative_to(folder.resolve()):
        raise StoreError(f"{out} is in the store itself: choose a folder elsewhere for a backup, best on another disk")
    if out.exists():
        raise StoreError(f"{out} is there already: choose a new folder for a backup")
    partial = out.with_name(f".{out.name}.partial-{os.getpid()}")
    try:
        (partial / manifest.generation).mkdir(parents=True)
        size = sum(copied(*pair) for pair in zip(*(shard_paths(at, manifest) for at in (folder, partial)), strict=True))
        sync_folder(partial / manifest.generation)
        write_manifest(partial, Manifest(manifest.shards, manifest.generation))
        os.rename(partial, out)
        sync_folder(out.parent)
    except OSError as error:
        raise StoreError(f"cannot write {out} ({error.strerror}); nothing was kept of it") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return size


def copied(path: Path, copy: Path) -> int:
    """A file of a shard as it is now; the size of the copy, which is on the disk."""
    with explained(path, "copy"), closing(opened(path)) as reader:
        # one reading transaction: unlike SQLite's own backup it does not begin again when the server writes
        reader.execute("VACUUM INTO ?", (str(copy),))
    handle = os.open(copy, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return copy.stat().st_size
