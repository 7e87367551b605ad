"""Given items with their times are answered as if a user had had them: pauses, sessions, reasons and all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from litestar.testing import TestClient

from segue.data.ids import Ids
from segue.errors import RequestError
from segue.models.base import SessionRule
from segue.models.network import Network
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.events import LateEvents, LiveEvent
from segue.serving.lists import explain as explain_module
from segue.serving.policy import Policy
from segue.serving.store.memory import MemoryStore
from segue.web.app import create_app
from segue.web.direct import ROUTE, Direct
from serving_models import ITEMS, NOW, fading_bundle
from test_filling import counts

GAP = 100.0
PAUSES = {"at once": 0.0, "within the session": GAP, "after the gap": GAP + 1}


def network_bundle(at_session_start: str) -> Bundle:
    torch.manual_seed(3)
    rule = SessionRule(GAP, at_session_start)
    model = Network(len(ITEMS), rule=rule, width=8, time_gap=True).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return Bundle(model, item_ids=Ids.of(ITEMS), version="v1", name="gru", counts=counts(), order="arrival")


BUNDLES: dict[str, Callable[[], Bundle]] = {
    "fading, reset": lambda: fading_bundle(gap=GAP, counts=counts()),
    "fading, mark": lambda: fading_bundle(gap=GAP, at_session_start="mark"),
    "fading, no gap": lambda: fading_bundle(gap=None),
    "network, reset": lambda: network_bundle("reset"),
    "network, mark": lambda: network_bundle("mark"),
}


def histories(seed: int) -> tuple[list[str], list[float]]:
    """Items, one of which the model does not know, with pauses on both sides of the gap, and ties."""
    rng = np.random.default_rng(seed)
    items = [ITEMS[place] for place in rng.integers(len(ITEMS), size=9)]
    items[4] = "unknown"
    return items, (NOW - 5000 + np.cumsum(rng.choice([0.0, 7.0, GAP, GAP + 0.5, 900.0], 9))).tolist()


def listed(answer: Any) -> Any:
    """What of an answer does not name the request."""
    told = answer.json()
    assert answer.status_code == 200, told
    return {name: told[name] for name in told if name not in ("request_id", "unknown_items")}


@pytest.mark.parametrize("exclude", ["none", "current", "seen"])
@pytest.mark.parametrize("pause", PAUSES.values(), ids=PAUSES)
@pytest.mark.parametrize("bundle", BUNDLES.values(), ids=BUNDLES)
def test_items_with_times_are_answered_as_the_same_events_of_a_user(
    bundle: Callable[[], Bundle], pause: float, exclude: str
) -> None:
    engine = Engine(bundle(), MemoryStore(), clock=lambda: NOW)
    with TestClient(Direct(create_app(engine), engine, 10.0)) as client:  # type: ignore[arg-type]
        for seed in range(3):
            items, times = histories(seed)
            user = f"u{seed}"
            engine.observe([LiveEvent(user, item, at) for item, at in zip(items, times, strict=True)])
            asked = {"k": 8, "timestamp": times[-1] + pause, "exclude": exclude}
            for more in ({}, {"explain": True}, {"diversity": 0.4, "seed": 3}):
                of_user = client.post(ROUTE, json={"user_id": user, **asked, **more})
                of_items = client.post(ROUTE, json={"items": items, "times": times, **asked, **more})
                assert listed(of_items) == listed(of_user)
                assert of_items.json()["unknown_items"] == ["unknown"]


@pytest.mark.parametrize("late", ["append", "refold"])
@pytest.mark.parametrize("bundle", BUNDLES.values(), ids=BUNDLES)
def test_the_history_of_a_user_with_late_events_is_answered_as_the_user(
    bundle: Callable[[], Bundle], late: LateEvents
) -> None:
    engine = Engine(bundle(), MemoryStore(), policy=Policy(late=late), clock=lambda: NOW)
    with TestClient(Direct(create_app(engine), engine, 10.0)) as client:  # type: ignore[arg-type]
        times = [50.0, 500.0, 40.0, 45.0, 520.0, 130.0, 700.0, 690.0]
        engine.observe([LiveEvent("u", ITEMS[place % 5], 1000 + at) for place, at in enumerate(times)])
        events = client.post("/v1/history", json={"user_id": "u"}).json()["events"]
        given = {"items": [one["item_id"] for one in events], "times": [one["time"] for one in events]}
        for pause in PAUSES.values():
            asked = {"k": 8, "timestamp": given["times"][-1] + pause}
            of_user = client.post(ROUTE, json={"user_id": "u", **asked})
            assert listed(client.post(ROUTE, json=given | asked)) == listed(of_user)
        assert sorted(one.get("sent", one["time"]) for one in events) == sorted(1000 + at for at in times)


def test_times_part_sessions_and_without_them_items_are_one() -> None:
    engine = Engine(fading_bundle(gap=GAP), MemoryStore(), clock=lambda: NOW)
    times = [10.0, 20.0, 500.0]
    parted = engine.recommend(items=["i1", "i2", "i5"], times=times, k=8, timestamp=500.0)
    alone = engine.recommend(items=["i5"], times=[500.0], k=8, timestamp=500.0)
    whole = engine.recommend(items=["i1", "i2", "i5"], k=8, timestamp=500.0)
    assert parted.items == alone.items
    assert parted.items != whole.items
    assert engine.recommend(items=["i5"], times=[500.0], timestamp=601.0).source == "initial_state"
    assert engine.recommend(items=["i5"], times=[500.0]).source == "state", "the moment of the request is not known"


def test_reasons_name_the_times_that_were_given(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    explain = explain_module.explain

    def noted(bundle: Any, history: Any, *given: Any, **more: Any) -> Any:
        seen.extend(history)
        return explain(bundle, history, *given, **more)

    monkeypatch.setattr("segue.web.translating.explain", noted)
    engine = Engine(fading_bundle(gap=GAP), MemoryStore(), clock=lambda: NOW)
    with TestClient(create_app(engine)) as client:
        body = {"items": ["i1", "i5"], "times": [10.5, 20], "explain": True, "k": 1}
        (item,) = client.post(ROUTE, json=body).json()["items"]
    assert [(event.seq, event.item_id, event.time) for event in seen] == [(1, "i1", 10.5), (2, "i5", 20.0)]
    assert {one["time"] for one in item["reasons"]["events"]} <= {10.5, 20.0}


WRONG = [
    ({"user_id": "u", "times": [1]}, "bad_request", None, "`times` are given without `items`"),
    ({"items": ["i1"], "times": []}, "bad_request", None, "`times` has 0 times for 1 items"),
    ({"items": ["i1"], "times": [1, 2]}, "bad_request", None, "`times` has 2 times for 1 items; expected one for each"),
    (
        {"items": ["i1", "i2"], "times": [2, 1]},
        "bad_request",
        None,
        "`times[1]` is 1.0, before 2.0; expected the oldest",
    ),
    ({"items": ["i1"], "times": ["1"]}, "invalid_message", "times[0]", "expected `float`"),
    ({"items": ["i1"], "times": [-1]}, "invalid_message", "times[0]", ">= 0"),
    ({"items": ["i1"], "times": [1_700_000_000_000]}, "invalid_message", "times[0]", "milliseconds"),
    ({"items": ["i1"], "times": [None]}, "invalid_message", "times[0]", "got `null`"),
    ({"items": ["i1"], "times": [0] * 1001}, "invalid_message", "times", "length <= 1000"),
]


@pytest.mark.parametrize(("body", "code", "field", "message"), WRONG, ids=[str(row[3])[:40] for row in WRONG])
def test_times_that_cannot_be_meant_are_refused(
    body: dict[str, Any], code: str, field: str | None, message: str
) -> None:
    engine = Engine(fading_bundle(), MemoryStore(), clock=lambda: NOW)
    with TestClient(Direct(create_app(engine), engine, 10.0)) as client:  # type: ignore[arg-type]
        answer = client.post(ROUTE, json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error.get("field")) == (400, code, field)
    assert message in error["message"]


def test_no_number_is_no_time() -> None:
    engine = Engine(fading_bundle(), MemoryStore(), clock=lambda: NOW)
    for times in ([float("nan")], [float("inf")], [-1.0]):
        with pytest.raises(RequestError, match=r"`times\[0\]` is"):
            engine.recommend(items=["i1"], times=times)
