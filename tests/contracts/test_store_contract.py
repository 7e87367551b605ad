"""What every store promises. A new store joins by one line in STORES."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from segue.data.sessions import Moment
from segue.errors import StoreError
from segue.serving.store.base import Change, Memory, Store, StoredEvent, walk
from segue.serving.store.memory import MemoryStore
from segue.serving.store.sqlite import SqliteStore
from valkey_servers import store_in

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "shard.db"),
    "valkey": store_in,
}
LASTING = ["sqlite", "valkey"]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = STORES[request.param](tmp_path)
    yield opened
    opened.close()


def event(seq: int, item_id: str = "a", **fields) -> StoredEvent:
    return StoredEvent(seq, item_id, 10.0 * seq, **fields)


def memory(seq: int, version: str = "v1", **arrays: np.ndarray) -> Memory:
    moment = Moment(10.0 * seq, "s1") if seq else None
    return Memory(version, seq, moment, "a" if seq else None, {"time": np.array([10.0 * seq]), **arrays})


def change(user_id: str, *events: StoredEvent, version: str = "v1") -> Change:
    return Change(user_id, list(events), memory(events[-1].seq if events else 0, version))


def memory_of(store: Store, user_id: str) -> Memory:
    found = store.load([user_id])
    assert found.damaged == []
    return found.memories[user_id]


def test_a_user_never_heard_of_has_nothing(store):
    assert store.load(["u"]) == ({}, [], [])
    assert store.load([]) == ({}, [], [])
    assert store.history("u") == []
    assert store.last_seq("u") == 0
    assert store.find([("u", "e")]) == {}
    assert store.item_ids("u") == []
    assert store.users() == []
    assert store.versions() == {}
    assert store.last_events("u", 5) == (0, [])
    assert store.recent_users(5) == []
    assert store.count() == (0, 0, {})
    assert store.delete("u") == 0


def test_events_come_back_whole_and_in_order(store):
    first = event(
        1, "ä\n日本", session_id="s", event_id="e1", event_type="buy", stamped=True, features='{"a":["\u00e4|b"]}'
    )
    store.commit([change("u", first, event(2))])
    store.commit([change("u", event(3, "b"))])
    assert store.history("u") == [first, event(2), event(3, "b")]
    assert [type(value) for value in store.history("u")[0]] == [int, str, float, bool, *[str] * 4]
    assert store.last_seq("u") == 3


def test_the_last_events_come_by_arrival_or_by_time(store):
    late = StoredEvent(3, "b", 15.0)
    store.commit([change("u", event(1), event(2), late, event(4))])
    assert [one.seq for one in store.history("u", 2)] == [3, 4]
    assert [one.seq for one in store.history("u", order="time")] == [1, 3, 2, 4]
    assert [one.seq for one in store.history("u", 3, "time")] == [3, 2, 4]
    assert [one.seq for one in store.history("u", 99)] == [1, 2, 3, 4]
    assert store.history("u", 0) == []


def test_one_who_looks_sees_the_end_of_a_history_and_how_long_it_is(store):
    late = StoredEvent(3, "b", 15.0, event_type="buy")
    store.commit([change("u", event(1), event(2), late, event(4)), change("v", event(1))])
    assert store.last_events("u", 2) == (4, [late, event(4)])
    assert store.last_events("u", 3, "time") == (4, [late, event(2), event(4)])
    assert store.last_events("u", 99) == (4, [event(1), event(2), late, event(4)])
    assert store.last_events("w", 2) == (0, [])


def test_one_who_looks_finds_users_with_events(store):
    store.commit([change("a", event(1), StoredEvent(2, "b", 5.0)), change("c", event(1)), change("b")])
    store.commit([change("d", event(1), event(2), event(3))])
    assert sorted(store.recent_users(9)) == [("a", 2, 5.0), ("c", 1, 10.0), ("d", 3, 30.0)]
    assert 1 <= len(store.recent_users(2)) <= 2
    store.delete("d")
    assert sorted(store.recent_users(9)) == [("a", 2, 5.0), ("c", 1, 10.0)]


@pytest.mark.parametrize("name", ["memory", "sqlite"])
def test_users_whom_the_store_came_to_know_last_come_first(name, tmp_path):
    store = STORES[name](tmp_path)
    for user in ("b", "c", "a", "d"):
        store.commit([change(user, event(1))])
    assert [user.user_id for user in store.recent_users(3)] == ["d", "a", "c"]
    store.close()


def test_those_who_look_disturb_no_writer_and_see_whole_commits(store):
    def look(_: int) -> bool:
        total, events = store.last_events("u", 10)
        known = store.recent_users(3)
        return (
            total % 2 == 0 and [one.seq for one in events] == list(range(max(1, total - 9), total + 1)) and known != []
        )

    store.commit([change("u", event(1), event(2))])
    with ThreadPoolExecutor(2) as pool:
        looked = pool.map(look, range(40))
        for seq in range(3, 61, 2):
            store.commit([change("u", event(seq), event(seq + 1))])
        assert all(looked)
    assert store.last_events("u", 1) == (60, [event(60)])


def test_users_do_not_see_each_other(store):
    store.commit([change("u", event(1, "x", event_id="e")), change("v", event(1, "y", event_id="e"))])
    assert store.history("u") == [event(1, "x", event_id="e")]
    assert store.item_ids("v") == ["y"]
    assert store.find([("v", "e"), ("u", "e"), ("w", "e")]) == {
        ("v", "e"): event(1, "y", event_id="e"),
        ("u", "e"): event(1, "x", event_id="e"),
    }


def test_an_event_is_found_by_its_id(store):
    store.commit([change("u", event(1, event_id="e1"), event(2))])
    assert store.find([("u", "e1")]) == {("u", "e1"): event(1, event_id="e1")}
    assert store.find([("u", "e2")]) == {}


def test_the_items_of_a_user_are_distinct(store):
    store.commit([change("u", event(1, "b"), event(2, "a"), event(3, "b"))])
    assert sorted(store.item_ids("u")) == ["a", "b"]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float32).reshape(1, 3, 4),
        np.array([[-1, 2**31 - 1]], np.int32),
        np.array([True, False]),
        np.zeros((1, 0), np.float64),
        np.array([np.nan, np.inf, -0.0]),
        np.float32(2.5).reshape(()),
        np.arange(6).reshape(2, 3).T,
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_a_state_comes_back_to_the_bit(store, array):
    store.commit([Change("u", [event(1)], memory(1, array=array))])
    found = memory_of(store, "u")
    assert found[:4] == ("v1", 1, Moment(10.0, "s1"), "a")
    assert found.state["array"].dtype == array.dtype
    assert found.state["array"].shape == array.shape
    assert found.state["array"].tobytes() == array.tobytes()


def test_a_memory_before_any_event_comes_back(store):
    store.commit([change("u")])
    assert memory_of(store, "u")[:4] == ("v1", 0, None, None)


def test_the_last_memory_replaces_the_one_before(store):
    store.commit([change("u", event(1))])
    store.commit([change("u", event(2), version="v2")])
    store.commit([Change("u", [], memory(2, version="v3"))])
    assert memory_of(store, "u")[:2] == ("v3", 2)
    assert len(store.history("u")) == 2


@pytest.mark.parametrize(
    "bad",
    [change("v", event(1)), change("v", event(3, event_id="e")), change("v", event(3), event(3))],
    ids=["a number taken", "an event id taken", "a number twice"],
)
def test_a_commit_that_fails_changes_nothing(store, bad):
    store.commit([change("v", event(1, event_id="e"), event(2))])
    before = store.history("v"), memory_of(store, "v")[:4]
    with pytest.raises(StoreError):
        store.commit([change("u", event(1)), bad])
    assert store.load(["u"]) == ({}, [], [])
    assert store.history("u") == []
    assert (store.history("v"), memory_of(store, "v")[:4]) == before
    store.commit([change("u", event(1))])


def test_users_come_and_go_and_come_back_between_others(store):
    store.commit([change(user, event(1)) for user in "abc"])
    assert store.delete("c") == 1
    store.commit([change("d", event(1, "new")), change("a", event(2))])
    assert store.trim(15.0, ["b"]) == 1
    store.commit([change(user, event(1, "again")) for user in "cbe"])
    items = {user: [one.item_id for one in store.history(user)] for user in "abcde"}
    assert items == {"a": ["a", "a"], "b": ["again"], "c": ["again"], "d": ["new"], "e": ["again"]}
    assert sorted(store.load("abcdef").memories) == list("abcde")


def test_many_users_are_found_at_once(store):
    users = [f"u{number}" for number in range(1300)]
    store.commit([change(user, event(1)) for user in users])
    assert set(store.load([*users, "nobody"]).memories) == set(users)
    assert list(walk(store, 100)) == sorted(users)
    assert store.users("u5", 2) == sorted(users)[sorted(users).index("u5") + 1 :][:2]
    assert store.count() == (1300, 1300, {"v1": 1300})


def test_users_are_walked_through_by_the_bytes_of_their_ids(store):
    users = ["z", "ä", "\U0001f600", "\uffff", "Z"]
    store.commit([change(user, event(1)) for user in users])
    assert list(walk(store, 2)) == sorted(users, key=str.encode)


def test_users_whose_memory_is_of_another_version_are_named(store):
    store.commit([change("u", event(1)), change("v", event(1), version="v2"), change("w", event(1))])
    assert sorted(store.stale("v2")) == ["u", "w"]
    assert len(store.stale("v2", 1)) == 1
    assert sorted(store.stale("v3", 99)) == ["u", "v", "w"]
    assert store.count().memories == {"v1": 2, "v2": 1}
    with ThreadPoolExecutor(1) as beside:
        assert beside.submit(store.versions).result() == {"v1": 2, "v2": 1}


def test_a_user_is_forgotten_whole_and_may_come_back(store):
    store.commit([change("u", event(1, event_id="e"), event(2)), change("v", event(1, event_id="e"))])
    assert store.delete("u") == 2
    assert (store.history("u"), store.load(["u"]), store.find([("u", "e")])) == ([], ({}, [], []), {})
    assert store.users() == ["v"]
    assert store.count() == (1, 1, {"v1": 1})
    assert store.delete("u") == 0
    store.commit([change("u", event(1, event_id="e"))])
    assert store.history("u") == [event(1, event_id="e")]


def test_events_before_a_time_are_forgotten_and_with_the_last_the_user(store):
    store.commit([change("u", event(1, event_id="e"), event(2)), change("v", event(1)), change("w", event(1))])
    assert store.trim(20.0, ["u", "v", "nobody"]) == 2
    assert store.history("u") == [event(2)]
    assert store.find([("u", "e")]) == {}
    assert store.users() == ["u", "w"]
    assert memory_of(store, "u").seq == 2
    store.commit([change("u", event(3))])
    assert store.last_seq("u") == 3


def test_a_closed_store_refuses_and_closing_twice_is_harmless(store):
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.load(["u"])
    with pytest.raises(StoreError, match="closed"):
        store.history("u")
    with pytest.raises(StoreError, match="closed"):
        store.commit([change("u", event(1))])


@pytest.mark.parametrize("name", LASTING)
def test_everything_is_there_after_closing_and_opening(name, tmp_path):
    before = STORES[name](tmp_path)
    before.commit([change("u", event(1, event_id="e"), event(2, "b"))])
    before.close()
    after = STORES[name](tmp_path)
    assert after.history("u") == [event(1, event_id="e"), event(2, "b")]
    assert memory_of(after, "u")[:4] == memory(2)[:4]
    after.close()
