"""Several processes on one Valkey: each event once, in one order, and seen by all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segue.data.events import log_of
from segue.errors import OverloadedError
from segue.serving import shard as shard_module
from segue.serving.backfill import backfill
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent, Observed
from segue.serving.fold import refold
from segue.serving.lists.answer import Ask
from segue.serving.policy import Policy
from segue.serving.store.base import walk
from segue.serving.task import question_of
from segue.serving.upkeep import Upkeep
from serving_models import ITEMS, assert_same_memory, memory_of, store_of
from valkey_servers import (
    Replicas,
    assert_whole,
    replicas_in,
    store_in,
)


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replicas]:
    with replicas_in(tmp_path) as make:
        yield make


def test_what_one_replica_stored_the_other_sees_at_once(replica: Replicas) -> None:
    a, b = replica(), replica(shards=4)
    for place in range(6):
        writer, reader = (a, b) if place % 2 else (b, a)
        assert reader.recommend(user_id="u").state_version == place
        assert writer.observe([LiveEvent("u", ITEMS[place], float(place), event_id=f"e{place}")])[0].seq == place + 1
        ranked = reader.recommend(user_id="u", timestamp=float(place))
        assert (ranked.state_version, ranked.items[0][0]) == (place + 1, ITEMS[place + 1])
    again = a.observe([LiveEvent("u", ITEMS[0], 0.0, event_id="e0"), LiveEvent("u", ITEMS[1], 0.0, event_id="e0")])
    assert [(one.seq, one.duplicate, one.refused) for one in again] == [(1, True, None), (0, False, "conflict")]
    assert assert_whole(store_of(a), "u") == [f"e{place}" for place in range(6)]
    assert b.forget("u").result() == 6
    assert a.recommend(user_id="u").source == "initial_state"
    assert a.observe([LiveEvent("u", ITEMS[0], 0.0)])[0].seq == 1


@pytest.mark.parametrize("events", [40, pytest.param(600, marks=pytest.mark.slow)])
def test_replicas_that_race_on_users_store_each_event_once(replica: Replicas, tmp_path: Path, events: int) -> None:
    """Three replicas get the same events of two users, in different orders, beside some of their own."""
    engines = [replica(threads=True, shards=shards) for shards in (1, 1, 2)]
    answers: list[list[tuple[str, Observed]]] = [[] for _ in engines]
    begin = threading.Barrier(len(engines))

    def send(number: int) -> None:
        begin.wait(60)
        for place in range(events):
            same = f"same {(place * (number + 1) + number) % events}"
            for event_id, user_id in ((same, "u"), (f"own {number} {place}", "u"), (same, "v")):
                event = LiveEvent(user_id, ITEMS[sum(map(ord, event_id)) % 8], float(len(event_id)), event_id=event_id)
                while True:
                    try:
                        answers[number].append((f"{user_id} {event_id}", engines[number].observe([event])[0]))
                        break
                    except OverloadedError:  # a promise to store nothing: it may be sent again
                        continue

    threads = [threading.Thread(target=send, args=(number,)) for number in range(len(engines))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    told = [one for some in answers for one in some]
    assert len(told) == 9 * events
    assert {observed.refused for _, observed in told} == {None}
    store = store_in(tmp_path)
    stored = {user: assert_whole(store, user) for user in "uv"}
    sent = {f"same {place}" for place in range(events)}
    assert sorted(stored["v"]) == sorted(sent)
    assert sorted(stored["u"]) == sorted(sent | {f"own {n} {place}" for n in range(3) for place in range(events)})
    seqs = {f"{user} {event_id}": n for user in "uv" for n, event_id in enumerate(stored[user], 1)}
    assert all(observed.seq == seqs[name] for name, observed in told), "all replicas say the same number"
    assert sum(not observed.duplicate for _, observed in told) == len(seqs), "one of them stored it"
    store.close()


def test_an_event_that_another_replica_stored_meanwhile_is_a_duplicate(replica: Replicas) -> None:
    a, b = replica(), replica()
    find, events = store_of(a).find, [LiveEvent("u", "i1", 1.0, event_id="e")]

    def late(keys: Any) -> Any:
        """Nothing is found; then another replica is first."""
        found = find(keys)
        if not found:
            assert b.observe(events)[0] == Observed(1, False, True)
        return found

    store_of(a).find = late  # type: ignore[method-assign]
    assert a.observe(events)[0] == Observed(1, True, True)
    assert assert_whole(store_of(b), "u") == ["e"]


def test_a_list_counts_the_event_that_it_was_asked_with_whoever_stored_it(replica: Replicas) -> None:
    a, b = replica(), replica()
    find, event = store_of(a).find, LiveEvent("u", "i1", 1.0, event_id="e")

    def late(keys: Any) -> Any:
        b.observe([event])
        return find(keys)

    store_of(a).find = late  # type: ignore[method-assign]
    task = question_of("u", None, Ask(timestamp=1.0), event)
    a.submit([task])
    done = task.result.result()
    assert done.observed[0].seq == 1
    assert done.ranked is not None
    assert (done.ranked.state_version, done.ranked.items[0][0]) == (1, "i2")


def test_one_who_never_comes_first_is_told_to_come_back(replica: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = replica(threads=True), replica()
    store, commit = a.shards[0].store, a.shards[0].store.commit

    def beaten(changes: Any) -> None:
        if any(change.user_id == "u" for change in changes):
            b.observe([LiveEvent("u", "i1", 1.0)])
        commit(changes)

    monkeypatch.setattr(store, "commit", beaten)
    with pytest.raises(OverloadedError, match="other servers write to the same users"):
        a.observe([LiveEvent("u", "i2", 1.0)])
    stored = store.history("u")
    assert {event.item_id for event in stored} == {"i1"}
    assert len(stored) >= shard_module.ATTEMPTS
    assert a.observe([LiveEvent("v", "i2", 1.0)])[0].seq == 1, "others are served"


def test_a_state_folded_anew_while_another_replica_stores_an_event_is_not_kept(
    replica: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever between two reads the event comes, no state is stored that lacks it or has it twice."""
    old, new = replica(), replica(version="v2")
    store = store_of(new)
    for number, name in enumerate(["load", "last_seq", "history", "commit"]):
        user, read, done = f"user {number}", getattr(store, name), []

        def late(*args: Any, read: Any = read, user: str = user, done: list[int] = done, **options: Any) -> Any:
            if not done:
                done.append(1)
                old.observe([LiveEvent(user, "i5", 3.0)])
            return read(*args, **options)

        old.observe([LiveEvent(user, "i1", 1.0), LiveEvent(user, "i2", 2.0)])
        with monkeypatch.context() as patched:
            patched.setattr(store, name, late)
            new.observe([LiveEvent(user, "i6", 4.0)])
        assert done
        history = store.history(user)
        assert [event.item_id for event in history] == ["i1", "i2", "i5", "i6"]
        assert_same_memory(memory_of(store, user), refold(new.bundle, history))


