"""One user, event by event: what the server does, without the server."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import segue
from api_log import ITEMS, QUICK, clicks
from segue import Recommender
from segue.errors import RequestError


@pytest.fixture(scope="module")
def gru() -> Recommender:
    return segue.fit(clicks(), settings={**QUICK, "model.time_gap": True})


@pytest.mark.parametrize("items", [["i1", "i2"], ["i1", "no such item"], ["no such item"], []])
def test_a_list_after_items_is_that_of_the_same_items_event_by_event(gru: Recommender, items: list[str]) -> None:
    state = gru.initial_state()
    for item in items:
        state = gru.step(item, state)
    assert gru.recommend(items=items, k=ITEMS) == gru.top_k(state, k=ITEMS)


def test_a_step_leaves_the_state_before_it_as_it_was(gru: Recommender) -> None:
    first = gru.step({"item_id": "i1", "timestamp": 1_700_000_000}, gru.initial_state())
    kept, before = {name: array.copy() for name, array in first.memory.state.items()}, gru.top_k(first, k=5)
    one, other = gru.step("i2", first), gru.step("i9", first)
    assert gru.top_k(one) != gru.top_k(other)
    assert all(np.array_equal(kept[name], array) for name, array in first.memory.state.items())
    assert first.items == ("i1",)
    assert gru.top_k(first, k=5) == before
    # Without a timestamp an event counts as simultaneous with the one before.
    stamped = gru.step({"item_id": "i2", "timestamp": 1_700_000_000}, first)
    assert gru.top_k(one) == gru.top_k(stamped)


def test_event_by_event_nothing_seen_comes_again_where_the_model_forbids_it() -> None:
    recommender = segue.fit(clicks(), model="popularity", settings={**QUICK, "evaluate.exclude": "seen"})
    state, everything = recommender.initial_state(), set(recommender.item_ids)
    for item in ("i1", "i2", "no such item", "i1"):
        state = recommender.step(item, state)
    assert {one.item_id for one in recommender.top_k(state, k=ITEMS)} == everything - {"i1", "i2"}


@pytest.mark.parametrize(
    ("event", "message"),
    [({"item": "i1"}, "expected `item_id`"), ({"item_id": ""}, "is empty"), ({"item_id": 7}, "expected text")],
)
def test_an_event_that_cannot_be_meant_is_refused(event: Any, message: str, gru: Recommender) -> None:
    with pytest.raises(RequestError, match=message):
        gru.step(event, gru.initial_state())
