"""The thread of a shard: order by user, together and at once, bounds, and an end in good order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import OverloadedError, StoreError
from segue.serving import worker as module
from segue.serving.events import LiveEvent
from segue.serving.lists.answer import Ask
from segue.serving.policy import Policy
from segue.serving.settling import settle
from segue.serving.shard import Shard
from segue.serving.store.folder import StoreFolder
from segue.serving.store.memory import MemoryStore
from segue.serving.task import Task
from segue.serving.worker import MOST_TOGETHER, Worker
from serving_models import ITEMS, NOW, engine_of, fading_bundle


class Held(MemoryStore):
    """A store that commits when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may = threading.Event(), threading.Event()

    def commit(self, changes: Any) -> None:
        self.begun.set()
        assert self.may.wait(10)
        super().commit(changes)


@pytest.fixture
def held() -> Iterator[tuple[Worker, Held]]:
    """A worker in the middle of a commit, so that whatever comes waits."""
    store = Held()
    bundle = fading_bundle()
    worker = Worker(Shard(store, lambda: bundle, Policy(), lambda: NOW), "held", waiting=100, of_a_user=10)
    worker.submit([task("first")])
    assert store.begun.wait(10)
    yield worker, store
    store.may.set()
    worker.close()


def task(user: str, item: str = "i1") -> Task:
    return Task(user, [LiveEvent(user, item)])


def test_what_waits_is_taken_together(held: tuple[Worker, Held]) -> None:
    worker, store = held
    tasks = [task(f"u{n}") for n in range(99)]
    worker.submit(tasks)
    assert worker.waiting == 99
    assert not any(one.result.done() for one in tasks)
    store.may.set()
    assert [one.result.result(10).observed[0].seq for one in tasks] == [1] * 99
    assert worker.shard.tally.turns == 3
    assert MOST_TOGETHER == 64


def test_above_the_bound_all_of_a_call_is_refused(held: tuple[Worker, Held]) -> None:
    worker, store = held
    worker.submit([task(f"u{n}") for n in range(98)])
    with pytest.raises(OverloadedError, match="98 requests wait already"):
        worker.submit([task("a"), task("b"), task("c")])
    worker.submit([task("a"), task("b")])
    store.may.set()


@pytest.mark.parametrize(
    ("alone", "each", "admitted"),
    [
        (0.0, 0.00399, 375),  # 375 are answered in 1.5 s
        (0.0, 0.02, 256),  # 75 are, and 256 may wait in any case
        (0.008, 0.0, 256),  # one by one 188 are, and how many together is not known before some were
    ],
)
def test_a_slow_machine_lets_fewer_wait(
    monkeypatch: pytest.MonkeyPatch, alone: float, each: float, admitted: int
) -> None:
    bundle, gate, clock = fading_bundle(), threading.Event(), [0.0]
    gate.set()
    monkeypatch.setattr(module.time, "perf_counter", lambda: clock[0])

    class Slow(Shard):
        def work(self, tasks: Any) -> Any:
            assert gate.wait(10)
            clock[0] += alone + each * len(tasks)
            return super().work(tasks)

    worker = Worker(Slow(MemoryStore(), lambda: bundle, Policy(), lambda: NOW), "slow")
    for n in range(40):
        worker.submit([first := task(f"first {n}")])
        first.result.result(10)

    def burst(name: str) -> list[Task]:
        """Those of 800 requests that are taken while a turn is held up."""
        gate.clear()
        worker.submit([task("held")])
        while worker.waiting:
            time.sleep(0.001)
        taken: list[Task] = []
        try:
            for n in range(800):
                worker.submit([one := task(f"{name} {n}")])
                taken.append(one)
        except OverloadedError as error:
            assert f"{len(taken)} requests wait already" in str(error)  # noqa: PT017  # where it is raised matters not
            done = threading.Event()
            worker.chore(done.set)  # what does not wait for its turn in the queue is taken all the same
        gate.set()
        assert [one.result.result(10).observed[0].seq for one in taken] == [1] * len(taken)
        return taken

    assert len(burst("a")) == admitted + 1
    worker.submit(many := [task(f"v{n}") for n in range(1000)])  # one call of many users is taken where nothing waits
    assert [one.result.result(10).observed[0].seq for one in many] == [1] * 1000
    assert len(burst("b")) == (800 if alone else admitted + 1)
    worker.close()


