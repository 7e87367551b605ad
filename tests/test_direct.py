"""The short way to `/v1/recommend` answers what the framework's way answers, errors included."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from segue.serving.engine import Engine
from segue.web import decoding
from segue.web import direct as module
from segue.web.app import create_app
from segue.web.direct import ROUTE, Direct
from segue.web.messages import MAX_BODY_BYTES
from serving_models import engine_of

GOOD = [
    {"user_id": "u"},
    {"user_id": "u", "k": 3, "timestamp": 9.0, "event": {"item_id": "i1", "timestamp": 5, "event_id": "e"}},
    {"user_id": "u", "k": 3, "event": {"item_id": "i1", "timestamp": 6, "event_id": "e"}},
    {"user_id": "u", "event": {"item_id": "?", "timestamp": 9e8}},
    {"items": ["i1", "i2", "?"], "exclude": "seen", "candidates": ["i3", "i4", "!"]},
    {"user_id": "nobody ☃", "categories": ["odd"]},
]
BAD: list[Any] = [
    b"",
    b"{",
    b"\xff",
    b"[]",
    b'{"user_id": "' + b"u" * MAX_BODY_BYTES + b'"}',
    {"user_id": 1},
    {"user_id": "u", "k": 0},
    {"user_id": "u", "kk": 1},
    {"user_id": "u", "items": ["i1"]},
    {"user_id": "a\0b"},
    {"items": ["i1"], "event": {"item_id": "i1"}},
    {"user_id": "u", "event": {"item_id": "i1", "user_id": "v"}},
    {"user_id": "u", "timestamp": 1e13},
]


def bytes_of(body: Any) -> bytes:
    return body if isinstance(body, bytes) else msgspec.json.encode(body)


@pytest.fixture
def both() -> Iterator[list[TestClient[Any]]]:
    """The framework's way, and the short one before it, each over an engine of its own."""
    engine = engine_of()
    direct: Any = Direct(create_app(engine), engine, 10.0)
    with TestClient(create_app(engine_of()), raise_server_exceptions=False) as plain, TestClient(direct) as short:
        yield [plain, short]


def seen(answer: Any) -> Any:
    content = answer.json()
    content.pop("request_id", None)
    return answer.status_code, content, answer.headers.get("content-type"), answer.headers.get("retry-after")


def test_good_and_bad_requests_are_answered_alike(both: list[TestClient[Any]]) -> None:
    for body in (*GOOD, *BAD):
        plain, short = (seen(client.post(ROUTE, content=bytes_of(body))) for client in both)
        assert short == plain, body if len(bytes_of(body)) < 1000 else "the large one"
        assert plain[0] == 200 if body in GOOD else plain[0] in (400, 413)
    for method in ("GET", "PUT"):
        plain, short = (seen(client.request(method, ROUTE)) for client in both)
        assert short == plain
    assert both[1].get("/health/live").status_code == 200


def test_only_what_is_good_goes_the_short_way() -> None:
    engine, went = engine_of(), []
    routes = create_app(engine)

    async def rest(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await routes(scope, receive, send)
            return
        went.append((await receive())["body"])
        await module.respond(send, 418, b"{}")

    with TestClient(Direct(rest, engine, 10.0)) as client:  # type: ignore[arg-type]
        assert [client.post(ROUTE, content=bytes_of(body)).status_code for body in GOOD] == [200] * len(GOOD)
        assert [client.post(ROUTE, content=bytes_of(body)).status_code for body in BAD] == [418] * len(BAD)
    assert went == [bytes_of(body) for body in BAD]


def closed(engine: Engine, _: pytest.MonkeyPatch) -> None:
    engine.close()


def broken(_: Engine, patch: pytest.MonkeyPatch) -> None:
    def defect(*_: Any) -> None:
        raise ZeroDivisionError

    patch.setattr("segue.web.app.recommend_answer", defect)
    patch.setattr(module, "recommend_answer", defect)


@pytest.mark.parametrize(("wrong", "status"), [(closed, 503), (broken, 500)])
def test_failures_are_answered_alike(
    wrong: Callable[[Engine, pytest.MonkeyPatch], None], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    for way in ("plain", "short"):
        engine = engine_of(threads=True)
        app: Any = create_app(engine) if way == "plain" else Direct(create_app(engine), engine, 10.0)
        with TestClient(app, raise_server_exceptions=False) as client:
            wrong(engine, monkeypatch)
            answers.append(seen(client.post(ROUTE, json={"user_id": "u"})))
        engine.close()
    assert answers[0] == answers[1]
    assert answers[1][0] == status


def test_a_body_in_parts_and_one_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of()
    app = Direct(create_app(engine), engine, 10.0)
    with TestClient(app) as client:  # type: ignore[arg-type]
        assert client.post(ROUTE, content=iter([b'{"user_id":', b' "u"}'])).status_code == 200
    monkeypatch.setattr(decoding, "BODY_SECONDS", 0.01)
    sent: list[Any] = []

    async def never() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({"type": "http", "path": ROUTE, "method": "POST"}, never, send))
    assert sent[0]["status"] == 408
    assert msgspec.json.decode(sent[1]["body"])["error"]["code"] == "slow_body"
