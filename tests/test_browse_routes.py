"""The routes for one who looks around."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from segue.errors import StoreError
from segue.ranking.rules import Rules
from segue.serving.browse import choices as choices_module
from segue.serving.engine import Engine
from segue.serving.lists.diverse import Wish
from segue.serving.lists.scenarios import Scenarios
from segue.serving.policy import Policy
from segue.serving.store.folder import StoreFolder
from segue.web.app import create_app
from segue.web.browse import beside
from segue.web.counts import Counts
from segue.web.guard import Guard
from segue.web.keys import Keys, add_key
from serving_models import ITEMS, engine_of, fading_bundle, store_of

HOSTILE = "<script>alert(1)</script>\0\u202e\u05d0 🎬"
TITLES = [f"Title of {item}" for item in ITEMS[:5]] + [HOSTILE, "x" * 10_000, None]
CATEGORIES = [["odd" if place % 2 else "even", "all"] for place in range(7)] + [None]


def shop(**given: Any) -> Engine:
    return engine_of(columns={"title": TITLES, "categories": CATEGORIES, "year": list(range(8))}, **given)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient[Any]]:
    with TestClient(create_app(shop()), raise_server_exceptions=False) as opened:
        yield opened


def stored(client: TestClient[Any], *events: tuple[str, str, float]) -> None:
    sent = [{"user_id": user, "item_id": item, "timestamp": time} for user, item, time in events]
    assert client.post("/v1/events", json={"events": sent}).status_code == 200


def test_items_are_searched_by_their_titles(client: TestClient[Any]) -> None:
    found = client.get("/v1/items", params={"search": "TITLE of í3"}).json()
    assert found == {
        "items": [
            {
                "item_id": "i3",
                "known": True,
                "title": "Title of i3",
                "categories": ["odd", "all"],
                "columns": {"year": 3},
            }
        ]
    }
    assert [one["item_id"] for one in client.get("/v1/items").json()["items"]] == ITEMS
    assert [one["item_id"] for one in client.get("/v1/items?k=2&search=").json()["items"]] == ["i0", "i1"]
    assert client.get("/v1/items", params={"search": "nothing has this"}).json() == {"items": []}


def test_items_are_described_in_the_order_asked_for_and_titles_are_data(client: TestClient[Any]) -> None:
    asked = ["i5", "nobody knows", "i7", "i6", "i5"]
    found = client.post("/v1/items", json={"item_ids": asked}).json()["items"]
    assert [one["item_id"] for one in found] == asked
    assert [one["known"] for one in found] == [True, False, True, True, True]
    assert found[0]["title"] == HOSTILE
    assert found[3]["title"] == "x" * 299 + "…"
    assert found[1] == {"item_id": "nobody knows", "known": False}
    assert found[2] == {"item_id": "i7", "known": True, "columns": {"year": 7}}
    assert client.post("/v1/items", json={"item_ids": []}).json() == {"items": []}


def test_the_last_events_of_a_user_are_shown(client: TestClient[Any]) -> None:
    stored(client, ("ann", "i1", 50), ("ann", "?", 60), ("ann", "i6", 55.5))
    typed = {"user_id": "ann", "item_id": "i7", "timestamp": 70, "event_type": "buy"}
    client.post("/v1/events", json={"events": [typed]})
    assert client.post("/v1/history", json={"user_id": "ann", "last": 3}).json() == {
        "user_id": "ann",
        "total": 4,
        "events": [
            {"seq": 2, "item_id": "?", "time": 60.0, "known_item": False},
            {"seq": 3, "item_id": "i6", "time": 60.0, "sent": 55.5, "known_item": True, "title": "x" * 299 + "…"},
            {"seq": 4, "item_id": "i7", "time": 70.0, "known_item": True, "event_type": "buy"},
        ],
    }
    assert len(client.post("/v1/history", json={"user_id": "ann"}).json()["events"]) == 4
    last_two = client.post("/v1/history", json={"user_id": "ann", "last": 2}).json()["events"]
    assert [one["time"] for one in last_two] == [60.0, 70.0], "the late one counts with one that is not shown"
    nobody = {"user_id": "nobody", "total": 0, "events": []}
    assert client.post("/v1/history", json={"user_id": "nobody"}).json() == nobody


def test_a_history_is_in_the_order_in_which_events_count() -> None:
    with TestClient(create_app(shop(policy=Policy(late="refold")))) as client:
        stored(client, ("ann", "i1", 50), ("ann", "i2", 60), ("ann", "i3", 55))
        events = client.post("/v1/history", json={"user_id": "ann"}).json()["events"]
        assert [one["item_id"] for one in events] == ["i1", "i3", "i2"]


def test_users_of_all_shards_are_named_the_latest_event_first(tmp_path: Path) -> None:
    engine = shop(store=StoreFolder(tmp_path / "store", shards=3))
    with TestClient(create_app(engine)) as client:
        assert client.get("/v1/users").json() == {"users": []}
        stored(client, *((f"u{n}", "i1", 100.0 + n) for n in range(9)), ("/", "i1", 50.0), ("u2", "i2", 200.0))
        users = client.get("/v1/users", params={"k": 3}).json()["users"]
        assert users[0] == {"user_id": "u2", "events": 2, "last_time": 200.0}
        assert len(users) == 3
        assert [one["last_time"] for one in users] == sorted((one["last_time"] for one in users), reverse=True)
        assert len(client.get("/v1/users").json()["users"]) == 10
        assert client.get("/v1/users/%2F").json()["events"] == 1
        assert client.get("/v1/users/").status_code == client.get("//v1/users").status_code == 404
        client.delete("/v1/users/u2")
        assert "u2" not in [one["user_id"] for one in client.get("/v1/users").json()["users"]]
    engine.close()


def test_what_a_request_may_say_can_be_said(client: TestClient[Any]) -> None:
    choices = client.get("/v1/choices").json()
    assert choices["defaults"] == {
        "k": 10,
        "diversity": 0.0,
        "strategy": "mmr",
        "similarity": "auto",
        "exclude": "none",
    }
    assert choices["categories"] == [
        {"category": "all", "items": 7},
        {"category": "even", "items": 4},
        {"category": "odd", "items": 3},
    ]
    assert (choices["gap"], choices["time_aware"], choices["scenarios"]) == (100, False, [])
    assert "mmr" in choices["strategies"]
    assert choices["similarities"] == ["attributes", "auto"], "the model has no vectors"
    for strategy in choices["strategies"]:
        asked = {"user_id": "zoe", "diversity": 0.5, "strategy": strategy}
        assert client.post("/v1/recommend", json=asked).status_code == 200
    for name, values in (("similarity", choices["similarities"]), ("exclude", choices["excludes"])):
        for value in values:
            asked = {"user_id": "zoe", "diversity": 0.5, name: value}
            assert client.post("/v1/recommend", json=asked).status_code == 200


def test_choices_say_what_the_server_was_started_with_and_the_model_that_serves_now() -> None:
    engine = shop(gap=None, exclude="seen")
    engine.usual = Wish(0.3, "rotation")
    engine.scenarios = Scenarios({"home": Rules(), "evening": Rules()})
    with TestClient(create_app(engine)) as client:
        choices = client.get("/v1/choices").json()
        assert choices["scenarios"] == ["evening", "home"]
        assert choices["gap"] is None
        assert choices["defaults"] == {
            "k": 10,
            "diversity": 0.3,
            "strategy": "rotation",
            "similarity": "auto",
            "exclude": "seen",
        }
        engine.swap(fading_bundle(version="v2"))
        assert client.get("/v1/choices").json()["categories"] == []


def test_the_largest_categories_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices_module, "MOST", 2)
    columns = {"categories": [["b"], ["b", "a"], ["c"], ["c"], ["y" * 121], ["y" * 121], ["y" * 121], None]}
    found = choices_module.largest(fading_bundle(columns=columns))
    assert found == [("b", 2), ("c", 2)]


BAD = [
    ("/v1/items?k=0", None, "invalid_query", "k", ">= 1"),
    ("/v1/items?k=101", None, "invalid_query", "k", "<= 100"),
    ("/v1/items?k=3.5", None, "invalid_query", "k", "expected `int`"),
    ("/v1/items?k=", None, "invalid_query", "k", "expected `int`"),
    ("/v1/items?search=" + "x" * 201, None, "invalid_query", "search", "length <= 200"),
    ("/v1/items?search=a%00b", None, "invalid_query", "search", "NUL"),
    ("/v1/items?search=%ff", None, "invalid_query", None, "percent-encoded UTF-8"),
    ("/v1/items?search=a&search=b", None, "invalid_query", None, "twice"),
    ("/v1/items?q=a", None, "invalid_query", "q", "the query: object contains unknown field"),
    ("/v1/items?" + "&".join(f"a{n}=1" for n in range(30)), None, "invalid_query", None, "fields"),
    ("/v1/users?k=101", None, "invalid_query", "k", "<= 100"),
    ("/v1/users?last=1", None, "invalid_query", "last", "unknown field"),
    ("/v1/items", {}, "invalid_message", "item_ids", "missing required field"),
    ("/v1/items", {"item_ids": ["i"] * 1001}, "invalid_message", "item_ids", "length <= 1000"),
    ("/v1/items", {"item_ids": [""]}, "invalid_message", "item_ids[0]", "length >= 1"),
    ("/v1/items", {"item_ids": ["i1", "a\0"]}, "bad_request", None, "`item_ids[1]` is 'a\\x00'"),
    ("/v1/history", {}, "invalid_message", "user_id", "missing required field"),
    ("/v1/history", {"user_id": "a\0"}, "bad_request", None, "NUL"),
    ("/v1/history", {"user_id": "a", "last": 0}, "invalid_message", "last", ">= 1"),
    ("/v1/history", {"user_id": "a", "last": 1001}, "invalid_message", "last", "<= 1000"),
]


@pytest.mark.parametrize(("path", "body", "code", "field", "message"), BAD, ids=[f"{row[0]}"[:40] for row in BAD])
def test_what_cannot_be_meant_is_refused(
    client: TestClient[Any], path: str, body: Any, code: str, field: str | None, message: str
) -> None:
    answer = client.get(path) if body is None else client.post(path, json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error.get("field")) == (code, field)
    assert message in error["message"]


LOOKS = [
    ("GET", "/v1/items"),
    ("POST", "/v1/items"),
    ("POST", "/v1/history"),
    ("GET", "/v1/users"),
    ("GET", "/v1/choices"),
]
BODIES = {"/v1/items": {"item_ids": ["i1"]}, "/v1/history": {"user_id": "u"}}


def test_who_looks_needs_a_key_and_is_counted_by_route(tmp_path: Path) -> None:
    key = add_key(tmp_path / "keys.toml", "shop")
    counts = Counts(engine_of())
    with TestClient(Guard(create_app(shop()), keys=Keys(tmp_path / "keys.toml"), counts=counts)) as client:
        for method, path in LOOKS:
            body = BODIES.get(path) if method == "POST" else None
            refused = client.request(method, path, json=body)
            assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthorized")
            allowed = client.request(method, path, json=body, headers={"Authorization": f"Bearer {key}"})
            assert allowed.status_code == 200
    text = counts.text().decode()
    for path in {path for _, path in LOOKS}:
        assert f'segue_requests_total{{route="{path}",status="200"}}' in text


def test_a_store_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = shop()

    def fail(*_: Any) -> None:
        raise StoreError("cannot read /secret/place")

    monkeypatch.setattr(store_of(engine), "last_events", fail)
    monkeypatch.setattr(store_of(engine), "recent_users", fail)
    with TestClient(create_app(engine)) as client:
        for answer in (client.get("/v1/users"), client.post("/v1/history", json={"user_id": "u"})):
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_unavailable")
            assert "secret" not in answer.text


def test_lists_are_made_while_somebody_looks_and_one_too_many_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, going, begun = shop(threads=True), threading.Event(), threading.Semaphore(0)
    monkeypatch.setattr(beside, "MOST_WAITING", beside.TOGETHER)

    def slow(most: int) -> list[Any]:
        begun.release()
        assert going.wait(30)
        return []

    monkeypatch.setattr(store_of(engine), "recent_users", slow)
    with TestClient(create_app(engine)) as client, ThreadPoolExecutor(beside.TOGETHER) as pool:
        looking = [pool.submit(client.get, "/v1/users") for _ in range(beside.TOGETHER)]
        for _ in looking:
            assert begun.acquire(timeout=30)
        assert client.post("/v1/recommend", json={"user_id": "u"}).status_code == 200
        refused = client.get("/v1/choices")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
        assert refused.headers["retry-after"] == "1"
        going.set()
        assert {one.result().status_code for one in looking} == {200}
        assert client.get("/v1/choices").status_code == 200
    engine.close()


def test_one_who_waits_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, going = shop(), threading.Event()
    monkeypatch.setattr(store_of(engine), "recent_users", lambda most: [] if going.wait(30) else None)
    with TestClient(create_app(engine, deadline=0.05)) as client:
        late = client.get("/v1/users")
        assert (late.status_code, late.json()["error"]["code"]) == (503, "overloaded")
        going.set()
        assert client.get("/v1/users").json() == {"users": []}
