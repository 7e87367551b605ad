"""A copy of a store, made beside a server that writes."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from segue.cli import run
from segue.errors import StoreError
from segue.serving.events import LiveEvent
from segue.serving.fold import refold
from segue.serving.store import backup
from segue.serving.store.backup import back_up
from segue.serving.store.base import walk
from segue.serving.store.folder import StoreFolder
from serving_models import ITEMS, assert_same_memory, engine_of, memory_of
from test_store_commands import content, filled


def test_the_copy_is_the_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = filled(tmp_path / "store", shards=3)
    assert run(["store", "backup", str(tmp_path / "store"), "--out", str(tmp_path / "copy")]) == 0
    assert "copy: " in capsys.readouterr().err
    engine = engine_of(StoreFolder(tmp_path / "copy", shards=3))
    assert content(engine) == known
    assert [shard.tally.refolds for shard in engine.shards] == [0] * 3
    assert engine.observe([LiveEvent("user 4", "i1", 9.0)])[0].seq == 6
    engine.close()


def test_beside_a_server_that_writes_it_has_what_was_acknowledged_before(tmp_path: Path) -> None:
    engine = engine_of(StoreFolder(tmp_path / "store", shards=2), threads=True)
    ending, acknowledged = threading.Event(), [0]

    def write() -> None:
        while not ending.is_set():
            now = acknowledged[0] + 1
            engine.observe([LiveEvent(f"u{n}", ITEMS[(now + n) % 8], float(now)) for n in range(6)])
            acknowledged[0] = now

    writer = threading.Thread(target=write)
    writer.start()
    try:
        before = 0
        for number in range(5):
            while acknowledged[0] < before + 20:
                time.sleep(0.001)
            before = acknowledged[0]
            back_up(tmp_path / "store", tmp_path / f"copy{number}")
    finally:
        ending.set()
        writer.join()
    for number in range(5):
        home = StoreFolder(tmp_path / f"copy{number}")
        for store in home.stores:
            for user in walk(store):
                history = store.history(user)
                assert [event.seq for event in history] == list(range(1, len(history) + 1))
                assert len(history) >= 20 * (number + 1)
                assert_same_memory(memory_of(store, user), refold(engine.bundle, history))
        assert sum(store.count().users for store in home.stores) == 6
        home.close()
    engine.close()


def test_what_cannot_be_copied_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "store")
    with pytest.raises(StoreError, match="no store of segue"):
        back_up(tmp_path, tmp_path / "copy")
    (tmp_path / "there").mkdir()
    with pytest.raises(StoreError, match="is there already"):
        back_up(tmp_path / "store", tmp_path / "there")
    (tmp_path / "there").rmdir()
    for inside in ("", "20260101", "backups/1"):
        with pytest.raises(StoreError, match="in the store itself"):
            back_up(tmp_path / "store", tmp_path / "store" / inside)
    monkeypatch.setattr(backup, "write_manifest", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(StoreError, match=r"No space left.*nothing was kept"):
        back_up(tmp_path / "store", tmp_path / "copy")
    monkeypatch.undo()
    (tmp_path / "store" / "0" / "shard-1.db").write_bytes(b"no database" * 999)
    with pytest.raises(StoreError, match=r"shard-1\.db"):
        back_up(tmp_path / "store", tmp_path / "copy")
    assert [file.name for file in tmp_path.iterdir()] == ["store"]
