"""A write-ahead log that ends anywhere, as after a loss of power: a prefix of the commits is there, states with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.serving.events import LiveEvent
from segue.serving.fold import refold
from segue.serving.store.base import walk
from segue.serving.store.folder import StoreFolder
from segue.serving.store.sqlite import SqliteStore
from serving_models import ITEMS, assert_same_memory, engine_of, fading_bundle, memory_of

COMMITS, FRAME = 12, 24 + 4096


def written(folder: Path) -> tuple[bytes, bytes, list[dict[str, int]]]:
    """A database, its log, and how many events each user has after each commit, none included."""
    home = StoreFolder(folder)
    assert home._checkpointer is not None
    home._checkpointer.close()
    engine, database = engine_of(home), home.paths()[0]
    log = database.with_name(f"{database.name}-wal")
    after: list[dict[str, int]] = [{}]
    for number in range(COMMITS):
        users = ["always", f"u{number % 3}"]
        engine.observe([LiveEvent(user, ITEMS[number % 8], 10.0 * number, event_id=str(number)) for user in users])
        after.append({**after[-1], **{user: after[-1].get(user, 0) + 1 for user in users}})
    found = database.read_bytes(), log.read_bytes(), after
    engine.close()
    return found


def cuts(size: int, step: int) -> list[int]:
    """Lengths of a log that is cut: around the ends of frames, and each `step` bytes of the last one."""
    tail = range(size - FRAME - 30, size + 1)
    edges = {size - frame * FRAME + offset for frame in range(3) for offset in (-1, 0, 1, 23, 24, 25)}
    commits = {32 + frame * FRAME + offset for frame in range((size - 32) // FRAME) for offset in (0,)}
    return sorted({0, 1, 31, 32, *(cut for cut in (edges | commits) if cut <= size), *tail[::step]})


@pytest.mark.parametrize("step", [499, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.no_cover])])
def test_wherever_the_log_ends_states_are_those_of_the_events_before(tmp_path: Path, step: int) -> None:
    database, log, after = written(tmp_path / "store")
    path, seen = tmp_path / "shard.db", set()
    assert (len(log) - 32) % FRAME == 0
    for cut in cuts(len(log), step):
        path.write_bytes(database)
        path.with_name("shard.db-wal").write_bytes(log[:cut])
        path.with_name("shard.db-shm").unlink(missing_ok=True)
        store = SqliteStore(path, "fast")
        histories = {user: store.history(user) for user in walk(store)}
        there = {user: len(history) for user, history in histories.items()}
        assert there in after, f"{cut} bytes of the log are no prefix of the commits"
        seen.add(after.index(there))
        for user, history in histories.items():
            assert_same_memory(memory_of(store, user), refold(fading_bundle(), history))
        if cut % 8 == 0:
            (again,) = engine_of(store).observe([LiveEvent("always", "i1", 1000.0)])
            assert again.seq == there.get("always", 0) + 1, "it goes on from there"
        store.close()
    assert seen == set(range(COMMITS + 1)), "each commit is the last one somewhere"
