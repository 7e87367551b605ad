"""Keys, rates, deadlines, counts and logs: what stands before the routes."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Request
from litestar.testing import TestClient

from segue.errors import ConfigError, SegueError
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.store.memory import MemoryStore
from segue.web import decoding
from segue.web.app import create_app
from segue.web.counts import Counts
from segue.web.guard import Guard
from segue.web.keys import Keys, add_key, hash_of
from segue.web.logs import Lines
from segue.web.serve import Access, check_reach
from serving_models import engine_of, store_of


class Clock:
    """A time that one sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def client_of(engine: Engine, **guard: Any) -> TestClient[Any]:
    counts = Counts(engine)
    return TestClient(Guard(create_app(engine, counts=counts), counts=counts, **guard), raise_server_exceptions=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def test_without_a_known_key_nothing_but_health_is_answered(file: Path) -> None:
    key = add_key(file, "shop")
    with client_of(engine_of(), keys=Keys(file)) as client:
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {key}"}, {"Authorization": key}):
            for path in ("/v1/users/u", "/metrics", "/schema/openapi.json", "/nowhere"):
                answer = client.get(path, headers=headers)
                assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
                assert answer.headers["www-authenticate"] == "Bearer"
        assert client.get("/health/live").status_code == 200
        assert client.get("/v1/users/u", headers={"Authorization": f"bearer {key}"}).status_code == 200


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8000", "LOCALHOST:8000", "localhost.", "[::1]:8000", "127.9.9.9"]
)
def test_without_keys_what_is_meant_for_this_machine_is_answered(host: str) -> None:
    with client_of(engine_of(), local=True) as client:
        assert client.get("/v1/users", headers={"Host": host}).status_code == 200
        own = {"Host": host, "Origin": f"http://{host.lower()}"}
        assert client.post("/v1/history", json={"user_id": "u"}, headers=own).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::2]", ""]
)
def test_without_keys_a_name_that_is_not_this_machines_is_refused(host: str) -> None:
    with client_of(engine_of(), local=True) as client:
        for path in ("/v1/users", "/metrics", "/"):
            answer = client.get(path, headers={"Host": host.encode("latin-1")})
            assert (answer.status_code, answer.json()["error"]["code"]) == (421, "other_host")
            assert repr(host) in answer.json()["error"]["message"]
            assert "--keys" in answer.json()["error"]["message"]
        assert client.get("/health/live", headers={"Host": host.encode("latin-1")}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://localhost:8000", "http://localhost:3000", ""]
)
def test_without_keys_what_a_page_of_a_stranger_sends_is_not_stored(origin: str) -> None:
    engine = engine_of()
    body = json.dumps({"events": [{"user_id": "u", "item_id": "i1"}]})
    with client_of(engine, local=True) as client:
        headers = {"Host": "localhost:8000", "Origin": origin, "Content-Type": "text/plain"}
        answer = client.post("/v1/events", content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "other_origin")
        assert client.get("/v1/users/u", headers={"Host": "localhost"}).json()["events"] == 0
    with client_of(engine) as client:  # with keys, or where all may ask
        assert client.post("/v1/events", content=body, headers=headers).status_code == 200


