"""A new model takes over while the server runs; a broken one is refused, and the old one goes on."""

from __future__ import annotations

import gc
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from segue.artifact.current import CURRENT
from segue.artifact.home import checked, publish, roll_back
from segue.cli import run
from segue.disk import replace_file
from segue.errors import ArtifactError
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.fold import refold
from segue.serving.store.base import Store
from segue.serving.store.memory import MemoryStore
from segue.serving.store.sqlite import SqliteStore
from segue.serving.swap import Watcher, first
from segue.serving.upkeep import Upkeep
from serving_models import ITEMS, assert_same_memory, engine_of, fading_bundle, memory_of, until
from versions import saved


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    found: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "store.db")
    yield found
    found.close()


def test_after_a_swap_answers_are_those_of_the_new_model_over_all_that_happened(store: Store) -> None:
    engine = engine_of(store)
    engine.observe([LiveEvent(f"u{n}", ITEMS[n % 8], float(t)) for n in range(9) for t in range(3)])
    engine.swap(fading_bundle(version="v2", gap=None))
    found = engine.recommend(user_id="u3", timestamp=5.0)
    assert found.model_version == "v2"
    assert found.state_version == 3
    assert_same_memory(memory_of(store, "u3"), refold(engine.bundle, store.history("u3")))
    assert store.versions() == {"v1": 8, "v2": 1}
    engine.swap(fading_bundle())  # roll back: what the old one made is warm still
    assert engine.recommend(user_id="u4", timestamp=5.0).model_version == "v1"
    assert store.versions() == {"v1": 8, "v2": 1}


def test_states_of_the_same_core_are_taken_over_as_they_are(store: Store) -> None:
    engine = engine_of(store)
    engine.observe([LiveEvent(f"u{n}", ITEMS[n % 8], float(t)) for n in range(9) for t in range(3)])
    before = {f"u{n}": memory_of(store, f"u{n}") for n in range(9)}
    engine.warm = 1.0
    engine.swap(fading_bundle(version="v2", core_version="v1"))
    assert engine.warm == 1
    found = engine.recommend(user_id="u3", timestamp=5.0)
    assert found.model_version == "v2"
    assert engine.shards[0].tally.refolds == 0
    engine.observe([LiveEvent("u3", ITEMS[0], 9.0)])
    assert store.versions() == {"v1": 9}
    for user in ("u4", "u5"):
        assert_same_memory(memory_of(store, user), before[user])
    engine.swap(fading_bundle(version="v3"))
    assert engine.warm == 0
    engine.recommend(user_id="u3", timestamp=9.5)
    assert engine.shards[0].tally.refolds == 1
    assert store.versions() == {"v1": 8, "v3": 1}


def test_states_that_are_folded_anew_together_are_those_folded_alone(store: Store) -> None:
    engine = engine_of(store)
    rng = np.random.default_rng(1)
    for n in range(30):
        engine.observe([LiveEvent(f"u{n}", ITEMS[rng.integers(8)], 70.0 * t) for t in range(rng.integers(1, 9))])
    engine.swap(fading_bundle(version="v2"))
    assert engine.shards[0].renew([f"u{n}" for n in range(30)]) == 30
    for n in range(30):
        assert_same_memory(memory_of(store, f"u{n}"), refold(engine.bundle, store.history(f"u{n}")))


def test_the_share_of_warm_states_is_told(store: Store) -> None:
    engine = engine_of(store)
    engine.observe([LiveEvent(f"u{n}", "i1", 1.0) for n in range(120)])
    keeping = Upkeep(engine, seconds=0.01)
    until(lambda: engine.states == 120)
    assert engine.warm == 1
    engine.swap(fading_bundle(version="v2"))
    assert engine.warm == 0
    until(lambda: engine.warm == 1)
    keeping.close()
    assert store.versions() == {"v2": 120}


def test_a_late_order_stays_that_of_the_policy() -> None:
    engine = engine_of()
    engine.swap(fading_bundle(order="time", version="v2"))
    assert engine.bundle.memory_version == "v2"


def home_of(tmp_path: Path, *seeds: int) -> tuple[Path, list[str]]:
    home = tmp_path / "home"
    return home, [publish(saved(tmp_path / f"m{seed}", seed=seed), home).version for seed in seeds]


def test_a_watched_home_swaps_goes_back_and_refuses_what_is_broken(tmp_path: Path) -> None:
    home, (one,) = home_of(tmp_path, 1)
    engine = Engine(first(home)[0], MemoryStore(), threads=True)
    watcher = Watcher(engine, home, seconds=0.01)
    two = publish(saved(tmp_path / "m2", seed=2), home).version
    until(lambda: engine.bundle.version == two)
    roll_back(home)
    until(lambda: engine.bundle.version == one)
    shutil.copytree(home / two, home / "broken")
    (home / "broken" / "catalog.json").unlink()
    replace_file(home / CURRENT, b'{"version": "broken"}')
    until(lambda: engine.refused is not None)
    assert engine.refused is not None
    assert engine.refused.version == "broken"
    assert "catalog.json" in engine.refused.message
    assert engine.bundle.version == one
    assert engine.recommend(items=["item 1"]).model_version == one
    replace_file(home / CURRENT, b"no json")
    until(lambda: engine.refused is not None and engine.refused.version == "unknown")
    (home / CURRENT).unlink()
    until(lambda: engine.refused is not None and "is missing" in engine.refused.message)
    replace_file(home / CURRENT, f'{{"version": "{two}"}}'.encode())
    until(lambda: engine.bundle.version == two)
    assert engine.refused is None
    watcher.close()
    engine.close()


