"""A folder of stores: one file a shard, one process that writes, and how many shards there are."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec import Struct

from segue.disk import replace_file
from segue.errors import StoreError
from segue.serving.store.checkpoints import Checkpointer
from segue.serving.store.sqlite import Durability, SqliteStore
from segue.serving.store.sqlite_errors import explained

MANIFEST = "store.json"
LOCK = "segue.lock"
MODEL, HOME = "segue.json", "current.json"
"""What tells a model, and a folder of versions."""

MOST_SHARDS = 256
"""Each has a file, a log and a thread."""


class InUseError(StoreError):
    """Another process has the folder."""


class Manifest(Struct, frozen=True):
    """The content of `store.json`.

    Attributes:
        shards: how many files the users are parted into.
        generation: the name of the folder they lie in; another one after each resharding.
        format: of this.
    """

    shards: int
    generation: str = "0"
    format: int = 1


class StoreFolder:
    """The stores in a folder, open until `close`.

    Args:
        folder: made if it is not there; `segue.lock` in it keeps a second process out.
        shards: how many, where it is new; None: one. Of a folder that is there, `reshard` changes it.
        durability: see `Durability`.

    Raises:
        StoreError: the folder is in use, cannot be written to, or has another number of shards; a file is damaged.
    """

    def __init__(self, folder: Path | str, *, shards: int | None = None, durability: Durability = "durable") -> None:
        self.folder = Path(folder)
        self._lock: int | None = locked(self.folder)
        self.stores: Sequence[SqliteStore] = []
        self._checkpointer: Checkpointer | None = None
        try:
            found = self._found(shards)
            self.manifest = found or Manifest(shards or 1)
            self._prepare(new=found is None)
            self.stores = [SqliteStore(path, durability) for path in self.paths()]
            if found is None:  # once all files are there: of a store that is there, one that is missing is a loss
                write_manifest(self.folder, self.manifest)
            self._checkpointer = Checkpointer([store.path for store in self.stores])
        except BaseException:
            self.close()
            raise

    def paths(self) -> list[Path]:
        """The file of each shard."""
        return shard_paths(self.folder, self.manifest)

    def close(self) -> None:
        """Close all of them, and let go of the folder; a second call does nothing."""
        if self._checkpointer is not None:
            self._checkpointer.close()
        for store in self.stores:
            store.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _prepare(self, *, new: bool) -> None:
        """Make the folder of the files, or see that they are all there; what a resharding left is removed."""
        place = self.folder / self.manifest.generation
        if new:
            place.mkdir(exist_ok=True)
            return
        for path in self.paths():
            if not path.exists() or not path.stat().st_size:
                what = "empty" if path.exists() else "missing"
                raise StoreError(f"{path} is {what}: restore it from a backup; its users' events are nowhere else")
        for other in self.folder.iterdir():
            if other.is_dir() and other.name.isdigit() and other != place:
                shutil.rmtree(other, ignore_errors=True)

    def _found(self, shards: int | None) -> Manifest | None:
        found = read_manifest(self.folder)
        if (shards or 1) > MOST_SHARDS or (shards or 1) < 1:
            raise StoreError(
                f"{shards} shards are asked for; expected 1 to {MOST_SHARDS}: a few more than cores will do"
            )
        if found is None:
            check_new(self.folder)
            if (self.folder / "segue.db").exists():
                raise StoreError(f"{self.folder} holds a store of an older layout; choose another folder")
        elif shards is not None and shards != found.shards:
            raise StoreError(
                f"{self.folder} has {found.shards} shards, {shards} are asked for: leave it open, or change it with "
                f"`segue store reshard {self.folder} --shards {shards}` while no server uses it"
            )
        return found


def check_new(folder: Path) -> None:
    """Raise StoreError where a new store would be made over something else."""
    if (folder / MODEL).exists() or (folder / HOME).exists():
        raise StoreError(f"{folder} is a model: choose a folder of its own for events and states")
    for path in folder.glob("*/shard-*.db"):
        if path.parent.name.isdigit() and holds_users(path):
            raise StoreError(
                f"{folder} has files of a store, such as {path.parent.name}/{path.name}, and no {MANIFEST}: restore it "
                f'from a backup, or write how many shards there are: `{{"shards": 1, "generation": "0"}}`'
            )


def holds_users(path: Path) -> bool:
    """Whether a file of a shard is more than what a start that was stopped left."""
    with explained(path, "read"), closing(sqlite3.connect(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        return "users" in tables and connection.execute("SELECT 1 FROM users LIMIT 1").fetchone() is not None


def shard_paths(folder: Path, manifest: Manifest) -> list[Path]:
    """The file of each shard."""
    return [folder / manifest.generation / f"shard-{number}.db" for number in range(manifest.shards)]


def read_manifest(folder: Path) -> Manifest | None:
    """What `store.json` says; None where there is none. Raises StoreError where it cannot be read."""
    file = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(f"{file} cannot be read ({error}); restore it from a backup") from error
    if manifest.format != 1 or manifest.shards < 1 or Path(manifest.generation).name != manifest.generation:
        raise StoreError(f"{file} is not one that this segue reads: upgrade segue, or restore it from a backup")
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `store.json`, whole and on the disk, or leave what is there."""
    try:
        replace_file(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    except OSError as error:
        raise StoreError(f"cannot write {folder / MANIFEST} ({error.strerror})") from error


def locked(folder: Path) -> int:
    """Take the folder for this process; the system lets go of it when the process ends, however it ends."""
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(
            f"cannot open a store in {folder} ({error.strerror}); choose a folder that this user may write to"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(lock, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise InUseError(
            f"the store in {folder} is in use (process {holder}); stop that server, or choose another folder"
        ) from error
    os.truncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    return lock
