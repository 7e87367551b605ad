"""Answers: for users and for given items, what is left out, and what is refused."""

import subprocess
import sys
from pathlib import Path

import pytest

from segue.errors import RequestError
from segue.serving.events import LATEST, LiveEvent
from segue.serving.lists.answer import Ask
from segue.serving.store.memory import MemoryStore
from segue.serving.task import Task
from serving_models import ITEMS, NOW, engine_of, store_of


def test_a_new_user_gets_the_answer_of_the_initial_state_and_is_not_stored():
    store = MemoryStore()
    ranked = engine_of(store).recommend(user_id="nobody", k=3)
    assert ranked.source == "initial_state"
    assert ranked.items == [("i0", 0.0), ("i1", 0.0), ("i2", 0.0)]
    assert store.load(["nobody"]) == ({}, [], [])


def test_items_are_one_session_and_nothing_is_kept():
    store = MemoryStore()
    engine = engine_of(store)
    engine.observe([LiveEvent("u", "i2", 50.0), LiveEvent("u", "i6", 50.0)])
    given_items = engine.recommend(items=["i2", "what", "i6"], k=8)
    assert given_items.unknown_items == ["what"]
    assert given_items.items == engine.recommend(user_id="u", k=8, timestamp=50.0).items
    assert given_items == engine.recommend(items=["i2", "what", "i6"], k=8, timestamp=NOW)


def test_of_who_has_only_unknown_items_nothing_is_known_and_they_are_named():
    ranked = engine_of().recommend(items=["x", "y"], exclude="current")
    assert (ranked.source, ranked.unknown_items) == ("initial_state", ["x", "y"])
    assert len(ranked.items) == len(ITEMS)


def test_a_request_after_the_pause_sees_a_new_session():
    engine = engine_of(gap=100)
    engine.observe([LiveEvent("u", "i2", 50.0)])
    assert engine.recommend(user_id="u", timestamp=150.0).source == "state"
    assert engine.recommend(user_id="u", timestamp=150.5).source == "initial_state"
    assert engine.recommend(user_id="u").source == "initial_state"
    assert engine_of(store_of(engine), at_session_start="mark").recommend(user_id="u").source == "state"


@pytest.mark.parametrize(
    ("exclude", "timestamp", "left_out"),
    [
        ("none", 70.0, set()),
        ("current", 70.0, {"i3"}),
        ("current", 500.0, set()),
        ("seen", 70.0, {"i1", "i3"}),
        ("seen", 500.0, {"i1", "i3"}),
    ],
)
def test_a_user_is_not_answered_what_is_excluded(exclude, timestamp, left_out):
    engine = engine_of(exclude=exclude)
    engine.observe([LiveEvent("u", item, 60.0) for item in ("i1", "unheard of", "i3")])
    ranked = engine.recommend(user_id="u", k=100, timestamp=timestamp)
    assert {item_id for item_id, _ in ranked.items} == set(ITEMS) - left_out
    assert (
        ranked.items
        == engine_of(store_of(engine)).recommend(user_id="u", k=100, timestamp=timestamp, exclude=exclude).items
    )


@pytest.mark.parametrize(("exclude", "left_out"), [("none", ""), ("current", "i3"), ("seen", "i1 i3")])
def test_given_items_are_not_answered_where_excluded(exclude, left_out):
    ranked = engine_of().recommend(items=["i1", "what", "i3"], k=100, exclude=exclude)
    assert {item_id for item_id, _ in ranked.items} == set(ITEMS) - set(left_out.split())


