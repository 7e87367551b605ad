"""The HTTP routes: what they answer, and how they refuse."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from litestar.testing import TestClient

from segue.errors import StoreError
from segue.serving.engine import Engine
from segue.web.app import create_app
from segue.web.messages import MAX_BODY_BYTES
from serving_models import ITEMS, engine_of, store_of


@pytest.fixture(scope="module")
def engine() -> Engine:
    return engine_of()


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[TestClient]:
    with TestClient(create_app(engine), raise_server_exceptions=False) as opened:
        yield opened


def test_an_event_is_stored_and_answered_from(client):
    event = {"user_id": "ann", "item_id": "i1", "timestamp": 50, "session_id": "s", "event_id": "e"}
    other = {**event, "event_id": "f", "item_id": "?"}
    assert client.post("/v1/events", json={"events": [event, event, other]}).json() == {
        "results": [
            {"seq": 1, "duplicate": False, "known_item": True},
            {"seq": 1, "duplicate": True, "known_item": True},
            {"seq": 2, "duplicate": False, "known_item": False},
        ]
    }
    client.post("/v1/events", json={"events": [{"user_id": "ann", "item_id": "i5", "timestamp": 60.5}]})
    answer = client.post("/v1/recommend", json={"user_id": "ann", "k": 2, "timestamp": 61}).json()
    assert len(answer.pop("request_id")) == 32
    score = answer["items"][0].pop("score"), answer["items"][1].pop("score")
    assert score == pytest.approx((10, 1), rel=1e-6)
    assert answer == {
        "model_version": "v1",
        "state_version": 3,
        "items": [
            {"item_id": "i6", "rank": 1, "source": "state", "title": "Title of i6"},
            {"item_id": "i5", "rank": 2, "source": "state", "title": "Title of i5"},
        ],
        "unknown_items": [],
    }


def test_items_are_answered_with_the_unknown_ones_named_and_untitled_items_without_title(client):
    answer = client.post("/v1/recommend", json={"items": ["nope", "i6"], "k": 1, "exclude": "seen"}).json()
    assert answer["unknown_items"] == ["nope"]
    assert [(item["item_id"], "title" in item) for item in answer["items"]] == [("i7", False)]


def test_categories_that_no_item_has_are_named(client):
    asked = {"user_id": "ann", "k": 2}
    assert "unknown_categories" not in client.post("/v1/recommend", json=asked).json()
    answer = client.post("/v1/recommend", json={**asked, "categories": ["Shoes", "Hats"]}).json()
    assert (answer["items"], answer["unknown_categories"]) == ([], ["Shoes", "Hats"])


@pytest.mark.parametrize("user_id", ["gil", "a/b", "/x//y/", "/", "//", "ä 日本 %41", "?q=1#f", "a\nb"])
def test_a_user_is_shown_and_forgotten(client, user_id):
    where = "/v1/users/" + quote(user_id, safe="")
    nothing = {"events": 0, "last_seq": 0, "last_time": None, "last_item": None, "model_version": None}
    assert client.get(where).json() == {"user_id": user_id, **nothing}
    events = [{"user_id": user_id, "item_id": "i1", "timestamp": t} for t in (50, 60)]
    client.post("/v1/events", json={"events": events})
    known = {"events": 2, "last_seq": 2, "last_time": 60.0, "last_item": "i1", "model_version": "v1"}
    assert client.get(where).json() == {"user_id": user_id, **known}
    assert client.delete(where).json() == {"user_id": user_id, "events": 2}
    assert client.delete(where).json() == {"user_id": user_id, "events": 0}
    assert client.get(where).json() == {"user_id": user_id, **nothing}


@pytest.mark.parametrize("path", ["/v1//users/{}", "/v1/%75sers/{}", "//v1/users/{}"])
def test_another_spelling_of_the_path_is_not_taken_for_a_user(client, path):
    event = {"user_id": "hal", "item_id": "i1", "timestamp": 50, "event_id": "e"}
    client.post("/v1/events", json={"events": [event]})
    assert client.delete(path.format("hal")).status_code in (404, 405)
    assert client.get("/v1/users/hal").json()["events"] == 1


def test_a_user_that_cannot_be_is_refused(client):
    assert_refused(client.get("/v1/users/%ff"), 400, "bad_request", None, "is not UTF-8")
    assert_refused(client.get("/v1/users/a%00b"), 400, "bad_request", None, "`user_id` is 'a\\x00b'")


def test_items_like_an_item_are_those_that_follow_where_there_are_no_vectors(client):
    answer = client.post("/v1/similar", json={"item_id": "i3", "k": 2}).json()
    assert [(item["item_id"], item["rank"], item["title"]) for item in answer["items"]] == [
        ("i4", 1, "Title of i4"),
        ("i0", 2, "Title of i0"),
    ]
    assert answer["model_version"] == "v1"
    assert_refused(
        client.post("/v1/similar", json={"item_id": "i33"}), 400, "bad_request", None, "not in the catalog of 8 items"
    )


def test_two_requests_have_two_ids(client):
    assert len({client.post("/v1/recommend", json={"user_id": "x"}).json()["request_id"] for _ in range(3)}) == 3


def test_health_says_what_serves(client):
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json() == {
        "name": "fading",
        "version": "v1",
        "n_items": len(ITEMS),
        "warm": 1.0,
        "status": "ready",
    }


def test_the_openapi_document_names_every_route_and_bound(client):
    described = client.get("/schema/openapi.json").json()
    routes = {path: sorted(operations) for path, operations in described["paths"].items()}
    assert routes == {
        "/health/live": ["get"],
        "/health/ready": ["get"],
        "/v1/choices": ["get"],
        "/v1/events": ["post"],
        "/v1/history": ["post"],
        "/v1/items": ["get", "post"],
        "/v1/model": ["get"],
        "/v1/recommend": ["post"],
        "/v1/similar": ["post"],
        "/v1/users": ["get"],
        "/v1/users/{user_id}": ["delete", "get"],
    }
    searched = described["paths"]["/v1/items"]["get"]
    assert [(one["name"], one["in"], one["required"]) for one in searched["parameters"]] == [
        ("search", "query", False),
        ("k", "query", False),
    ]
    assert searched["parameters"][1]["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert described["paths"]["/v1/users/{user_id}"]["get"]["parameters"][0]["name"] == "user_id"
    schemas = described["components"]["schemas"]
    assert schemas["EventMessage"]["additionalProperties"] is False
    assert schemas["RecommendMessage"]["properties"]["k"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 1000,
        "default": 10,
    }
    shared = {"200", "400", "401", "429", "503"}
    assert set(described["paths"]["/v1/events"]["post"]["responses"]) == shared | {"408", "409", "413"}
    assert set(described["paths"]["/v1/users/{user_id}"]["delete"]["responses"]) == shared
    assert set(described["paths"]["/health/live"]["get"]["responses"]) == {"200"}
    assert described["paths"]["/v1/events"]["post"]["security"] == [{"key": []}, {}]


def test_the_page_on_serving_names_every_route(client):
    page = (Path(__file__).parents[1] / "docs" / "serving.md").read_text("utf-8")
    rows = re.findall(r"^\| (`GET .*|`POST .*|`DELETE .*)$", page, re.M)
    named = {(method, path) for row in rows for method, path in re.findall(r"`(GET|POST|DELETE) ([^`?]+)[^`]*`", row)}
    described = client.get("/schema/openapi.json").json()["paths"]
    assert {(method.upper(), path) for path, of in described.items() for method in of} <= named


BAD_RECOMMENDATIONS = [
    (b"", 400, "malformed_json", None, "the body is empty"),
    (b"{", 400, "malformed_json", None, "not JSON"),
    (b'{"user_id": "u"} x', 400, "malformed_json", None, "byte 18"),
    (b'{"user_id": "\xff"}', 400, "malformed_json", None, "UTF-8"),
    (b'{"user_id": "\\ud800"}', 400, "malformed_json", None, "not JSON"),
    (b'{"user_id": "u", "timestamp": NaN}', 400, "malformed_json", None, "not JSON"),
    (b"[" * 100_000, 400, "invalid_message", None, "expected `object`"),
    (b"null", 400, "invalid_message", None, "the body: expected `object`"),
    (b'{"user_id": 5}', 400, "invalid_message", "user_id", "got `int`"),
    (b'{"user_id": ""}', 400, "invalid_message", "user_id", "length >= 1"),
    (b'{"user_id": "' + b"u" * 1025 + b'"}', 400, "invalid_message", "user_id", "length <= 1024"),
    (b'{"user_id": "u", "top": 3}', 400, "invalid_message", "top", "unknown field"),
    (b'{"user_id": "u", "k": "3"}', 400, "invalid_message", "k", "expected `int`, got `str`"),
    (b'{"user_id": "u", "k": 3.5}', 400, "invalid_message", "k", "expected `int`"),
    (b'{"user_id": "u", "k": true}', 400, "invalid_message", "k", "got `bool`"),
    (b'{"user_id": "u", "k": 0}', 400, "invalid_message", "k", ">= 1"),
    (b'{"user_id": "u", "k": 1001}', 400, "invalid_message", "k", "<= 1000"),
    (b'{"user_id": "u", "timestamp": -1}', 400, "invalid_message", "timestamp", ">= 0"),
    (b'{"user_id": "u", "timestamp": 1e999}', 400, "invalid_message", "timestamp", "out of range"),
    (b'{"user_id": "u", "timestamp": 1700000000000}', 400, "invalid_message", "timestamp", "milliseconds"),
    (b'{"user_id": "u", "exclude": "all"}', 400, "invalid_message", "exclude", "none, current, seen"),
    (b'{"items": ["i1", ""]}', 400, "invalid_message", "items[1]", "length >= 1"),
    (b'{"items": [' + b'"i",' * 1000 + b'"i"]}', 400, "invalid_message", "items", "length <= 1000"),
    (b"{}", 400, "bad_request", None, "exactly one"),
    (b'{"user_id": "u", "items": []}', 400, "bad_request", None, "exactly one"),
    (b'{"user_id": "u\\u0000"}', 400, "bad_request", None, "NUL"),
    (b" " * (MAX_BODY_BYTES + 1), 413, "too_large", None, "1048576 bytes"),
]


@pytest.mark.parametrize(
    ("body", "status", "code", "field", "message"),
    BAD_RECOMMENDATIONS,
    ids=[str(row[0][:40]) for row in BAD_RECOMMENDATIONS],
)
def test_a_bad_body_is_refused_with_what_and_where(client, body, status, code, field, message):
    answer = client.post("/v1/recommend", content=body)
    assert_refused(answer, status, code, field, message)


@pytest.mark.parametrize(
    ("events", "field", "message"),
    [
        ([], "events", "length >= 1"),
        ([{"user_id": "u", "item_id": "i"}] * 1001, "events", "length <= 1000"),
        ([{"user_id": "u"}], "events[0].item_id", "missing required field"),
        ([{"user_id": "u", "item_id": None}], "events[0].item_id", "got `null`"),
        ([{"user_id": "u", "item_id": "i", "weight": 1}], "events[0].weight", "unknown field"),
        (
            [{"user_id": "u", "item_id": "i"}, {"user_id": "u", "item_id": "i", "timestamp": 1.7e12}],
            "events[1].timestamp",
            "milliseconds",
        ),
    ],
    ids=["none", "too many", "no item", "null item", "unknown field", "milliseconds"],
)
def test_bad_events_are_refused_with_what_and_where(client, engine, events, field, message):
    assert_refused(client.post("/v1/events", json={"events": events}), 400, "invalid_message", field, message)
    assert store_of(engine).history("u") == []


def assert_refused(answer, status, code, field, message):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    (error,) = answer.json().values()
    assert error["code"] == code
    assert error.get("field") == field
    assert message in error["message"]
    assert "Traceback" not in answer.text


def test_an_event_id_used_twice_is_a_conflict(client):
    event = {"user_id": "bob", "item_id": "i1", "event_id": "e"}
    client.post("/v1/events", json={"events": [event]})
    other = {**event, "item_id": "i2"}
    answer = client.post("/v1/events", json={"events": [other, {**event, "event_id": "f"}]})
    refused, stored = answer.json()["results"]
    assert answer.status_code == 409
    assert (refused["seq"], refused["refused"]) == (0, "conflict")
    assert "is that of another event of this user (number 1, item 'i1')" in refused["message"]
    assert stored == {"seq": 2, "duplicate": False, "known_item": True}


def test_an_event_comes_with_a_request_and_counts_in_its_answer(client):
    event = {"item_id": "i3", "timestamp": 50, "event_id": "e"}
    asked = {"user_id": "cat", "k": 1, "timestamp": 50, "event": event}
    for duplicate in (False, True):
        answer = client.post("/v1/recommend", json=asked).json()
        assert answer["event"] == {"seq": 1, "duplicate": duplicate, "known_item": True}
        assert [item["item_id"] for item in answer["items"]] == ["i4"]
        assert answer["state_version"] == 1
    conflict = client.post("/v1/recommend", json={**asked, "event": {**event, "item_id": "i7", "user_id": "cat"}})
    assert conflict.status_code == 200
    assert (conflict.json()["event"]["refused"], conflict.json()["items"][0]["item_id"]) == ("conflict", "i4")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"items": ["i1"], "event": {"item_id": "i1"}}, "`event` is given without `user_id`"),
        ({"user_id": "dan", "event": {"item_id": "i1", "user_id": "eve"}}, "expected the user of the request, 'dan'"),
        ({"user_id": "dan", "event": {"item_id": "a\0"}}, "`event.item_id` is"),
    ],
)
def test_an_event_that_is_not_the_users_is_refused(client, engine, asked, message):
    assert_refused(client.post("/v1/recommend", json=asked), 400, "bad_request", None, message)
    assert store_of(engine).history("dan") == []


def test_a_body_sent_in_pieces_is_measured_too(client):
    answer = client.post("/v1/recommend", content=(b" " * 2**16 for _ in range(17)))
    assert_refused(answer, 413, "too_large", None, "1048576 bytes")


@pytest.mark.parametrize("path", ["/v1", "/v1/users/", "/schema/swagger", "/%00", "/a%0Ab"])
def test_an_unknown_path_is_not_found(client, path):
    assert_refused(client.get(path), 404, "not_found", None, "/schema/openapi.json")


def test_a_wrong_method_is_refused_with_the_right_ones(client):
    answer = client.get("/v1/recommend")
    assert_refused(answer, 405, "method_not_allowed", None, "does not answer GET")
    assert "POST" in answer.headers["allow"]


def test_a_store_that_fails_is_told_without_its_path(client, engine, monkeypatch, caplog):
    def fail(*_):
        raise StoreError("cannot write to /secret/place")

    monkeypatch.setattr(store_of(engine), "load", fail)
    answer = client.post("/v1/recommend", json={"user_id": "u"})
    assert_refused(answer, 503, "store_unavailable", None, "see the server's log")
    assert "secret" not in answer.text
    assert "/secret/place" in caplog.text


def test_a_defect_is_logged_and_told_without_its_cause(client, engine, monkeypatch, caplog):
    monkeypatch.setattr(engine.bundle.model, "score", lambda query: 1 / 0)
    with caplog.at_level(logging.ERROR):
        answer = client.post("/v1/recommend", json={"user_id": "u"})
    assert_refused(answer, 500, "internal", None, "its log says how")
    assert "ZeroDivisionError" not in answer.text
    assert "ZeroDivisionError" in caplog.text
