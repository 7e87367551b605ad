"""The engine keeps a state beside an event log, whatever the restarts, the repetitions and the model."""

import re

import pytest

from segue.errors import StoreError
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent, Observed
from segue.serving.fold import refold
from segue.serving.store.memory import MemoryStore
from segue.serving.store.sqlite import SqliteStore
from serving_models import ITEMS, assert_same_memory, engine_of, fading_bundle, memory_of, store_of


@pytest.fixture(params=["memory", "sqlite", "sqlite, threads"])
def reopening(request, tmp_path):
    """A function that gives a new engine over the same events, as after a restart where that is possible."""
    kept = MemoryStore()
    opened: list[Engine] = []

    def reopen(**bundle):
        if request.param != "memory":
            while opened:
                opened.pop().close()
        opened.append(
            engine_of(
                SqliteStore(tmp_path / "shard.db") if request.param != "memory" else kept,
                threads="threads" in request.param,
                **bundle,
            )
        )
        return opened[-1]

    yield reopen
    for engine in opened:
        engine.close()


def test_an_answer_reads_what_was_just_written(reopening):
    engine = reopening()
    for place, item_id in enumerate(ITEMS):
        engine.observe([LiveEvent("u", item_id, float(place))])
        top = engine.recommend(user_id="u", k=1, timestamp=float(place)).items
        assert top[0][0] == ITEMS[(place + 1) % len(ITEMS)]


def test_a_restart_changes_no_answer(reopening):
    engine = reopening()
    engine.observe([LiveEvent("u", "i1", 5.0), LiveEvent("u", "i4", 60.0)])
    before = engine.recommend(user_id="u", timestamp=70.0)
    engine = reopening()
    assert engine.recommend(user_id="u", timestamp=70.0) == before
    assert engine.observe([LiveEvent("u", "i1", 80.0)])[0].seq == 3


def test_a_state_of_another_model_is_folded_anew_from_the_events(reopening):
    reopening().observe([LiveEvent("u", "i1", 5.0), LiveEvent("u", "i4", 60.0), LiveEvent("u", "new", 61.0)])
    engine = reopening(version="v2", item_ids=fading_bundle().item_ids.of(["new", *reversed(ITEMS[1:])]))
    top = engine.recommend(user_id="u", k=1, timestamp=62.0)
    assert top.items[0][0] == ITEMS[-1]
    assert top.model_version == "v2"
    memory = memory_of(store_of(engine), "u")
    assert memory.version == "v2"
    assert engine.observe([LiveEvent("u", "i1", 80.0)])[0].seq == 4
    assert_same_memory(memory_of(store_of(engine), "u"), refold(engine.bundle, store_of(engine).history("u")))


def test_states_may_be_deleted_and_come_back(tmp_path):
    store = SqliteStore(tmp_path / "shard.db")
    engine = engine_of(store)
    engine.observe([LiveEvent("u", "i1", 5.0, event_id="e"), LiveEvent("u", "i4", 60.0)])
    before = engine.recommend(user_id="u", timestamp=70.0)
    store._connection.execute("DELETE FROM states")
    assert engine.observe([LiveEvent("u", "i1", 5.0, event_id="e")])[0].duplicate
    assert engine.recommend(user_id="u", timestamp=70.0) == before
    engine.close()


def test_a_repeated_event_changes_nothing(reopening):
    engine = reopening()
    event = LiveEvent("u", "i1", 5.0, "s", "e", "view")
    engine.observe([event, LiveEvent("u", "i2", 6.0)])
    before = store_of(engine).history("u"), engine.recommend(user_id="u", timestamp=7.0)
    assert engine.observe([event]) == [Observed(1, True, True)]
    assert reopening().observe([event, LiveEvent("u", "i3", 8.0, event_id="f")])[0] == Observed(1, True, True)
    assert store_of(reopening()).history("u")[:2] == before[0]
    fresh = MemoryStore()
    engine_of(fresh).observe([event, LiveEvent("u", "i2", 6.0), LiveEvent("u", "i3", 8.0, event_id="f")])
    assert_same_memory(memory_of(store_of(reopening()), "u"), memory_of(fresh, "u"))


def test_a_repetition_within_a_call_is_one_event():
    event = LiveEvent("u", "i1", event_id="e")
    assert engine_of().observe([event, event]) == [Observed(1, False, True), Observed(1, True, True)]


@pytest.mark.parametrize(
    "other",
    [
        LiveEvent("u", "i2", 5.0, "s", "e", "view"),
        LiveEvent("u", "i1", 6.0, "s", "e", "view"),
        LiveEvent("u", "i1", None, "s", "e", "view"),
        LiveEvent("u", "i1", 5.0, None, "e", "view"),
        LiveEvent("u", "i1", 5.0, "s", "e"),
    ],
    ids=["item", "time", "no time", "session", "type"],
)
def test_an_event_id_used_for_another_event_is_a_conflict_and_costs_the_others_nothing(reopening, other):
    engine = reopening()
    engine.observe([LiveEvent("u", "i1", 5.0, "s", "e", "view")])
    found = engine.observe([LiveEvent("v", "i1", 7.0), other, LiveEvent("u", "i4", 8.0)])
    assert [(one.seq, one.refused) for one in found] == [(1, None), (0, "conflict"), (2, None)]
    assert re.search(r"event id 'e' is that of another event.*\(number 1, item 'i1'\)", found[1].message)
    assert [event.item_id for event in store_of(engine).history("u")] == ["i1", "i4"]
    assert len(store_of(engine).history("v")) == 1


def test_two_users_may_use_one_event_id():
    engine = engine_of()
    assert engine.observe([LiveEvent("u", "i1", event_id="e"), LiveEvent("v", "i2", event_id="e")]) == [
        Observed(1, False, True),
        Observed(1, False, True),
    ]


def test_a_store_that_fails_leaves_the_engine_as_it_was(monkeypatch):
    store = MemoryStore()
    engine = engine_of(store)
    engine.observe([LiveEvent("u", "i1", 5.0)])
    before = engine.recommend(user_id="u", timestamp=5.0)
    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", lambda changes: (_ for _ in ()).throw(StoreError("full")))
        with pytest.raises(StoreError):
            engine.observe([LiveEvent("u", "i2", 6.0)])
    assert engine.recommend(user_id="u", timestamp=5.0) == before
    assert engine.observe([LiveEvent("u", "i2", 6.0)])[0].seq == 2