def test_when_all_is_excluded_the_list_is_empty():
    assert engine_of().recommend(items=ITEMS, exclude="seen").items == []


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "neither given; expected exactly one"),
        ({"user_id": "u", "items": []}, "both given; expected exactly one"),
        ({"user_id": ""}, "`user_id` is empty"),
        ({"user_id": 7}, r"`user_id` is 7 \(int\); expected text, such as '7'"),
        ({"items": ["i1", "a\0"]}, r"`items\[1\]` is 'a\\x00'"),
        ({"items": ["\ud800"]}, r"`items\[0\]` is '\\ud800'"),
        ({"user_id": "u", "k": 0}, "`k` is 0"),
        ({"user_id": "u", "timestamp": -1.0}, "from 0 up to the year 2200"),
        ({"user_id": "u", "timestamp": float("nan")}, "`timestamp` is nan"),
        ({"user_id": "u", "timestamp": 1.7e12}, "looks like milliseconds"),
        ({"user_id": "u", "exclude": "sen"}, "did you mean `seen`"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(request_, message):
    with pytest.raises(RequestError, match=message):
        engine_of().recommend(**request_)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (LiveEvent("u", ""), r"`events\[1\].item_id` is empty"),
        (LiveEvent("a\0b", "i1"), r"`events\[1\].user_id`"),
        (LiveEvent("u", "i1", event_id=""), r"`events\[1\].event_id`"),
        (LiveEvent("u", "i1", LATEST), r"`events\[1\].timestamp` is 7258118400.0.*milliseconds"),
    ],
)
def test_an_event_that_cannot_be_meant_is_refused_and_nothing_is_stored(event, message):
    store = MemoryStore()
    with pytest.raises(RequestError, match=message):
        engine_of(store).observe([LiveEvent("u", "i1"), event])
    assert store.history("u") == []


def test_serving_imports_neither_torch_nor_polars_nor_pandas():
    code = (
        "import sys, segue.web.serve, segue.serving.store.folder, segue.serving.store.memory;"
        "print(sorted({'torch', 'polars', 'pandas'} & set(sys.modules)))"
    )
    source = str(Path(__file__).parents[1] / "src")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": source}, check=True
    )
    assert done.stdout.strip() == "[]"


FILTERS = [
    ({"candidates": ["i5", "i1", "nope"]}, ["i1", "i5"], ["nope"]),
    ({"candidates": ["i2", "i1"], "exclude": "seen"}, ["i1"], []),
    ({"candidates": []}, [], []),
    ({"candidates": ["nope"]}, [], ["nope"]),
    ({"categories": ["odd"]}, ["i3", "i1", "i5", "i7"], []),
    ({"categories": ["odd", "small"], "k": 3}, ["i3", "i2", "i0"], []),
    ({"categories": ["odd"], "candidates": ["i5", "i6"]}, ["i5"], []),
    ({"categories": ["of no item"]}, [], []),
    ({"categories": ["small", "of no item", "none either"]}, ["i2", "i0"], []),
]


@pytest.mark.parametrize(("asked", "expected", "unknown"), FILTERS, ids=[str(one[0]) for one in FILTERS])
def test_what_alone_may_be_answered_is_and_no_list_is_shorter_than_it_need_be(asked, expected, unknown):
    categories = [["odd"] if n % 2 else ["small"] if n < 3 else None for n in range(8)]
    engine = engine_of(columns={"categories": categories})
    engine.observe([LiveEvent("u", "i2", 50.0)])
    ask = Ask(**{"k": 8, "timestamp": 50.0} | asked)
    for task in (Task("u", (), ask), Task(None, (), ask, ["i2"])):
        together = [task, Task("u", (), Ask(2, 50.0))]  # beside one that may answer anything
        engine.submit(together)
        ranked, free = (one.result.result().ranked for one in together)
        assert sorted(item for item, _ in ranked.items) == sorted(expected)
        assert [score for _, score in ranked.items] == sorted([score for _, score in ranked.items], reverse=True)
        assert ranked.unknown_items == unknown
        strange = [name for name in asked.get("categories", ()) if name not in ("odd", "small")]
        assert ranked.unknown_categories == strange
        assert [item for item, _ in free.items] == ["i3", "i2"]
