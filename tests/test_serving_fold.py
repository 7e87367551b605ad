"""The fold: live events end in the state that training and evaluation would see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.data.events import log_of
from segue.data.sessions import lay_out
from segue.models.base import Event
from segue.serving.events import LiveEvent
from segue.serving.fold import refold
from segue.serving.store.memory import MemoryStore
from serving_models import ITEMS, NOW, Fading, assert_same_memory, engine_of, fading_bundle, memory_of


def test_a_score_is_the_one_worked_out_by_hand():
    engine = engine_of(gap=1000)
    engine.observe([LiveEvent("u", "i2", 0.0), LiveEvent("u", "i5", 100.0)])
    ranked = engine.recommend(user_id="u", k=3, timestamp=100.0)
    assert [item_id for item_id, _ in ranked.items] == ["i6", "i5", "i2"]
    assert [score for _, score in ranked.items] == pytest.approx([10, 1, np.exp(-1)], rel=1e-6)


USERS = st.sampled_from(["u", "v", "w"])
KNOWN = st.sampled_from(ITEMS)
BATCHES = st.lists(st.integers(1, 4), min_size=40, max_size=40)


def in_batches(events, sizes):
    begin = 0
    for size in sizes:
        yield events[begin : begin + size]
        begin += size


@settings(max_examples=60, deadline=None)
@given(
    events=st.lists(st.tuples(USERS, KNOWN, st.integers(0, 400)), min_size=1, max_size=40),
    sizes=BATCHES,
    rule=st.sampled_from([(None, "reset"), (50, "reset"), (50, "mark")]),
    sessions=st.none() | st.lists(st.integers(0, 2), min_size=40, max_size=40),
)
def test_live_events_score_as_the_same_log_does_in_training(events, sizes, rule, sessions):
    events = sorted(events, key=lambda event: event[2])
    gap, at_session_start = rule
    engine = engine_of(gap=gap, at_session_start=at_session_start)
    labels = [None] * len(events) if sessions is None else [f"s{n}" for n in sessions[: len(events)]]
    live = [LiveEvent(u, i, float(t), s) for (u, i, t), s in zip(events, labels, strict=True)]
    for batch in in_batches(live, sizes):
        engine.observe(batch)

    column = {} if sessions is None else {"session": np.array(sessions[: len(events)], np.int32)}
    log = log_of(*(list(column) for column in zip(*events, strict=True)), **column)
    items = np.array([ITEMS.index(log.items[i]) for i in log.item], np.int32)
    rows = lay_out(log, gap=gap, at_session_start=at_session_start, item=items)
    model = Fading(len(ITEMS), rule=engine.bundle.rule)
    for user, begin, end in zip(rows.of, rows.bounds, rows.bounds[1:], strict=False):
        part = Event(rows.item[begin:end, None], rows.time[begin:end, None], rows.opens[begin:end, None])
        _, state = model.scan(part, rows.starts[begin:end, None], model.initial_state(1))
        ranked = engine.recommend(user_id=log.users[user], k=len(ITEMS), timestamp=float(rows.time[end - 1]))
        expected = dict(zip(ITEMS, model.score(model.query(state))[0].tolist(), strict=True))
        assert dict(ranked.items) == expected


@settings(max_examples=60, deadline=None)
@given(
    events=st.lists(
        st.tuples(USERS, KNOWN | st.just("unheard of"), st.integers(0, 300), st.sampled_from([None, "a", "b"])),
        min_size=1,
        max_size=40,
    ),
    sizes=BATCHES,
)
def test_interleaved_users_end_as_each_alone_even_with_late_and_unknown_events(events, sizes):
    live = [LiveEvent(*event) for event in events]
    together, alone = MemoryStore(), MemoryStore()
    for batch in in_batches(live, sizes):
        engine_of(together).observe(batch)
    for user in "uvw":
        for event in live:
            if event.user_id == user:
                engine_of(alone).observe([event])
        assert together.history(user) == alone.history(user)
        if alone.history(user):
            assert_same_memory(memory_of(together, user), memory_of(alone, user))
            assert_same_memory(memory_of(together, user), refold(fading_bundle(), together.history(user)))


def test_a_late_event_counts_as_simultaneous_and_keeps_its_own_time():
    late, on_time = MemoryStore(), MemoryStore()
    engine_of(late).observe([LiveEvent("u", "i1", 500.0), LiveEvent("u", "i2", 90.0), LiveEvent("u", "i3", 520.0)])
    engine_of(on_time).observe([LiveEvent("u", "i1", 500.0), LiveEvent("u", "i2", 500.0), LiveEvent("u", "i3", 520.0)])
    assert_same_memory(memory_of(late, "u"), memory_of(on_time, "u"))
    assert [event.time for event in late.history("u")] == [500.0, 90.0, 520.0]


def test_an_event_without_a_time_happens_now():
    store = MemoryStore()
    engine_of(store).observe([LiveEvent("u", "i1")])
    assert [(event.time, event.stamped) for event in store.history("u")] == [(NOW, True)]
