"""The sequences of some users taken out of what a model keeps to learn from again; all else of it as it is.

`replay.safetensors` has for each of S sequences `user` (S,), the number of 8 bytes that its user's id hashes to, and
`bounds` (S + 1,), where it begins and ends among the E events; others are by sequence or by event, but for `seed`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy
from msgspec.structs import replace
from safetensors import SafetensorError

from segue.artifact.content import MANIFEST, REPLAY, manifest_bytes
from segue.artifact.reading import read_checked, read_manifest
from segue.artifact.writing import remains, restore_old
from segue.disk import sync_folder, write_through
from segue.errors import ArtifactError
from segue.shapes import Array, Bools

OF_ALL = ("seed",)
"""Arrays that are of no sequence and of no event."""


def user_hash(user_id: str) -> int:
    """The number that stands for a user.

    >>> user_hash("u1")
    15378189911849802130
    """
    return int.from_bytes(hashlib.blake2b(user_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def forget_sequences(folder: Path, user_ids: Collection[str], *, write: bool = True) -> dict[str, int]:
    """Take the sequences of users out of a model, whole or not at all; how many there were of each who had any.

    Args:
        folder: of the model; only what it keeps to learn from, and the hash of that, is changed.
        write: False only counts.

    Raises:
        ArtifactError: it is damaged, or cannot be written; what was there is untouched.
    """
    manifest = read_manifest(folder)
    if REPLAY not in manifest.files:
        return {}
    hashes = {user_id: user_hash(user_id) for user_id in user_ids}
    try:
        arrays = safetensors.numpy.load(read_checked(folder, REPLAY, manifest.files))
        theirs = np.isin(arrays["user"], np.array([*hashes.values()], np.uint64))
        rest = without_rows(arrays, theirs) if write and theirs.any() else arrays
    except (SafetensorError, KeyError, ValueError, IndexError) as error:
        raise ArtifactError(f"{folder / REPLAY}: damaged, or of another version ({error}); train again") from None
    if write and theirs.any():
        data = safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in rest.items()})
        files = {**manifest.files, REPLAY: hashlib.sha256(data).hexdigest()}
        replace_files(folder, {REPLAY: data, MANIFEST: manifest_bytes(replace(manifest, files=files))})
    counts = dict(zip(*(some.tolist() for some in np.unique(arrays["user"], return_counts=True)), strict=True))
    return {user_id: counts[number] for user_id, number in hashes.items() if number in counts}


def without_rows(arrays: Mapping[str, Array], gone: Bools) -> dict[str, Array]:
    """Arrays by sequence and by event without some sequences (S,)."""
    lengths = np.diff(arrays["bounds"])
    by_event, n_events = np.repeat(gone, lengths), int(arrays["bounds"][-1])
    rest = {}
    for name, array in arrays.items():
        if name == "bounds":
            rest[name] = np.concatenate([[0], np.cumsum(lengths[~gone])]).astype(array.dtype)
        elif name in OF_ALL:
            rest[name] = array
        elif len(array) == len(gone):
            rest[name] = array[~gone]
        elif len(array) == n_events:
            rest[name] = array[~by_event]
        else:
            raise ValueError(f"`{name}` has {len(array):,} rows; expected {len(gone):,} or {n_events:,}")
    return rest


def replace_files(folder: Path, content: Mapping[str, bytes]) -> None:
    """Let some files of a folder be others, all at one moment. Raises ArtifactError where the disk does not take it."""
    partial, old = (folder.with_name(f".{folder.name}.{what}-{os.getpid()}") for what in ("partial", "old"))
    try:
        shutil.copytree(folder, partial, ignore=lambda *_: content, copy_function=linked)
        for name, data in content.items():
            write_through(partial / name, data)
        sync_folder(partial)
        os.rename(folder, old)
        os.rename(partial, folder)
        sync_folder(folder.parent)
    except OSError as error:
        restore_old(old, folder)
        stays = "it is as it was" if folder.exists() else remains(old)
        raise ArtifactError(f"{folder}: cannot be written ({error.strerror}); {stays}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        restore_old(old, folder)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)


def linked(file: str, copy: str) -> None:
    """The same file under a second name; a copy where the disk knows no such thing."""
    try:
        os.link(file, copy)
    except OSError:
        shutil.copy2(file, copy)