def test_a_burst_of_one_user_leaves_room_for_the_others(held: tuple[Worker, Held]) -> None:
    worker, store = held
    burst = [task("u", ITEMS[n % 8]) for n in range(10)]
    worker.submit(burst)
    with pytest.raises(OverloadedError, match="10 requests of this user wait already"):
        worker.submit([task("u")])
    other = task("v")
    worker.submit([other])
    store.may.set()
    assert other.result.result(10).observed[0].seq == 1
    assert [one.result.result(10).observed[0].seq for one in burst] == list(range(1, 11))
    again = task("u")
    worker.submit([again])
    assert again.result.result(10).observed[0].seq == 11


def test_an_end_finishes_what_waits_and_refuses_what_comes(held: tuple[Worker, Held]) -> None:
    worker, store = held
    waiting = task("u")
    worker.submit([waiting])
    store.may.set()
    worker.close()
    assert waiting.result.result(0).observed[0].seq == 1
    with pytest.raises(StoreError, match="the server is stopping"):
        worker.submit([task("v")])
    with pytest.raises(StoreError, match="the server is stopping"):
        worker.chore(lambda: None)


def test_a_chore_that_fails_is_logged_and_the_worker_goes_on(
    held: tuple[Worker, Held], caplog: pytest.LogCaptureFixture
) -> None:
    worker, store = held
    worker.chore(lambda: 1 / 0)
    store.may.set()
    for seq in (1, 2):  # the chore comes after the first, before the second
        after = task("u")
        worker.submit([after])
        assert after.result.result(10).observed[0].seq == seq
    assert "a chore of a shard failed" in caplog.text


def test_a_user_is_forgotten_between_turns(tmp_path: Any) -> None:
    engine = engine_of(StoreFolder(tmp_path, shards=2), threads=True)
    engine.observe([LiveEvent("u", "i1"), LiveEvent("u", "i2")])
    assert engine.forget("u").result(10) == 2
    assert engine.forget("u").result(10) == 0
    engine.close()


