"""The versions of a model in one folder, and which of them is served: a new one takes over without a stop.

current.json    which version is served, and which were before it
VERSION/        an artifact, never changed once it is there
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from segue.artifact.content import FOR_LEARNING, MANIFEST, Artifact
from segue.artifact.current import CURRENT, Current, read_current, served
from segue.artifact.frontier import carry_frontier
from segue.artifact.probe import probe
from segue.artifact.reading import check_for_learning, load_artifact, read_manifest
from segue.disk import replace_file, sync_folder, write_through
from segue.errors import ArtifactError
from segue.ranking.rules.facts import Facts

LOCK = "segue.lock"

KEPT = 3
"""So many versions that were served before are kept."""

SHARED = 0.1
"""Versions with a smaller part of their items in common are looked at twice."""


def checked(folder: Path) -> Artifact:
    """A model as a server takes it: every byte compared with its hash, and tried out. Raises ArtifactError."""
    artifact = load_artifact(served(folder), light=True)
    catalog = artifact.catalog
    try:
        probe(artifact.model)
        _ = Facts(catalog.ids, catalog.columns).availability
    except ArtifactError as error:
        raise ArtifactError(f"{folder}: {error}; train again, or restore it from a copy") from None
    except Exception as error:  # whatever a damaged model does instead of an answer
        raise ArtifactError(f"{folder}: gives no answer ({error}); train again, or restore it from a copy") from None
    return artifact


def publish(model: Path, home: Path, *, kept: int = KEPT) -> Current:
    """Copy a model into a home, made if it is not there, and let it be served.

    The copy is checked as a server checks it: what would be refused there is refused here, and changes nothing.

    Args:
        kept: how many earlier versions stay; older ones are deleted.

    Raises:
        ArtifactError: the model is missing, damaged or gives no numbers; the home cannot be written or is a model.
    """
    if kept < 1:
        raise ArtifactError(f"{kept} versions are to be kept; expected at least 1, to roll back to")
    if (home / MANIFEST).exists():
        raise ArtifactError(f"{home} is a model itself: choose a folder for its versions, such as {home}-versions")
    if home.exists() and not (home.is_dir() and all(map(is_ours, home.iterdir()))):
        raise ArtifactError(f"{home} is something else than versions of a model: choose another folder")
    with changing(home):
        version = taken_in(served(model), home)
        old = old_of(home)
        history = [] if old is None else [*old.before, old.version]
        if old is None and (home / CURRENT).exists():  # it cannot be read: what is there is kept
            history = found_in(home)
        history = [one for one in history if one != version][-kept:]
        current = Current(version, tuple(history), 1 if old is None else old.change + 1)
        write_current(home, current)
        forget_others(home, current)
    return current


def strange(home: Path, current: Current) -> str:
    """A sentence where hardly an item of the version before is in the one that is served: of another shop? Else ""."""
    if not current.before:
        return ""
    before, now = (load_artifact(home / one, light=True).catalog.ids for one in (current.before[-1], current.version))
    shared = int((now.places_of(before) >= 0).sum())
    if shared > SHARED * min(len(before), len(now)):
        return ""
    return (
        f"{shared:,} of {len(before):,} items of the version before are among the {len(now):,} of this one: is it a "
        f"model of the same shop? `segue rollback {home}` takes it back"
    )


def is_ours(file: Path) -> bool:
    """Whether something belongs into a home: a version, what says which is served, or what was left of a copy."""
    return file.name in (CURRENT, LOCK) or file.name.startswith(".") or (file / MANIFEST).exists()


def found_in(home: Path) -> list[str]:
    """The versions that lie in a home, the newest last."""
    folders = [folder for folder in home.iterdir() if (folder / MANIFEST).exists() and not folder.name.startswith(".")]
    return [folder.name for folder in sorted(folders, key=lambda folder: (folder.stat().st_mtime_ns, folder.name))]


def old_of(home: Path) -> Current | None:
    """Which version is served; None where that is not said, or cannot be read: then it is written anew."""
    try:
        return read_current(home)
    except ArtifactError:
        return None


def roll_back(home: Path) -> Current:
    """Let the version before be served again. The one that was served stays, until others are published.

    Raises:
        ArtifactError: there is none, or it is damaged; nothing is changed.
    """
    read_current(home)
    with changing(home):
        current = read_current(home)
        if not current.before:
            raise ArtifactError(f"{home}: nothing was served before `{current.version}`; `segue publish` another model")
        before = Current(current.before[-1], current.before[:-1], current.change + 1)
        checked(home / before.version)
        write_current(home, before)
    return before


def taken_in(model: Path, home: Path) -> str:
    """Copy a model into a home, whole and on the disk, or not at all; its version.

    What is checked is the copy: the model may be trained anew meanwhile.
    """
    partial = home / ".publishing"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        read_manifest(model)  # before anything is copied from where no model is
        partial.mkdir()
        for file in model.iterdir():
            if file.is_file():
                write_through(partial / file.name, file.read_bytes())
        sync_folder(partial)
        try:
            version = checked(partial).version
            check_for_learning(partial)
        except ArtifactError as error:
            raise ArtifactError(str(error).replace(str(partial), str(model))) from None
        place = home / version
        if not sound(place) or kept_for_learning(place) != kept_for_learning(partial):
            if place.exists():
                carry_frontier(place, partial, version)
            shutil.rmtree(place, ignore_errors=True)
            os.rename(partial, place)
            sync_folder(home)
        else:
            carry_frontier(partial, place, version)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return version


def kept_for_learning(place: Path) -> dict[str, str]:
    """The hashes of what a model keeps to learn from: users may have been forgotten there, which its version omits."""
    files = read_manifest(place).files
    return {name: files[name] for name in FOR_LEARNING if name in files}


def sound(place: Path) -> bool:
    """Whether a version is there, and whole."""
    try:
        checked(place)
        check_for_learning(place)
    except ArtifactError:
        return False
    return True


def write_current(home: Path, current: Current) -> None:
    """Say which version is served: at one moment, for whoever reads it."""
    replace_file(home / CURRENT, msgspec.json.format(msgspec.json.encode(current)) + b"\n")


def forget_others(home: Path, current: Current) -> None:
    """Delete versions that nobody can roll back to."""
    for folder in home.iterdir():
        if (folder / MANIFEST).exists() and folder.name not in (current.version, *current.before):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def changing(home: Path) -> Iterator[None]:
    """One who changes a home at a time. Raises ArtifactError for what the disk does not take."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with open(home / LOCK, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise ArtifactError(f"{home}: cannot be changed ({error.strerror}); what was served is served still") from None
