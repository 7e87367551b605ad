"""What can go wrong with a file, and the words for it."""

import sqlite3
from zlib import crc32

import msgspec
import numpy as np
import pytest

from segue.errors import StoreError
from segue.serving.store import numbers
from segue.serving.store.base import Change, Memory, StoredEvent
from segue.serving.store.codec import DamagedStateError, decode_state, encode_state
from segue.serving.store.sqlite import SqliteStore


def filled(folder, events=1):
    store = SqliteStore(folder / "shard.db")
    history = [StoredEvent(seq, f"item {seq}", float(seq)) for seq in range(1, events + 1)]
    store.commit([Change("u", history, Memory("v1", events, None, None, {"time": np.array([1.0])}))])
    return store


@pytest.mark.parametrize(("durability", "synchronous"), [("durable", 2), ("fast", 1)])
def test_a_commit_is_synced_unless_it_is_to_be_fast(tmp_path, durability, synchronous):
    store = SqliteStore(tmp_path / "shard.db", durability)
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (synchronous,)
    store.close()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "shard.db").write_bytes(b"not a database" * 100)
    for _ in range(2):
        with pytest.raises(StoreError, match="damaged, or no SQLite database"):
            SqliteStore(tmp_path / "shard.db")


def test_damage_inside_is_told_when_it_is_met(tmp_path):
    filled(tmp_path, events=2000).close()
    path = tmp_path / "shard.db"
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xa5" * (len(content) - 8192 - 4096)
    path.write_bytes(content)
    store = SqliteStore(tmp_path / "shard.db")
    with pytest.raises(StoreError, match="damaged"):
        store.history("u")
    store.close()


def test_another_programs_database_is_left_alone(tmp_path):
    other = sqlite3.connect(tmp_path / "shard.db")
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = (tmp_path / "shard.db").read_bytes()
    with pytest.raises(StoreError, match="no store of segue"):
        SqliteStore(tmp_path / "shard.db")
    assert (tmp_path / "shard.db").read_bytes() == before


def test_a_layout_of_another_version_is_refused(tmp_path):
    store = filled(tmp_path)
    store._connection.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(StoreError, match="has layout 99; this segue reads layout 3"):
        SqliteStore(tmp_path / "shard.db")


def test_a_full_disk_stores_nothing_and_says_so_and_the_store_goes_on(tmp_path):
    store = filled(tmp_path)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    big = [StoredEvent(seq, "x" * 1000, 1.0) for seq in range(2, 100)]
    memory = Memory("v2", 99, None, None, {"time": np.array([2.0])})
    with pytest.raises(StoreError, match="disk is full"):
        store.commit([Change("u", big, memory)])
    assert len(store.history("u")) == 1
    assert store.load(["u"]).memories["u"].version == "v1"
    store._connection.execute("PRAGMA max_page_count = 100000")
    store.commit([Change("u", big, memory)])
    assert len(store.history("u")) == 99
    store.close()


@pytest.mark.parametrize(
    "damage", ["empty", "cut", "a bit", "unknown type", "too few values", "same as nothing", "same as a name"]
)
def test_a_state_that_is_not_what_was_written_is_known_by_that(damage):
    encoded = encode_state({"time": np.array([1.0])})
    damaged = {
        "empty": b"",
        "cut": encoded[:-1],
        "a bit": encoded[:-3] + bytes([encoded[-3] ^ 1]) + encoded[-2:],
        "unknown type": checked(encoded[4:].replace(b"<f8", b"<q9")),
        "too few values": checked(encoded[4:].replace(b"\x91\x01", b"\x91\x05")),
        "same as nothing": checked(msgspec.msgpack.encode({"a": "b"})),
        "same as a name": checked(msgspec.msgpack.encode({"a": "a"})),
    }[damage]
    assert damaged != encoded
    with pytest.raises(DamagedStateError, match=f"a stored state of {len(damaged)} bytes"):
        decode_state(damaged)


def checked(content):
    return crc32(content).to_bytes(4, "little") + content


def test_what_is_stored_twice_takes_its_place_once():
    big = np.arange(1000, dtype=np.float32)
    encoded = encode_state({"output": big, "h": big.copy(), "other": big + 1})
    assert len(encoded) < 2.1 * big.nbytes
    state = decode_state(encoded)
    assert list(state) == ["output", "h", "other"]
    assert np.array_equal(state["h"], big)
    state["h"][0] = 9
    assert state["output"][0] == 0


def test_a_damaged_state_is_named_and_the_others_are_there(tmp_path):
    store = filled(tmp_path)
    store.commit([Change("v", [], Memory("v1", 0, None, None, {"time": np.array([1.0])}))])
    store._connection.execute("UPDATE states SET state = CAST(x'00' || substr(state, 2) AS BLOB) WHERE user = 1")
    loaded = store.load(["u", "v"])
    assert (list(loaded.memories), loaded.damaged) == (["v"], ["u"])
    store.close()


def test_users_without_a_state_are_named(tmp_path):
    store = filled(tmp_path)
    store.commit([Change("v", [], Memory("v1", 0, None, None, {"time": np.array([1.0])}))])
    store._connection.execute("DELETE FROM states WHERE user = 1")
    loaded = store.load(["u", "v", "nobody"])
    assert (list(loaded.memories), loaded.damaged, loaded.unfolded) == (["v"], [], ["u"])
    store.close()


def test_a_commit_that_failed_leaves_its_users_without_a_number(tmp_path):
    store = filled(tmp_path)
    state = {"time": np.array([1.0])}
    new = [Change(user, [StoredEvent(1, "i", 1.0)], Memory("v2", 1, None, None, state)) for user in "vw"]
    taken = Change("u", [StoredEvent(1, "i", 1.0)], Memory("v2", 1, None, None, state))
    with pytest.raises(StoreError, match="already there"):
        store.commit([*new, taken])
    store.commit(new[1:])
    store.commit(new[:1])
    assert store.count() == (3, 3, {"v1": 1, "v2": 2})
    assert [store.size(user) for user in "uvw"] == [1, 1, 1]
    store.close()


def test_more_users_than_stay_at_hand(tmp_path, monkeypatch):
    monkeypatch.setattr(numbers, "KNOWN_USERS", 3)
    store, state = filled(tmp_path), {"time": np.array([1.0])}
    for seq in range(1, 4):
        users = [f"user {n}" for n in range(7)]
        store.commit([Change(u, [StoredEvent(seq, u, seq)], Memory("v1", seq, None, None, state)) for u in users])
    assert store.count() == (8, 22, {"v1": 8})
    assert all({event.item_id for event in store.history(user)} == {user} for user in users)
    store.close()


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 511, 512, 513, 1100])
def test_rows_are_written_once_each_and_in_order(rows):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE some (number INTEGER, text TEXT)")
    wanted = [(n, f"t{n}") for n in range(rows)]
    numbers.insert(connection, "INSERT INTO some", wanted)
    assert connection.execute("SELECT * FROM some ORDER BY rowid").fetchall() == wanted


def test_rows_are_written_where_few_values_may_stand_in_a_statement():
    connection = sqlite3.connect(":memory:")
    connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    connection.execute("CREATE TABLE some (a, b, c, d, e, f, g, h)")
    wanted = [tuple(range(n, n + 8)) for n in range(1100)]
    numbers.insert(connection, "INSERT INTO some", wanted)
    assert connection.execute("SELECT * FROM some ORDER BY rowid").fetchall() == wanted


def test_a_state_of_objects_is_not_kept():
    with pytest.raises(StoreError, match="`odd` has type object"):
        encode_state({"odd": np.array([object()])})
