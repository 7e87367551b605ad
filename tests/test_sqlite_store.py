"""What can go wrong with a file, and the words for it."""

import errno
import os
import sqlite3

import numpy as np
import pytest

from segue.errors import StoreError
from segue.serving.store.base import Change, Memory, StoredEvent
from segue.serving.store.codec import decode_state, encode_state
from segue.serving.store.sqlite import SqliteStore


def filled(folder, events=1):
    store = SqliteStore(folder)
    history = [StoredEvent(seq, f"item {seq}", float(seq)) for seq in range(1, events + 1)]
    store.commit([Change("u", history, Memory("v1", events, None, None, {"time": np.array([1.0])}))])
    return store


def test_a_second_store_on_a_folder_is_refused_and_named_its_holder(tmp_path):
    store = filled(tmp_path)
    with pytest.raises(StoreError, match=rf"in use \(process {os.getpid()}\)"):
        SqliteStore(tmp_path)
    store.close()
    SqliteStore(tmp_path).close()


def test_every_commit_is_synced(tmp_path):
    store = filled(tmp_path)
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    store.close()


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose a folder that this user may write to"):
        SqliteStore(tmp_path / "file")


def test_a_read_only_folder_is_refused(tmp_path, monkeypatch):
    # root may write anywhere, so the refusal is acted out
    def refuse(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        with pytest.raises(StoreError, match="Read-only file system"):
            SqliteStore(tmp_path)


def test_a_file_that_is_no_database_is_refused_and_the_lock_let_go(tmp_path):
    (tmp_path / "segue.db").write_bytes(b"not a database" * 100)
    for _ in range(2):
        with pytest.raises(StoreError, match="damaged, or no SQLite database"):
            SqliteStore(tmp_path)


def test_damage_inside_is_told_when_it_is_met(tmp_path):
    filled(tmp_path, events=2000).close()
    path = tmp_path / "segue.db"
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xa5" * (len(content) - 8192 - 4096)
    path.write_bytes(content)
    store = SqliteStore(tmp_path)
    with pytest.raises(StoreError, match="damaged"):
        store.history("u")
    store.close()


def test_another_programs_database_is_left_alone(tmp_path):
    other = sqlite3.connect(tmp_path / "segue.db")
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = (tmp_path / "segue.db").read_bytes()
    with pytest.raises(StoreError, match="no store of segue"):
        SqliteStore(tmp_path)
    assert (tmp_path / "segue.db").read_bytes() == before


def test_a_layout_of_another_version_is_refused(tmp_path):
    store = filled(tmp_path)
    store._connection.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(StoreError, match="has layout 99; this segue reads layout 1"):
        SqliteStore(tmp_path)


def test_a_full_disk_stores_nothing_and_says_so_and_the_store_goes_on(tmp_path):
    store = filled(tmp_path)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    big = [StoredEvent(seq, "x" * 1000, 1.0) for seq in range(2, 100)]
    memory = Memory("v2", 99, None, None, {"time": np.array([2.0])})
    with pytest.raises(StoreError, match="disk is full"):
        store.commit([Change("u", big, memory)])
    assert len(store.history("u")) == 1
    assert store.load("u").version == "v1"
    store._connection.execute("PRAGMA max_page_count = 100000")
    store.commit([Change("u", big, memory)])
    assert len(store.history("u")) == 99
    store.close()


@pytest.mark.parametrize("damage", ["empty", "cut", "unknown type", "too few values"])
def test_a_state_that_cannot_be_read_says_what_to_do(damage):
    encoded = encode_state({"time": np.array([1.0])})
    damaged = {
        "empty": b"",
        "cut": encoded[:-1],
        "unknown type": encoded.replace(b"<f8", b"<q9"),
        "too few values": encoded.replace(b"\x91\x01", b"\x91\x05"),
    }[damage]
    assert damaged != encoded
    with pytest.raises(StoreError, match="delete the row"):
        decode_state(damaged)


def test_a_state_of_objects_is_not_kept():
    with pytest.raises(StoreError, match="`odd` has type object"):
        encode_state({"odd": np.array([object()])})
