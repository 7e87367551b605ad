"""Reasons over HTTP: what moved a score, what others did, the rank before rules."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from litestar.testing import TestClient

from segue.serving.events import LiveEvent
from segue.serving.lists.explain import explain
from segue.serving.store.base import StoredEvent
from segue.web.app import create_app
from segue.web.direct import ROUTE, Direct
from segue.web.reasons import reasons_message
from serving_models import NOW, engine_of, fading_bundle, store_of
from test_filling import counts

HISTORY = [("i1", 10.0), ("i5", 20.0), ("i1", 30.0), ("i6", 40.0)]


def asked(body: dict[str, Any], **bundle: Any) -> Any:
    engine = engine_of(counts=counts(), **bundle)
    engine.observe([LiveEvent("u", item, at) for item, at in HISTORY])
    with TestClient(Direct(create_app(engine), engine, 10.0)) as client:  # type: ignore[arg-type]
        answer = client.post(ROUTE, json=body)
    assert answer.status_code == 200, answer.text
    return engine, answer.json()


def test_each_item_says_why_it_is_there() -> None:
    engine, answer = asked({"user_id": "u", "k": 3, "timestamp": 50.0, "exclude": "none", "explain": True})
    listed = [item["item_id"] for item in answer["items"]]
    stored = store_of(engine).history("u")
    expected = explain(engine.bundle, stored, listed, 50.0, before_rules=listed)
    for item, reason in zip(answer["items"], expected, strict=True):
        assert item["reasons"] == msgspec.to_builtins(reasons_message(engine.bundle, reason))
        assert item["reasons"]["rank_without_rules"] == item["rank"]
    assert listed[0] == "i7", "it follows i6 in the ring"
    (strongest, *_) = answer["items"][0]["reasons"]["events"]
    assert (strongest["item_id"], strongest["seq"]) == ("i6", 4)
    assert strongest["difference"] == pytest.approx(10, abs=0.1)
    of_i1 = next(item for item in answer["items"] if item["item_id"] == "i1")
    assert {one["seq"] for one in of_i1["reasons"]["events"][:2]} == {1, 3}


def test_an_event_in_the_request_is_among_the_reasons() -> None:
    event = {"item_id": "i3", "timestamp": 45.0}
    _, answer = asked({"user_id": "u", "k": 1, "timestamp": 46.0, "exclude": "none", "explain": True, "event": event})
    assert answer["items"][0]["item_id"] == "i4"
    assert answer["items"][0]["reasons"]["events"][0]["seq"] == 5


def test_the_rank_before_rules_and_what_others_did() -> None:
    body = {"items": ["i0", "i1"], "k": 4, "exclude": "none", "explain": True}
    rules = {"deny": {"items": ["i2"]}, "pin": [{"item": "i5", "place": 1}], "boost": [{"items": ["i6"], "shift": 50}]}
    _, plain = asked(body)
    _, ruled = asked({**body, "rules": rules})
    order = [item["item_id"] for item in asked({**body, "k": 8})[1]["items"]]
    assert [item["item_id"] for item in ruled["items"]][:2] == ["i5", "i6"]
    for item in ruled["items"]:
        assert item["reasons"]["rank_without_rules"] == order.index(item["item_id"]) + 1
    followed = ruled["items"][0]["reasons"]["followed"]
    assert followed == [{"item_id": "i1", "times": 2, "of": 3, "title": "Title of i1"}]
    assert all("reasons" in item for item in plain["items"])


def test_nothing_is_said_unasked_and_a_stranger_has_no_events() -> None:
    _, answer = asked({"user_id": "u", "k": 3})
    assert all("reasons" not in item for item in answer["items"])
    _, answer = asked({"user_id": "nobody", "k": 3, "explain": True})
    assert [item["reasons"]["events"] for item in answer["items"]] == [[], [], []]


def test_a_history_is_read_no_further_than_a_state_is_folded_from() -> None:
    engine = engine_of(window=3)
    engine.observe([LiveEvent("u", "i1", float(n)) for n in range(9)])
    with TestClient(create_app(engine)) as client:
        answer = client.post(ROUTE, json={"user_id": "u", "k": 2, "timestamp": 9.0, "exclude": "none", "explain": True})
    for item in answer.json()["items"]:
        assert {one["seq"] for one in item["reasons"]["events"]} <= {7, 8, 9}
    folded = [StoredEvent(n + 1, "i1", float(n)) for n in range(6, 9)]
    found = explain(fading_bundle(window=3), folded, ["i1"], 9.0)[0]
    assert len(found.events) == 3
    assert np.isfinite([one.difference for one in found.events]).all()
    assert NOW > 0
