"""A server that is killed, again and again, under load: no acknowledged event is lost, none is stored twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import httpx
import pytest

from segue.errors import StoreError
from segue.serving.fold import refold
from segue.serving.store.base import walk
from segue.serving.store.folder import StoreFolder
from serving_models import ITEMS, assert_same_memory, fading_bundle, memory_of

SERVER = """
import sys
from serving_models import engine_of
from segue.serving.store.folder import StoreFolder
from segue.web.serve import serve

serve(engine_of(StoreFolder(sys.argv[1], shards=2), threads=True), port=0)
"""
CLIENTS, USERS = 3, 5
REPEATED = 0.2


class Client(threading.Thread):
    """Sends events of users of its own, one call after another, some of them again, until it is told to end."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number, self.address, self.ending = number, "", threading.Event()
        self.rng = random.Random(number)
        self.sent = 0
        self.acknowledged: dict[str, list[str]] = defaultdict(list)
        self.pending: list[dict[str, object]] = []
        self.wrong: list[object] = []

    def run(self) -> None:
        with httpx.Client(timeout=5) as client:
            while not self.ending.is_set():
                if not self.pending:
                    self.pending = [self.event() for _ in range(self.rng.randint(1, 4))]
                try:
                    self.send(client)
                except httpx.HTTPError:
                    time.sleep(0.02)  # the server was killed: the same again to its successor

    def event(self) -> dict[str, object]:
        self.sent += 1
        user = f"c{self.number} u{self.rng.randrange(USERS)}"
        return {"user_id": user, "item_id": self.rng.choice(ITEMS), "timestamp": self.sent, "event_id": f"e{self.sent}"}

    def send(self, client: httpx.Client) -> None:
        answer = client.post(f"{self.address}/v1/events", json={"events": self.pending})
        if answer.status_code != 200:
            self.wrong.append(answer.text)
            self.ending.set()
            return
        for event, result in zip(self.pending, answer.json()["results"], strict=True):
            known = self.acknowledged[str(event["user_id"])]
            if event["event_id"] in known:
                if not result["duplicate"] or known[result["seq"] - 1] != event["event_id"]:
                    self.wrong.append((event, result))
                continue
            known.append(str(event["event_id"]))
            if result["seq"] != len(known):
                self.wrong.append((event, result, len(known)))
        if self.rng.random() >= REPEATED:
            self.pending = []


def started(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """A server on a folder, and its address."""
    here = Path(__file__).parent
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, folder],
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": f"{here.parent / 'src'}:{here}"},
    )
    assert server.stderr is not None
    return server, server.stderr.readline().split()[-1]


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_kills_under_load_lose_no_acknowledged_event_and_store_none_twice(tmp_path: Path, kills: int) -> None:
    clients, rng = [Client(number) for number in range(CLIENTS)], random.Random(kills)
    server, address = started(tmp_path)
    try:
        for client in clients:
            client.address = address
            client.start()
        for _ in range(kills):
            time.sleep(rng.uniform(0.05, 0.5))
            with pytest.raises(StoreError, match=rf"in use \(process {server.pid}\)"):
                StoreFolder(tmp_path)
            server.send_signal(signal.SIGKILL)
            server.communicate(timeout=10)
            server, address = started(tmp_path)
            for client in clients:
                client.address = address
        time.sleep(0.2)
    finally:
        for client in clients:
            client.ending.set()
            client.join()
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=20)
    assert [client.wrong for client in clients] == [[]] * CLIENTS
    acknowledged = {user: ids for client in clients for user, ids in client.acknowledged.items()}
    assert sum(map(len, acknowledged.values())) >= 10 * kills
    home = StoreFolder(tmp_path)
    stored = {user: (store, store.history(user)) for store in home.stores for user in walk(store)}
    assert stored.keys() >= acknowledged.keys()
    for user, (store, history) in stored.items():
        ids = [event.event_id for event in history]
        assert ids[: len(acknowledged[user])] == acknowledged[user]
        assert [event.seq for event in history] == list(range(1, len(history) + 1))
        assert len(set(ids)) == len(ids)
        assert_same_memory(memory_of(store, user), refold(fading_bundle(), history))
    home.close()
