"""A Valkey server that is killed, or hangs: no answered event is lost, none is stored twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from segue.errors import OverloadedError, StoreError
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent, Observed
from segue.serving.store.base import UncertainError
from segue.serving.store.valkey import server as valkey_server
from segue.web.app import create_app
from serving_models import ITEMS, engine_of
from valkey_servers import (
    Replicas,
    assert_whole,
    program,
    replicas_in,
    store_in,
    stores_in,
    waited,
)


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replicas]:
    with replicas_in(tmp_path) as make:
        yield make


class Client(threading.Thread):
    """Sends events of one user, each again until it is answered."""

    def __init__(self, engine: Engine, user_id: str) -> None:
        super().__init__()
        self.engine, self.user_id, self.ending = engine, user_id, threading.Event()
        self.answered: list[tuple[str, Observed]] = []
        self.failures = 0

    def run(self) -> None:
        while not self.ending.is_set():
            event_id = f"e{len(self.answered)}"
            event = LiveEvent(self.user_id, ITEMS[len(self.answered) % 8], float(len(self.answered)), event_id=event_id)
            try:
                self.answered.append((event_id, self.engine.observe([event])[0]))
            except (StoreError, OverloadedError):
                self.failures += 1
                time.sleep(0.02)


@pytest.mark.parametrize("kills", [2, pytest.param(15, marks=pytest.mark.slow)])
def test_a_server_that_is_killed_and_started_again_has_every_answered_event(
    replica: Replicas, tmp_path: Path, kills: int
) -> None:
    server = program(tmp_path / "data")
    server.start(timeout=60)
    engines = [replica(server, threads=True), replica(server, threads=True)]
    clients = [Client(engines[n % 2], f"user {n}") for n in range(4)]
    for client in clients:
        client.start()
    try:
        for _ in range(kills):
            before = [len(client.answered) for client in clients]
            waited(lambda before=before: all(len(one.answered) > n + 5 for one, n in zip(clients, before, strict=True)))
            failed = [client.failures for client in clients]
            server.terminate()
            waited(lambda failed=failed: all(one.failures > n for one, n in zip(clients, failed, strict=True)))
            with pytest.raises(StoreError, match="see that the server runs"):
                engines[0].recommend(user_id="nobody")
            server.start(timeout=60)
        before = [len(client.answered) for client in clients]
        waited(lambda: all(len(one.answered) > n + 5 for one, n in zip(clients, before, strict=True)))
    finally:
        for client in clients:
            client.ending.set()
        for client in clients:
            client.join(60)
        server.terminate()
    server.start(timeout=60)
    store = store_in(tmp_path, server)
    for client in clients:
        ids = assert_whole(store, client.user_id)
        assert [event_id for event_id, _ in client.answered] == ids[: len(client.answered)]
        assert [observed.seq for _, observed in client.answered] == list(range(1, len(client.answered) + 1))
    store.close()
    server.terminate()


def test_while_the_server_is_away_requests_are_told_to_come_back(tmp_path: Path) -> None:
    server = program(tmp_path / "data")
    server.start(timeout=60)
    engine = engine_of(stores_in(tmp_path, server), threads=True)
    body = {"events": [{"user_id": "u", "item_id": "i1", "timestamp": 1.0, "event_id": "e"}]}
    with TestClient(create_app(engine)) as client:
        assert client.post("/v1/events", json=body).status_code == 200
        server.terminate()
        for answer in (client.post("/v1/events", json=body), client.post("/v1/recommend", json={"user_id": "u"})):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert answer.json()["error"]["code"] == "store_unavailable"
        server.start(timeout=60)
        assert client.post("/v1/events", json=body).json()["results"][0]["duplicate"] is True
        assert client.post("/v1/recommend", json={"user_id": "u"}).json()["state_version"] == 1
    engine.close()
    server.terminate()


def test_a_commit_that_a_hanging_server_makes_later_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server stops in the middle; what was sent to it, three times, waits and is done when it goes on."""
    monkeypatch.setattr(valkey_server, "ANSWER", 0.5)
    server = program(tmp_path / "data")
    server.start(timeout=60)
    (store,) = stores_in(tmp_path, server).stores
    engine, commit, pid = engine_of(store), store.commit, server._process.pid
    events = [LiveEvent("u", "i1", 1.0), LiveEvent("v", "i1", 1.0, event_id="e")]
    engine.observe(events)

    def hanging(changes: Any) -> None:
        os.kill(pid, signal.SIGSTOP)
        commit(changes)

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", hanging)
        with pytest.raises(UncertainError, match="it is not known whether this was stored"):
            engine.observe([LiveEvent("u", "i2", 2.0), LiveEvent("v", "i2", 2.0, event_id="f")])
    with pytest.raises(StoreError, match="cannot read"):
        engine.recommend(user_id="u")
    os.kill(pid, signal.SIGCONT)
    waited(lambda: answers(engine))
    assert engine.observe([LiveEvent("v", "i2", 2.0, event_id="f")]) == [Observed(2, True, True)]
    assert engine.observe([LiveEvent("u", "i3", 3.0)]) == [Observed(3, False, True)]
    assert assert_whole(store, "u") == ["None"] * 3
    assert assert_whole(store, "v") == ["e", "f"]
    engine.close()
    server.terminate()


def answers(engine: Engine) -> bool:
    try:
        return engine.about("u").result().events == 2
    except StoreError:
        return False


def test_one_who_asks_after_a_restart_does_not_notice_it(tmp_path: Path) -> None:
    server = program(tmp_path / "data")
    server.start(timeout=60)
    engine = engine_of(stores_in(tmp_path, server))
    engine.observe([LiveEvent("u", "i1", 1.0)])
    server.terminate()
    server.start(timeout=60)
    assert engine.observe([LiveEvent("u", "i2", 2.0)])[0].seq == 2
    engine.close()
    server.terminate()