def test_a_broken_version_is_tried_once_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, (one, two) = home_of(tmp_path, 1, 2)
    tried: list[Path] = []

    def refusing(folder: Path) -> None:
        tried.append(folder)
        raise MemoryError

    engine = Engine(Bundle.of(checked(home / one)), MemoryStore())
    monkeypatch.setattr("segue.serving.swap.checked", refusing)
    watcher = Watcher(engine, home, seconds=60)
    watcher.look()
    watcher.look()
    watcher.close()
    assert tried == [home / two]
    assert engine.refused is not None
    assert "MemoryError" in engine.refused.message
    publish(home / two, home)
    monkeypatch.undo()
    watcher.look()
    assert engine.bundle.version == two, "one that is published again is tried again"
    assert engine.refused is None


def test_a_model_that_cannot_be_asked_is_refused_and_the_watcher_goes_on(tmp_path: Path) -> None:
    home, (one, two) = home_of(tmp_path, 1, 2)
    bundle = Bundle.of(checked(home / one))
    engine = Engine(bundle, MemoryStore())
    watcher = Watcher(engine, home, seconds=0.01)
    until(lambda: engine.bundle.version == two)
    swap = engine.swap
    engine.swap = lambda _: 1 / 0  # type: ignore[method-assign]
    roll_back(home)
    until(lambda: engine.refused is not None)
    engine.swap = swap  # type: ignore[method-assign]
    publish(home / one, home)
    until(lambda: engine.bundle.version == one)
    watcher.close()


def test_the_model_that_was_served_first_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By `segue serve`, which must not hold it for as long as it runs."""
    home, (_, two) = home_of(tmp_path, 1, 2)
    roll_back(home)
    alive: list[bool] = []

    def serving(engine: Engine, **_: object) -> None:
        model = weakref.ref(engine.bundle.model)
        publish(home / two, home)
        until(lambda: engine.bundle.version == two)
        gc.collect()
        alive.append(model() is not None)

    monkeypatch.setattr("segue.web.serve.serve", serving)
    assert run(["serve", str(home)]) == 0
    assert alive == [False]


def test_a_server_begins_with_the_last_version_that_is_whole(tmp_path: Path) -> None:
    home, (one, two) = home_of(tmp_path, 1, 2)
    assert first(home)[0].version == two
    (home / two / "model.safetensors").write_bytes(b"")
    artifact, refused = first(home)
    assert artifact.version == one
    assert [(each.version, "model.safetensors" in each.message) for each in refused] == [(two, True)]
    shutil.rmtree(home / one)
    with pytest.raises(ArtifactError, match=r"no version can serve.*model\.safetensors"):
        first(home)


class Asking(threading.Thread):
    """Asks with an event, again and again; keeps what was answered."""

    def __init__(self, address: str, number: int) -> None:
        super().__init__()
        self.address, self.number, self.ending = address, number, threading.Event()
        self.answers: list[tuple[int, str, set[str]]] = []
        self.sent = 0

    def run(self) -> None:
        with httpx.Client(timeout=60) as client:
            while not self.ending.is_set():
                self.sent += 1
                event = {"item_id": f"item {self.sent % 12}", "timestamp": float(self.sent), "event_id": str(self.sent)}
                body = {"user_id": f"u{self.number}", "event": event, "k": 20, "timestamp": float(self.sent)}
                answer = client.post(f"{self.address}/v1/recommend", json=body)
                told = answer.json() if answer.status_code == 200 else {}
                items = {item["item_id"] for item in told.get("items", ())}
                self.answers.append((answer.status_code, told.get("model_version", ""), items))


def test_hot_swap_and_roll_back_under_load_cost_no_request(tmp_path: Path) -> None:
    """The two models have other catalogs: an answer that mixed them would show."""
    home = tmp_path / "home"
    one = publish(saved(tmp_path / "m1", items=12), home).version
    server = subprocess.Popen(
        [sys.executable, "-m", "segue", "serve", str(home), "--port", "0", "--store", str(tmp_path / "store")],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        address = server.stderr.readline().rpartition(" ")[2].strip()
        asking = [Asking(address, number) for number in range(3)]
        for thread in asking:
            thread.start()
        two = publish(saved(tmp_path / "m2", items=15, seed=2), home).version
        expected = {one: {f"item {n}" for n in range(12)}, two: {f"item {n}" for n in range(15)}}
        wait_for(address, two)
        time.sleep(0.3)
        roll_back(home)
        wait_for(address, one)
        for thread in asking:
            thread.ending.set()
        for thread in asking:
            thread.join()
        ready = httpx.get(f"{address}/health/ready").json()
        assert (ready["version"], "refused" in ready) == (one, False)
        for thread in asking:
            assert {status for status, _, _ in thread.answers} == {200}
            told = [version for _, version, _ in thread.answers]
            assert {one, two} == set(told)
            for _, version, items in thread.answers:
                assert items <= expected[version]
            assert set().union(*(items for _, version, items in thread.answers if version == two)) - expected[one]
            user = httpx.get(f"{address}/v1/users/u{thread.number}").json()
            assert (user["events"], user["last_seq"]) == (thread.sent, thread.sent)
    finally:
        server.send_signal(signal.SIGTERM)
        _, said = server.communicate(timeout=60)
        assert server.returncode == 0
        assert f"version {two} serves, after {one}" in said


def wait_for(address: str, version: str) -> None:
    """Wait until a version serves and all states are its own."""
    for _ in range(600):
        ready = httpx.get(f"{address}/health/ready").json()
        if (ready["version"], ready["warm"]) == (version, 1.0):
            return
        time.sleep(0.1)
    pytest.fail(f"version {version} does not serve: {ready}")