def test_a_log_is_not_put_after_a_live_event_that_was_first(replica: Replicas) -> None:
    log = log_of(["u", "u", "v"], ["i1", "i2", "i3"], [1.0, 2.0, 3.0])
    a, b = replica(), replica()
    commit = store_of(a).commit

    def beaten(changes: Any) -> None:
        if not store_of(b).size("u"):
            b.observe([LiveEvent("u", "i7", 9.0)])
        commit(changes)

    store_of(a).commit = beaten  # type: ignore[method-assign]
    assert tuple(backfill(a, log)) == (1, 1, 1)
    assert [event.item_id for event in store_of(b).history("u")] == ["i7"]
    assert [event.item_id for event in store_of(b).history("v")] == ["i3"]


def test_states_of_an_older_model_are_folded_anew_by_one_who_began_last(replica: Replicas) -> None:
    old = replica(shards=2)
    users = [f"user {n}" for n in range(40)]
    old.observe([LiveEvent(user, item, 1.0) for item in ("i1", "i2") for user in users])
    Upkeep(old).close()
    [store.stale("v1") for store in (shard.store for shard in old.shards)]
    new = replica(shards=4, version="v2")
    upkeep = Upkeep(new, seconds=3600)
    upkeep.renew_all()
    upkeep.close()
    assert [shard.store.count().memories for shard in new.shards] == [{"v2": n} for n in per_shard(new, users)]
    assert all(memory_of(new.shards[0].store, user).seq == 2 for user in users)
    assert [shard.store.stale("v1") for shard in old.shards] == [[], []], "the older one leaves them as they are"
    assert old.recommend(user_id=users[0], timestamp=2.0).items[0][0] == "i3", "but answers"


def per_shard(engine: Engine, users: list[str]) -> list[int]:
    found = [list(walk(shard.store, 7)) for shard in engine.shards]
    assert sorted(user for some in found for user in some) == sorted(users), "each shard lists its own"
    return [len(some) for some in found]


def test_old_events_are_forgotten_by_each_shard_for_its_users(replica: Replicas) -> None:
    engine = replica(shards=4)
    engine.observe([LiveEvent(f"user {n}", "i1", 1.0) for n in range(30)])
    engine.observe([LiveEvent(f"user {n}", "i2", 500.0 + n) for n in range(30)])
    upkeep = Upkeep(engine, keep=100.0, clock=lambda: 615.0, seconds=3600)
    upkeep.forget_old()
    upkeep.close()
    counts = [shard.store.count() for shard in engine.shards]
    assert (sum(one.users for one in counts), sum(one.events for one in counts)) == (15, 15)
    assert engine.observe([LiveEvent("user 20", "i3", 600.0)])[0].seq == 3


def test_a_late_event_is_sorted_in_whoever_stored_the_others(replica: Replicas, tmp_path: Path) -> None:
    a, b = (replica(policy=Policy(late="refold")) for _ in range(2))
    a.observe([LiveEvent("u", "i1", 10.0)])
    b.observe([LiveEvent("u", "i3", 30.0)])
    a.observe([LiveEvent("u", "i2", 20.0)])
    assert b.recommend(user_id="u", timestamp=30.0).items[0][0] == "i4"
    assert [event.seq for event in store_of(b).history("u", order="time")] == [1, 3, 2]
