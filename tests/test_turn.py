"""A turn takes what waits together and ends as if each had come alone; policies for late events; histories cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import EvaluationError, StoreError
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.fold import refold
from segue.serving.lists.answer import Ask
from segue.serving.policy import Policy
from segue.serving.settling import settle
from segue.serving.shard import Shard
from segue.serving.store.memory import MemoryStore
from segue.serving.store.sqlite import SqliteStore
from segue.serving.task import ListError, Task
from segue.serving.turn import rounds
from serving_models import ITEMS, NOW, assert_same_memory, engine_of, fading_bundle, memory_of, store_of

USERS = st.sampled_from(["u", "v", "w"])
TASKS = st.lists(
    st.tuples(
        USERS,
        st.lists(st.tuples(st.sampled_from([*ITEMS, "unheard of"]), st.integers(0, 300)), max_size=4),
        st.none() | st.integers(1, 9),
        st.sampled_from(["none", "current", "seen"]),
    ),
    max_size=12,
)


def shard_of_bundle(store: Any = None, policy: Policy | None = None, **bundle: Any) -> Shard:
    made = fading_bundle(**bundle)
    return Shard(store or MemoryStore(), lambda: made, policy or Policy(), lambda: NOW)


def tasks_of(drawn: Any) -> list[Task]:
    return [
        Task(
            user,
            [LiveEvent(user, item, float(time)) for item, time in events],
            None if k is None else Ask(k, 300.0, exclude),
        )
        for user, events, k, exclude in drawn
    ]


@settings(max_examples=150, deadline=None)
@given(drawn=TASKS, late=st.sampled_from(["append", "reject", "refold"]), rule=st.sampled_from(["reset", "mark"]))
def test_tasks_taken_together_end_as_each_alone(drawn: Any, late: Any, rule: str) -> None:
    together, alone = (shard_of_bundle(policy=Policy(late=late), at_session_start=rule, gap=50) for _ in range(2))
    found = together.work(tasks_of(drawn))
    expected = [alone.work([task])[0] for task in tasks_of(drawn)]
    for one, other in zip(found, expected, strict=True):
        assert one == other
    for user in "uvw":
        assert together.store.history(user) == alone.store.history(user)
        if alone.store.history(user):
            assert_same_memory(memory_of(together.store, user), memory_of(alone.store, user))
    kept = [together.tally.events, together.tally.late, together.tally.answers]
    assert kept == [alone.tally.events, alone.tally.late, alone.tally.answers]


def test_rounds_keep_the_order_of_a_user_and_let_no_user_wait_for_another() -> None:
    event = LiveEvent("u", "i1")
    tasks = [Task("u", [event, event], Ask()), Task("v", [event]), Task("u", [event]), Task(None, (), Ask())]
    assert rounds(tasks) == [[(0, 0), (1, 0), (3, 0)], [(0, 1)], [(0, 2)], [(2, 0)]]


def test_a_list_sees_the_events_before_it_in_its_turn_and_none_after() -> None:
    shard = shard_of_bundle()
    ask = Ask(1, 50.0)
    asked = [Task("u", [LiveEvent("u", item, 50.0)], ask) for item in ("i1", "i4", "i6")]
    tops = [done.ranked.items[0][0] for done in shard.work([Task("u", (), ask), *asked]) if done.ranked]
    assert tops == ["i0", "i2", "i5", "i7"]
    assert shard.tally.turns == 1


def test_what_is_seen_counts_what_this_turn_stores() -> None:
    shard = shard_of_bundle()
    shard.work([Task("u", [LiveEvent("u", "i1", 50.0)])])
    (done,) = shard.work([Task("u", [LiveEvent("u", "i2", 50.0)], Ask(9, 50.0, "seen"))])
    assert done.ranked is not None
    assert {item for item, _ in done.ranked.items} == {*ITEMS} - {"i1", "i2"}


def late_log(late: Any) -> tuple[Engine, list[Any]]:
    engine = engine_of(policy=Policy(late=late), gap=None)
    found = engine.observe([LiveEvent("u", "i1", 10.0), LiveEvent("u", "i5", 90.0), LiveEvent("u", "i3", 50.0)])
    return engine, found


def test_a_late_event_is_refused_where_that_is_the_policy() -> None:
    engine, found = late_log("reject")
    assert [(one.seq, one.refused) for one in found] == [(1, None), (2, None), (0, "late")]
    assert "its time 50.0 is before that of the user's last event, 90.0" in str(found[2].message)
    assert [event.item_id for event in store_of(engine).history("u")] == ["i1", "i5"]
    assert engine.observe([LiveEvent("u", "i3", 90.0)])[0].seq == 3, "at the same time is not late"


def test_a_late_event_takes_its_place_in_time_where_that_is_the_policy() -> None:
    engine, found = late_log("refold")
    assert [one.seq for one in found] == [1, 2, 3]
    on_time = MemoryStore()
    in_order = [LiveEvent("u", "i1", 10.0), LiveEvent("u", "i3", 50.0), LiveEvent("u", "i5", 90.0)]
    engine_of(on_time, gap=None).observe(in_order)
    memory, expected = memory_of(store_of(engine), "u"), memory_of(on_time, "u")
    assert {name: array.tobytes() for name, array in memory.state.items()} == {
        name: array.tobytes() for name, array in expected.state.items()
    }
    assert (memory.seq, memory.item_id, memory.moment) == (3, "i5", expected.moment)
    assert engine.observe([LiveEvent("u", "i7", 95.0)])[0].seq == 4
    assert engine.recommend(user_id="u", k=1, timestamp=95.0).items[0][0] == "i0"


def test_a_refold_in_time_survives_another_model() -> None:
    engine, _ = late_log("refold")
    again = engine_of(store_of(engine), policy=Policy(late="refold"), gap=None, version="v2")
    assert again.recommend(user_id="u", k=1, timestamp=90.0).items[0][0] == "i6"
    assert again.shards[0].tally.refolds == 1


@pytest.mark.parametrize(("events", "cut"), [(3, 0), (4, 0), (5, 1), (9, 1)])
def test_a_refold_reads_the_last_events_and_says_when_that_was_not_all(events: int, cut: int) -> None:
    store = MemoryStore()
    engine_of(store, gap=None).observe([LiveEvent("u", ITEMS[n % 8], float(n)) for n in range(events)])
    engine = engine_of(store, policy=Policy(refold_events=4), gap=None, version="v2")
    engine.recommend(user_id="u")
    expected = refold(engine.bundle, store.history("u")[-4:])
    memory = memory_of(store, "u")
    assert_same_memory(memory, expected)
    assert memory.seq == events
    assert (engine.shards[0].tally.refolds, engine.shards[0].tally.cut) == (1, cut)


def test_a_damaged_state_is_folded_anew_and_counted(tmp_path: Any) -> None:
    store = SqliteStore(tmp_path / "shard.db")
    engine_of(store).observe([LiveEvent("u", "i1", 5.0), LiveEvent("u", "i4", 6.0)])
    expected = memory_of(store, "u")
    store._connection.execute("UPDATE states SET state = CAST(substr(state, 1, 9) AS BLOB)")
    engine = engine_of(store)
    assert engine.recommend(user_id="u", k=1, timestamp=6.0).items[0][0] == "i5"
    assert engine.shards[0].tally.damaged == 1
    assert_same_memory(memory_of(store, "u"), expected)
    engine.close()


def test_a_memory_at_hand_is_not_read_again_and_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    shard, asked = shard_of_bundle(), []
    load = shard.store.load
    monkeypatch.setattr(shard.store, "load", lambda users: asked.append(list(users)) or load(users))
    for user in ("u", "v", "u"):
        shard.work([Task(user, [LiveEvent(user, "i1")])])
    assert asked == [["u"], ["v"]]
    shard.memories.cached_bytes = 1200  # two of them
    for user in ("u", "v", "w", "u"):
        shard.work([Task(user, (), Ask())])
    assert asked[2:] == [["w"], ["u"]]


def test_a_store_that_fails_costs_no_memory_its_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    shard = shard_of_bundle()
    shard.work([Task("u", [LiveEvent("u", "i1", 5.0)])])
    with monkeypatch.context() as patched:
        patched.setattr(shard.store, "commit", lambda _: (_ for _ in ()).throw(StoreError("full")))
        writers = [Task(user, [LiveEvent(user, "i2", 6.0)], Ask()) for user in "uwxy"]
        reader = Task("v", (), Ask())
        settle(shard, [*writers[:3], reader, writers[3]])
        for task in writers:
            with pytest.raises(StoreError, match="full"):
                task.result.result()
        assert reader.result.result().ranked.source == "initial_state", "one that only reads is answered"
    (done,) = shard.work([Task("u", [LiveEvent("u", "i4", 6.0)], Ask(1, 6.0))])
    assert done.observed[0].seq == 2
    assert memory_of(shard.store, "u").item_id == "i4"


def test_one_request_that_cannot_be_worked_on_does_not_cost_the_others_theirs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shard = shard_of_bundle()
    step = type(shard._bundle().model).step

    def broken(model: Any, event: Any, state: Any) -> Any:
        if np.any(event.item == 3):
            raise ZeroDivisionError
        return step(model, event, state)

    monkeypatch.setattr(type(shard._bundle().model), "step", broken)
    tasks = [Task(user, [LiveEvent(user, item, 5.0)], Ask(1, 5.0)) for user, item in (("u", "i1"), ("v", "i3"))]
    settle(shard, tasks)
    assert tasks[0].result.result().ranked.items[0][0] == "i2"
    with pytest.raises(ZeroDivisionError):
        tasks[1].result.result()
    assert "a request failed" in caplog.text
    assert [len(shard.store.history(user)) for user in "uv"] == [1, 0]


@pytest.mark.parametrize("wrong", ["raises", "nan"])
def test_a_list_that_fails_costs_no_event_and_no_other_list(
    wrong: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shard, steps = shard_of_bundle(), list[int]()
    model = type(shard._bundle().model)
    score, step = model.score, model.step

    def broken(model: Any, query: Any, candidates: Any = None) -> Any:
        found = score(model, query, candidates)
        if wrong == "raises" and np.any(query["last"] == 3):
            raise ZeroDivisionError
        found[query["last"] == 3] = np.nan
        return found

    def counted(model: Any, event: Any, state: Any) -> Any:
        steps.append(len(event.item))
        return step(model, event, state)

    monkeypatch.setattr(model, "score", broken)
    monkeypatch.setattr(model, "step", counted)
    given = [(f"u{n}", "i3" if n in (2, 5) else "i1") for n in range(7)]
    tasks = [Task(user, [LiveEvent(user, item, 5.0)], Ask(1, 5.0)) for user, item in given]
    tasks += [Task(None, (), Ask(1), ["i3"]), Task("v", [LiveEvent("v", "i3", 5.0)])]
    settle(shard, tasks)
    for (user, item), task in zip(given, tasks[:7], strict=True):
        assert [one.item_id for one in shard.store.history(user)] == [item]
        if item == "i1":
            assert task.result.result().ranked.items[0][0] == "i2"
            continue
        with pytest.raises(ListError, match=r"server's log says how\. The event is stored; where it has an `event_id`"):
            task.result.result()
    with pytest.raises(ZeroDivisionError if wrong == "raises" else EvaluationError):
        tasks[7].result.result()
    assert tasks[8].result.result().observed[0].seq == 1
    assert steps == [9], "the events of the turn are stepped once"
    assert caplog.text.count("a list failed") == 3
    assert (shard.tally.events, shard.tally.answers, shard.tally.turns) == (8, 5, 1)


def test_a_list_that_fails_after_an_event_that_was_refused_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    shard = shard_of_bundle()
    monkeypatch.setattr(type(shard._bundle().model), "score", lambda *_: 1 / 0)
    events = [LiveEvent("u", item, 5.0, None, "e1") for item in ("i1", "i1", "i2")]
    tasks = [Task("u", [event], Ask(1, 5.0)) for event in events]
    settle(shard, tasks)
    told = [str(task.result.exception()) for task in tasks]
    assert ["The event is stored" in one for one in told] == [True, True, False]
    assert "The event was refused: " in told[2]
    assert "e1" in told[2]
    assert len(shard.store.history("u")) == 1


def test_a_user_is_forgotten_whole() -> None:
    engine = engine_of()
    engine.observe([LiveEvent("u", "i1", 5.0), LiveEvent("u", "i2", 6.0)])
    assert engine.forget("u").result() == 2
    assert engine.forget("u").result() == 0
    assert engine.recommend(user_id="u").source == "initial_state"
    assert engine.observe([LiveEvent("u", "i1", 7.0)])[0].seq == 1


def test_states_of_another_model_are_renewed_and_the_others_left() -> None:
    store = MemoryStore()
    engine_of(store).observe([LiveEvent(user, "i1", 5.0) for user in "uv"])
    shard = engine_of(store, version="v2").shards[0]
    shard.work([Task("u", (), Ask())])
    assert shard.renew(store.stale("v2")) == 1
    assert shard.renew(["u", "v"]) == 0
    assert store.count().memories == {"v2": 2}


def test_a_state_folded_anew_that_cannot_be_stored_costs_no_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    engine_of(store).observe([LiveEvent("u", "i1", 5.0)])
    engine = engine_of(store, version="v2")
    monkeypatch.setattr(store, "commit", lambda _: (_ for _ in ()).throw(StoreError("full")))
    assert engine.recommend(user_id="u", k=1, timestamp=5.0).items[0][0] == "i2"
    assert "states that were folded anew are not stored: full" in caplog.text


def test_items_given_are_stepped_beside_the_events_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    shard = shard_of_bundle()
    rows: list[int] = []
    step = type(shard._bundle().model).step
    monkeypatch.setattr(
        type(shard._bundle().model),
        "step",
        lambda model, event, state: rows.append(len(event.item)) or step(model, event, state),
    )
    asked = [Task(None, (), Ask(1), ["i1", "i2", last]) for last in ("i3", "i5")]
    done = shard.work([*asked, Task("u", [LiveEvent("u", "i6", 5.0)], Ask(1, 5.0))])
    assert [one.ranked.items[0][0] for one in done if one.ranked] == ["i4", "i6", "i7"]
    assert rows == [3, 2, 2]
    assert shard.store.users() == ["u"]


def test_another_policy_makes_states_anew() -> None:
    """A state that was made in the order of arrival is not gone on with in that of time."""
    store = MemoryStore()
    events = [LiveEvent("u", "i1", 10.0), LiveEvent("u", "i5", 90.0), LiveEvent("u", "i3", 50.0)]
    engine_of(store, gap=None).observe(events)
    engine = engine_of(store, policy=Policy(late="refold"), gap=None)
    assert engine.recommend(user_id="u", k=1, timestamp=90.0).items[0][0] == "i6"
    assert engine.recommend(user_id="u", k=1, timestamp=90.0).model_version == "v1"
    assert engine_of(store, gap=None).recommend(user_id="u", k=1, timestamp=90.0).items[0][0] == "i4"


def test_no_number_is_used_twice_though_the_last_event_was_forgotten() -> None:
    store = MemoryStore()
    engine_of(store).observe([LiveEvent("u", "i1", 500.0), LiveEvent("u", "i2", 90.0)])
    engine_of(store).shards[0].trim(100.0, ["u"])
    assert [event.seq for event in store.history("u")] == [1]
    assert engine_of(store, version="v2").observe([LiveEvent("u", "i3", 600.0)])[0].seq == 3


def test_an_event_from_the_far_future_is_refused_and_locks_nobody_out() -> None:
    engine = engine_of(policy=Policy(late="reject"))
    far, near = engine.observe([LiveEvent("u", "i1", NOW + 2 * 86_400), LiveEvent("u", "i2", NOW + 3600)])
    assert (far.refused, near.refused) == ("future", None)
    assert "more than a day after now" in str(far.message)
    assert engine.observe([LiveEvent("v", "i1")])[0].refused is None


def test_a_large_catalog_is_scored_some_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, pieces = shard_of_bundle(), shard_of_bundle()
    tasks = [
        Task(f"u{n}", [LiveEvent(f"u{n}", ITEMS[n % 8], 50.0)], Ask(3 + n % 4, 50.0, exclude))
        for n, exclude in enumerate(["none", "seen", "current", "none", "seen"] * 3)
    ]
    expected = whole.work(tasks)
    monkeypatch.setattr("segue.serving.lists.best.SCORES_BYTES", 4 * 8 * 4)  # four rows
    assert pieces.work(tasks) == expected


def test_a_commit_that_fails_though_it_was_made_leaves_no_older_memory_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    shard = shard_of_bundle()
    shard.work([Task("u", [LiveEvent("u", "i1", 5.0)])])
    commit = shard.store.commit

    def broken(changes: Any) -> None:
        commit(changes)
        raise StoreError("the answer was lost")

    with monkeypatch.context() as patched:
        patched.setattr(shard.store, "commit", broken)
        with pytest.raises(StoreError, match="was lost"):
            shard.work([Task("u", [LiveEvent("u", "i2", 6.0)])])
    (done,) = shard.work([Task("u", [LiveEvent("u", "i4", 7.0)])])
    assert done.observed[0].seq == 3
    assert_same_memory(memory_of(shard.store, "u"), refold(shard._bundle(), shard.store.history("u")))
