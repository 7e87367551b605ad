"""A log in a store: the states are those that the same events lead to live, the lists those of `recommend_users`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import segue
from api_log import QUICK, clicks
from segue.data.events import log_of
from segue.data.log import read_log
from segue.errors import ConfigError, StoreError
from segue.serving import backfill as module
from segue.serving.backfill import Backfilled, backfill
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.store.base import walk
from segue.serving.store.folder import StoreFolder
from segue.serving.store.memory import MemoryStore
from serving_models import ITEMS, assert_same_memory, engine_of, memory_of


def small_log(users: int = 30, **columns: Any) -> Any:
    rng = np.random.default_rng(4)
    rows = [
        (f"u{n}", str(rng.choice(ITEMS)), float(rng.integers(0, 500))) for n in range(users) for _ in range(n % 4 + 1)
    ]
    return log_of(*(list(column) for column in zip(*rows, strict=True)), **columns)


@pytest.mark.parametrize("rule", ["reset", "mark"])
def test_states_are_those_of_the_same_events_one_by_one(rule: str) -> None:
    log, store, live = small_log(), MemoryStore(), MemoryStore()
    assert backfill(engine_of(store, at_session_start=rule), log) == Backfilled(30, len(log), 0)
    one_by_one = engine_of(live, at_session_start=rule)
    for user, item, time in zip(log.user, log.item, log.time, strict=True):
        one_by_one.observe([LiveEvent(log.users[user], log.items[item], float(time))])
    assert list(walk(store)) == list(walk(live))
    for user in walk(store):
        assert store.history(user) == live.history(user)
        assert_same_memory(memory_of(store, user), memory_of(live, user))


def test_sessions_and_types_of_the_log_are_kept() -> None:
    events = len(small_log())
    log = small_log(session=np.arange(events, dtype=np.int32) // 2)
    store = MemoryStore()
    backfill(engine_of(store), log)
    stored = [event for user in walk(store) for event in store.history(user)]
    assert {event.session_id for event in stored} == {f"log {n}" for n in range((events + 1) // 2)}


def test_one_that_is_stopped_goes_on_and_a_known_user_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "USERS", 7)
    log, store, whole = small_log(), MemoryStore(), MemoryStore()
    engine_of(store).observe([LiveEvent("u3", "i1", 900.0)])
    commit, left = store.commit, [2]

    def stopping(changes: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise StoreError("stopped")
        commit(changes)

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", stopping)
        with pytest.raises(StoreError, match="stopped"):
            backfill(engine_of(store), log)
    assert 1 < store.count().users < 30
    seen: list[tuple[int, int]] = []
    found = backfill(engine_of(store), log, lambda *at: seen.append(at))
    assert (found.users + found.skipped, seen[-1]) == (30, (30, 30))
    backfill(engine_of(whole), log)
    for user in set(walk(whole)) - {"u3"}:
        assert store.history(user) == whole.history(user)
    assert [event.item_id for event in store.history("u3")] == ["i1"]
    assert backfill(engine_of(store), log) == Backfilled(0, 0, 30)


def test_a_log_without_times_is_refused() -> None:
    with pytest.raises(ConfigError, match="give a column of times"):
        backfill(engine_of(), replace(small_log(), timed=False))


@pytest.mark.parametrize("model", ["gru", "sknn"])
def test_a_backfilled_server_answers_what_recommend_users_answers(model: str, tmp_path: Path) -> None:
    segue.fit(clicks(), model=model, settings=QUICK).save(tmp_path / "model")
    recommender = segue.load(tmp_path / "model", light=True)
    log = read_log(clicks())
    engine = Engine(recommender.bundle, StoreFolder(tmp_path / "store", shards=2))
    backfill(engine, log)
    lists = recommender.recommend_users(clicks(), k=5)
    last = dict(zip(log.user.tolist(), log.time.tolist(), strict=True))
    for place, user in enumerate(log.users):
        ranked = engine.recommend(user_id=user, k=5, timestamp=last[place])
        expected = lists.filter(lists["user_id"] == user)
        assert [item for item, _ in ranked.items] == expected["item_id"].to_list()
        np.testing.assert_allclose([score for _, score in ranked.items], expected["score"], atol=1e-4)
    engine.close()
