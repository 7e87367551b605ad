"""A folder of stores: one process, a fixed number of shards, nothing half written."""

import errno
import os
import sqlite3
import time
from pathlib import Path

import pytest

from segue.errors import StoreError
from segue.serving.events import LiveEvent
from segue.serving.hashing import shard_of
from segue.serving.store.checkpoints import Checkpointer, checkpoint
from segue.serving.store.folder import MANIFEST, StoreFolder, read_manifest
from serving_models import engine_of


def test_a_second_store_on_a_folder_is_refused_and_named_its_holder(tmp_path):
    home = StoreFolder(tmp_path)
    with pytest.raises(StoreError, match=rf"in use \(process {os.getpid()}\)"):
        StoreFolder(tmp_path)
    home.close()
    home.close()
    StoreFolder(tmp_path).close()


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose a folder that this user may write to"):
        StoreFolder(tmp_path / "file")


def test_a_read_only_folder_is_refused(tmp_path, monkeypatch):
    # root may write anywhere, so the refusal is acted out
    def refuse(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        with pytest.raises(StoreError, match="Read-only file system"):
            StoreFolder(tmp_path)


def test_a_damaged_file_is_told_and_the_lock_let_go(tmp_path):
    StoreFolder(tmp_path, shards=2).close()
    (tmp_path / "0" / "shard-1.db").write_bytes(b"not a database" * 100)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"shard-1\.db.*damaged, or no SQLite database"):
            StoreFolder(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"shards": 0}', b'{"shards": 1, "format": 9}', b'{"shards": 1, "generation": "../x"}']
)
def test_a_manifest_that_is_none_is_refused(tmp_path, content):
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(StoreError, match=MANIFEST):
        StoreFolder(tmp_path)


def test_a_store_of_an_older_layout_is_left_alone(tmp_path):
    (tmp_path / "segue.db").write_bytes(b"whatever")
    with pytest.raises(StoreError, match="older layout; choose another folder"):
        StoreFolder(tmp_path)
    assert [file.name for file in tmp_path.iterdir()].count("segue.db") == 1


def test_the_number_of_shards_is_kept_and_another_one_refused(tmp_path):
    StoreFolder(tmp_path, shards=3).close()
    home = StoreFolder(tmp_path)
    assert len(home.stores) == 3
    home.close()
    with pytest.raises(StoreError, match=r"has 3 shards, 4 are asked for.*segue store reshard"):
        StoreFolder(tmp_path, shards=4)


def test_a_user_lives_in_the_shard_of_its_hash(tmp_path):
    engine = engine_of(StoreFolder(tmp_path, shards=3), threads=True)
    users = [f"user {number}" for number in range(40)]
    engine.observe([LiveEvent(user, "i1", 5.0) for user in users])
    for number, shard in enumerate(engine.shards):
        assert shard.store.users() == sorted(user for user in users if shard_of(user, 3) == number)
        assert shard.store.users()
    engine.close()


def test_the_hash_is_the_same_for_ever():
    users = ["", "anna", "\u00e4", "\U0001f600", "x" * 1000]
    assert [shard_of(user, 2**32) for user in users] == [0, 559726263, 1890972035, 88978756, 994167270]


def growth(folder, **checkpoints):
    """The size of the write-ahead log along 300 commits."""
    home = StoreFolder(folder)
    home._checkpointer.close()
    if checkpoints:
        home._checkpointer = Checkpointer(home.paths(), **checkpoints)
    engine, log, sizes = engine_of(home), folder / "0" / "shard-0.db-wal", []
    for number in range(300):
        engine.observe([LiveEvent(f"u{number}", "i1", 5.0)])
        sizes.append(log.stat().st_size)
        time.sleep(0.001)
    engine.close()
    return sizes


def test_a_log_is_moved_beside_the_writer_and_does_not_grow(tmp_path):
    left_alone, moved = growth(tmp_path / "a"), growth(tmp_path / "b", seconds=0.005, large=1)
    assert left_alone == sorted(left_alone)
    assert max(moved) < max(left_alone) / 2