def test_a_file_keeps_hashes_and_only_its_owner_reads_it(file: Path) -> None:
    first, second = add_key(file, "shop", 5), add_key(file, "app")
    text = file.read_text()
    assert first != second
    assert first not in text
    assert hash_of(first) in text
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigError, match="has a key `app` already"):
        add_key(file, "app")
    with pytest.raises(ConfigError, match="rate of -1"):
        add_key(file, "other", -1)
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no keys: make one with `segue key"),
        ("key = 3", "cannot be read as a file of keys"),
        ("[[key]]\nname = 'a'", "cannot be read as a file of keys.*sha256"),
        ("[[key]]\nname = 'a'\nsha256 = 'secret'", "the `sha256` of key `a` is no hash"),
        (f"[[key]]\nname = 'a'\nsha256 = '{'0' * 64}'\nrate = 0", "the `rate` of key `a` is 0"),
        (f"[[key]]\nname = 'a'\nsha256 = '{'0' * 64}'\n" * 2, "two keys have one name"),
    ],
)
def test_a_file_that_is_none_is_refused(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        Keys(file)
    with pytest.raises(ConfigError, match="cannot be read as a file of keys"):
        Keys(file.with_name("missing"))


def test_a_rate_is_kept_to_by_each_key_alone(file: Path) -> None:
    slow, other = add_key(file, "slow", 2), add_key(file, "other")
    clock = Clock()
    with client_of(engine_of(), keys=Keys(file, clock)) as client:

        def status(key: str) -> int:
            return int(client.get("/v1/users/u", headers={"Authorization": f"Bearer {key}"}).status_code)

        assert [status(slow) for _ in range(3)] == [200, 200, 429]
        assert [status(other) for _ in range(9)] == [200] * 9
        answer = client.get("/v1/users/u", headers={"Authorization": f"Bearer {slow}"})
        assert (answer.json()["error"]["code"], answer.headers["retry-after"]) == ("too_many", "1")
        clock.now += 0.5
        assert [status(slow) for _ in range(2)] == [200, 429]
        clock.now += 99
        assert [status(slow) for _ in range(3)] == [200, 200, 429], "what is not used does not pile up"


def test_counts_tell_requests_and_what_became_of_events() -> None:
    engine = engine_of()
    with client_of(engine) as client:
        event = {"user_id": "u", "item_id": "i1", "event_id": "e"}
        client.post("/v1/events", json={"events": [event, event, {**event, "item_id": "i2"}]})
        client.post("/v1/recommend", json={"user_id": "u"})
        client.get("/v1/users/someone")
        client.get("/made/up")
        answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    for line in (
        'segue_requests_total{route="/v1/events",status="409"} 1.0',
        'segue_requests_total{route="/v1/users/{user_id}",status="200"} 1.0',
        'segue_requests_total{route="other",status="404"} 1.0',
        'segue_request_seconds_count{route="/v1/recommend"} 1.0',
        'segue_events_total{became="stored"} 1.0',
        'segue_events_total{became="duplicate"} 1.0',
        'segue_events_total{became="conflict"} 1.0',
        "segue_answers_total 1.0",
        "segue_waiting 0.0",
        "segue_states 0.0",
        'segue_model{name="fading",version="v1"} 1.0',
    ):
        assert line in lines
    assert "someone" not in answer.text
    assert "made" not in answer.text


def test_each_request_is_a_line_without_the_user(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = add_key(file, "shop")
    with (
        caplog.at_level(logging.INFO, "segue.web.requests"),
        client_of(engine_of(), keys=Keys(file), logged=True) as client,
    ):
        client.get("/v1/users/anna", headers={"Authorization": f"Bearer {key}"})
        client.get("/v1/users/anna")
    lines = [json.loads(Lines().format(record)) for record in caplog.records if record.name == "segue.web.requests"]
    assert [(line["route"], line["status"], line.get("key")) for line in lines] == [
        ("/v1/users/{user_id}", 200, "shop"),
        ("/v1/users/{user_id}", 401, None),
    ]
    assert all(line["ms"] >= 0 and line["time"].endswith("+00:00") for line in lines)
    assert "anna" not in str(lines)
    assert key not in str(lines)


def test_an_error_has_its_trace_in_its_line() -> None:
    try:
        raise ZeroDivisionError("of the test")
    except ZeroDivisionError as error:
        trace = (type(error), error, error.__traceback__)
    line = json.loads(Lines().format(logging.LogRecord("segue", logging.ERROR, "", 0, "it %s", ("failed",), trace)))
    assert (line["level"], line["message"]) == ("error", "it failed")
    assert "ZeroDivisionError: of the test" in line["trace"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_other_machines_need_a_key_or_someones_word(host: str, file: Path) -> None:
    with pytest.raises(SegueError, match="may be reached from other machines, and there are no keys"):
        check_reach(host, Access())
    add_key(file, "shop")
    check_reach(host, Access(keys=Keys(file)))
    check_reach(host, Access(open=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_needs_none(host: str) -> None:
    check_reach(host, Access())


class Slow(MemoryStore):
    """Commits once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()

    def commit(self, changes: Any) -> None:
        self.may.wait(10)
        super().commit(changes)


@pytest.fixture
def stuck() -> Iterator[tuple[Engine, Slow]]:
    store = Slow()
    engine = engine_of(store, threads=True)
    yield engine, store
    store.may.set()
    engine.close()


def test_what_takes_too_long_is_given_up_and_what_was_not_begun_is_not_done(stuck: tuple[Engine, Slow]) -> None:
    engine, store = stuck
    with TestClient(create_app(engine, deadline=0.05)) as client:
        for user in "uvw":
            answer = client.post("/v1/events", json={"events": [{"user_id": user, "item_id": "i1"}]})
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "overloaded")
            assert answer.headers["retry-after"] == "1"
    store.may.set()
    engine.observe([LiveEvent("x", "i1")])
    assert store_of(engine).users() == ["u", "x"], "the first was under way"


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BODY_SECONDS", 0.01)

    async def slow(_: Any) -> bytes:
        await asyncio.sleep(5)
        return b"{}"

    monkeypatch.setattr(Request, "body", slow)
    with client_of(engine_of()) as client:
        answer = client.post("/v1/recommend", json={"user_id": "u"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "slow_body")
