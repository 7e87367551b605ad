"""Another number of shards for a store that no server uses."""

from __future__ import annotations

import shutil
from pathlib import Path

from segue.errors import ConfigError
from segue.serving.hashing import shard_of
from segue.serving.store.base import Change, Memory, Store, walk
from segue.serving.store.checkpoints import checkpoint
from segue.serving.store.folder import MOST_SHARDS, Manifest, StoreFolder, shard_paths, write_manifest
from segue.serving.store.sqlite import SqliteStore

TOGETHER = 5_000
"""So many events are copied in one transaction, or a few more."""


def reshard(folder: Path, shards: int) -> tuple[int, int]:
    """Part the users of a store anew; how many users and events were moved.

    The new files are made beside the old ones and take their place in one step at the end: if it is stopped before, the
    store is as it was.

    Raises:
        ConfigError: no number of shards.
        StoreError: a server uses the store, or it cannot be read or written.
    """
    if not 1 <= shards <= MOST_SHARDS:
        raise ConfigError(f"--shards is {shards}; expected 1 to {MOST_SHARDS}")
    home = StoreFolder(folder)
    try:
        before = home.manifest
        after = Manifest(shards, str(int(before.generation) + 1) if before.generation.isdigit() else "0")
        place = folder / after.generation
        shutil.rmtree(place, ignore_errors=True)  # of one that was stopped
        place.mkdir()
        moved = copied(home, [SqliteStore(path) for path in shard_paths(folder, after)])
        write_manifest(folder, after)
    finally:
        home.close()
    shutil.rmtree(folder / before.generation, ignore_errors=True)  # what cannot be removed goes at the next opening
    return moved


def copied(home: StoreFolder, targets: list[SqliteStore]) -> tuple[int, int]:
    """Copy all users into the stores of their new shards, which are closed then."""
    users = events = 0
    changes: list[list[Change]] = [[] for _ in targets]
    waiting = [0] * len(targets)
    try:
        for store in home.stores:
            for user_id in walk(store):
                change = change_of(store, user_id)
                number = shard_of(user_id, len(targets))
                changes[number].append(change)
                users, events = users + 1, events + len(change.events)
                waiting[number] += 1 + len(change.events)
                if waiting[number] >= TOGETHER:
                    targets[number].commit(changes[number])
                    checkpoint(targets[number].path, cut=True)
                    changes[number], waiting[number] = [], 0
        for target, rest in zip(targets, changes, strict=True):
            target.commit(rest)
    finally:
        for target in targets:
            target.close()
    return users, events


def change_of(store: Store, user_id: str) -> Change:
    """All that is known of a user; a state that is missing or damaged is marked as of no model, to be folded anew."""
    memory = store.load([user_id]).memories.get(user_id)
    if memory is None:
        memory = Memory("", store.last_seq(user_id), None, None, {})
    return Change(user_id, store.history(user_id), memory)