def test_someone_who_reads_keeps_no_writer_waiting(tmp_path):
    home = StoreFolder(tmp_path)
    home._checkpointer.close()
    home._checkpointer = Checkpointer(home.paths(), seconds=0.005, large=1)
    engine = engine_of(home)
    engine.observe([LiveEvent("u", "i1", 5.0)])
    reader = sqlite3.connect(home.paths()[0], isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchone()
    took = []
    for number in range(20):
        begun = time.monotonic()
        engine.observe([LiveEvent("u", "i1", 6.0 + number)])
        took.append(time.monotonic() - begun)
    reader.close()
    engine.close()
    assert max(took) < 3, "a checkpoint that waits for a reader holds the writer up for all of its patience"


def test_a_file_that_is_missing_is_told_and_not_made_anew(tmp_path):
    StoreFolder(tmp_path, shards=2).close()
    (tmp_path / "0" / "shard-1.db").unlink()
    with pytest.raises(StoreError, match=r"shard-1\.db is missing: restore it from a backup"):
        StoreFolder(tmp_path)
    assert not (tmp_path / "0" / "shard-1.db").exists()


def test_what_a_resharding_left_is_removed(tmp_path):
    StoreFolder(tmp_path).close()
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "shard-0.db").write_bytes(b"old")
    (tmp_path / "mine").mkdir()
    StoreFolder(tmp_path).close()
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_dir()) == ["0", "mine"]


def test_a_checkpoint_reaches_the_database(tmp_path):
    home = StoreFolder(tmp_path)
    engine, path = engine_of(home), home.paths()[0]
    engine.observe([LiveEvent(f"u{number}", "i1", 5.0) for number in range(500)])
    before = path.stat().st_size
    checkpoint(path)
    assert path.stat().st_size > before
    engine.close()


def test_a_cut_leaves_an_empty_log_and_the_events_in_the_database(tmp_path):
    home = StoreFolder(tmp_path)
    home._checkpointer.close()
    engine, path, log = engine_of(home), home.paths()[0], tmp_path / "0" / "shard-0.db-wal"
    engine.observe([LiveEvent(f"u{number}", "i1", 5.0) for number in range(500)])
    assert checkpoint(path)
    assert log.stat().st_size > 0
    assert checkpoint(path, cut=True)
    assert log.stat().st_size == 0
    assert engine.observe([LiveEvent("u3", "i1", 6.0)])[0].seq == 2
    engine.close()


def test_files_without_what_says_how_many_they_are_are_not_taken_for_a_new_store(tmp_path: Path) -> None:
    engine = engine_of(StoreFolder(tmp_path, shards=2))
    engine.observe([LiveEvent(f"u{n}", "i1", 1.0) for n in range(9)])
    engine.close()
    said = (tmp_path / "store.json").read_bytes()
    (tmp_path / "store.json").unlink()
    for shards in (None, 2):
        with pytest.raises(
            StoreError, match=r"files of a store, such as 0/shard-\d\.db, and no store\.json: restore it"
        ):
            StoreFolder(tmp_path, shards=shards)
    (tmp_path / "store.json").write_bytes(said)
    home = StoreFolder(tmp_path)
    assert sum(store.count().users for store in home.stores) == 9
    home.close()


def test_what_a_first_start_that_was_stopped_left_is_no_store(tmp_path: Path) -> None:
    StoreFolder(tmp_path, shards=2).close()
    (tmp_path / "store.json").unlink()
    StoreFolder(tmp_path, shards=3).close()
    assert read_manifest(tmp_path).shards == 3  # type: ignore[union-attr]


def test_an_empty_file_is_a_loss_and_not_a_shard_without_users(tmp_path: Path) -> None:
    StoreFolder(tmp_path, shards=2).close()
    (tmp_path / "0" / "shard-1.db").write_bytes(b"")
    with pytest.raises(StoreError, match=r"shard-1\.db is empty: restore it from a backup"):
        StoreFolder(tmp_path)


@pytest.mark.parametrize("name", ["segue.json", "current.json"])
def test_the_folder_of_a_model_is_none_for_a_store(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(StoreError, match="is a model: choose a folder of its own"):
        StoreFolder(tmp_path)


def test_more_shards_than_files_can_be_open_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="3000 shards are asked for; expected 1 to 256"):
        StoreFolder(tmp_path / "new", shards=3000)