@settings(max_examples=25, deadline=None)
@given(
    calls=st.lists(
        st.lists(st.tuples(st.sampled_from("uvwxyz"), st.sampled_from(ITEMS)), min_size=1, max_size=5), max_size=12
    ),
    threads=st.integers(2, 4),
)
def test_whoever_writes_reads_it_back_at_once(calls: Any, threads: int) -> None:
    """Each thread has users of its own, and asks right after each call."""
    engine = engine_of(threads=True)
    wrong: list[Any] = []

    def one(number: int) -> None:
        for call in calls:
            events = [LiveEvent(f"{user}{number}", item, 50.0) for user, item in call]
            engine.observe(events)
            last = {event.user_id: event.item_id for event in events}
            for user, item in last.items():
                top = engine.recommend(user_id=user, k=1, timestamp=50.0).items[0][0]
                if top != ITEMS[(ITEMS.index(item) + 1) % 8]:
                    wrong.append((user, item, top))

    running = [threading.Thread(target=one, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    engine.close()
    assert wrong == []


def test_lists_after_items_go_to_any_shard_and_are_the_same() -> None:
    engine = engine_of(threads=True)
    assert engine.recommend(items=["i1"]).items == engine_of().recommend(items=["i1"]).items
    assert Ask().k == 10
    engine.close()


def test_a_call_for_several_shards_is_taken_whole_or_not_at_all(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(StoreFolder(tmp_path, shards=3), threads=True)
    full = engine._workers[2]
    monkeypatch.setattr(full, "_waiting", 0)
    users = [f"user {n}" for n in range(30)]
    with pytest.raises(OverloadedError, match="wait already"):
        engine.observe([LiveEvent(user, "i1", 5.0) for user in users])
    monkeypatch.undo()
    engine.observe([LiveEvent("last", "i1", 5.0)])
    assert sum(shard.store.count().events for shard in engine.shards) == 1
    engine.close()


def test_where_a_part_of_a_call_fails_the_rest_is_called_off(held: tuple[Worker, Held]) -> None:
    worker, store = held
    engine = engine_of()
    engine._workers = [worker]
    wrong = task("x")
    wrong.result.set_exception(StoreError("full"))

    def submit(tasks: Any) -> None:
        tasks[0].result = wrong.result
        worker.submit(tasks[1:])

    engine.submit = submit  # type: ignore[method-assign]
    with pytest.raises(StoreError, match="full"):
        engine.observe([LiveEvent(f"u{n}", "i1", 5.0) for n in range(5)])
    store.may.set()
    after = task("y")
    worker.submit([after])
    after.result.result(10)
    assert worker.shard.store.users() == ["first", "y"]


def test_a_turn_takes_no_more_steps_than_it_may(held: tuple[Worker, Held]) -> None:
    worker, store = held
    long = [Task(None, (), Ask(), ["i1"] * 900) for _ in range(5)]
    worker.submit(long)
    turns = worker.shard.tally.turns
    store.may.set()
    for one in long:
        one.result.result(30)
    assert worker.shard.tally.turns - turns == 1 + 3, "the one that was held, and two at a time"


def many(user: str | None, steps: int) -> Task:
    return Task(user, [LiveEvent(user, "i1", 5.0)] * steps) if user else Task(None, (), Ask(), ["i1"] * steps)


def test_long_calls_of_one_user_are_passed_by_the_others(held: tuple[Worker, Held]) -> None:
    worker, store = held
    burst = [many("u", 100) for _ in range(9)]
    others = [task("v"), many(None, 5), task("w")]
    worker.submit([*burst, *others])
    with worker.changed:
        assert worker._taken() == [burst[0], *others]
        assert worker._taken() == [burst[1]]
        assert list(worker._queue) == burst[2:], "in their order"
    store.may.set()
    assert burst[-1].result.result(30).observed[-1].seq == 700


def test_calls_of_many_bursting_users_are_passed_by_short_ones(held: tuple[Worker, Held]) -> None:
    worker, store = held
    bursts = [many(f"u{n}", 1000) for n in range(9)]
    worker.submit([*bursts, task("u3"), task("v")])
    with worker.changed:
        first = worker._taken()
    assert [(one.user_id, len(one.events)) for one in first] == [("u0", 1000), ("u1", 1000), ("v", 1)]
    store.may.set()


@given(
    st.lists(st.tuples(st.sampled_from(["u", "v", "w", None]), st.sampled_from([1, 3, 60, 70, 900])), max_size=40),
)
def test_however_turns_are_filled_each_user_keeps_its_order_and_all_comes(asked: Any) -> None:
    bundle = fading_bundle()
    worker = Worker(Shard(MemoryStore(), lambda: bundle, Policy(), lambda: NOW), "filled")
    worker.close()
    tasks = [many(user, steps) for user, steps in asked]
    worker._queue.extend(tasks)
    taken: list[Task] = []
    while worker._queue:
        head, turn = worker._queue[0], worker._taken()
        assert turn[0] is head, "the one that waited longest is never passed"
        long = [steps for one in turn if (steps := len(one.events) + len(one.items)) > 64]
        assert len(long) <= 1 or sum(long) <= 2000
        taken += turn
    assert len(taken) == len(tasks)
    for user in ("u", "v", "w"):
        assert [id(one) for one in taken if one.user_id == user] == [id(one) for one in tasks if one.user_id == user]


class Failing(MemoryStore):
    """A store that cannot be read, or of some users only."""

    def __init__(self, *, shared: bool, users: str = "") -> None:
        super().__init__()
        self.shared, self._users, self.loads = shared, set(users), 0

    def load(self, user_ids: Any) -> Any:
        self.loads += len(user_ids) > 0
        if any(user_id in self._users or self.shared for user_id in user_ids):
            raise StoreError("no answer")
        return super().load(user_ids)


def settled(store: MemoryStore, tasks: list[Task]) -> list[bool]:
    """Which tasks are answered when they are taken in one turn."""
    bundle = fading_bundle()
    settle(Shard(store, lambda: bundle, Policy(), lambda: NOW), tasks)
    return [one.result.exception(0) is None for one in tasks]


def test_a_shared_store_that_does_not_answer_is_not_asked_for_each_user() -> None:
    store = Failing(shared=True)
    tasks = [Task(user, (), Ask()) if number % 2 else task(user) for number, user in enumerate("abcdefgh")]
    assert settled(store, [*tasks, Task(None, (), Ask(), ["i1"])]) == [False] * 8 + [True]
    assert store.loads == 1 + 2 + 2, "all together, two lists and two events"


def test_where_some_users_cannot_be_read_the_others_are_served() -> None:
    store = Failing(shared=False, users="abc")
    assert settled(store, [Task(user, (), Ask()) for user in "abcdef"]) == [False] * 3 + [True] * 3


def test_a_thread_outlives_what_would_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = fading_bundle()
    shard = Shard(MemoryStore(), lambda: bundle, Policy(), lambda: NOW)
    worker = Worker(shard, "hardy")

    def leave(tasks: Any) -> Any:
        monkeypatch.undo()
        raise SystemExit(3)

    monkeypatch.setattr(shard, "work", leave)
    first, second = task("u"), task("u")
    worker.submit([first])
    with pytest.raises(StoreError, match="a turn failed: SystemExit"):
        first.result.result(10)
    worker.submit([second])
    assert second.result.result(10).observed[0].seq == 1
    worker.close()
