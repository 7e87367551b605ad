"""A small model whose answers depend on order, pauses and session starts; the serving tests share it."""

import time
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

from segue.data.ids import Ids
from segue.models.base import Event, SessionRule, at_request, fold
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.policy import Policy
from segue.serving.store.base import Memory, Store, Stores
from segue.serving.store.memory import MemoryStore

NOW = 1_000_000.0
ITEMS = [f"i{place}" for place in range(8)]


class Fading:
    """Scores an item by how often it came, faded by pauses; 10 more for the one after the last, in a ring."""

    kind: ClassVar[str] = "fading"

    def __init__(self, n_items: int, *, rule: SessionRule) -> None:
        self.n_items = n_items
        self.rule = rule

    def initial_state(self, batch_size: int) -> dict[str, Any]:
        return {
            "time": np.full(batch_size, np.nan),
            "weight": np.zeros((batch_size, self.n_items), np.float32),
            "last": np.full(batch_size, -1, np.int32),
        }

    def step(self, event: Event, state: dict[str, Any]) -> dict[str, Any]:
        pause = np.nan_to_num(event.time - state["time"])
        assert (pause >= 0).all()
        weight = state["weight"] * np.exp(-pause / 100).astype(np.float32)[:, None]
        known = np.flatnonzero(event.item >= 0)
        weight[known, event.item[known]] += 1
        # where sessions open is remembered, so that a wrong opening shows
        weight[:, 0] += np.where(event.opens, np.float32(0.001), 0)
        return {"time": np.array(event.time), "weight": weight, "last": np.array(event.item)}

    def scan(self, events: Event, starts: Any, state: dict[str, Any]) -> Any:
        return fold(self, events, starts, state)

    def query(self, state: dict[str, Any], now: Any = None) -> Any:
        state = at_request(self, state, now)
        return {"weight": state["weight"], "last": state["last"]}

    def score(self, query: Any, candidates: Any = None) -> Any:
        scores = query["weight"].copy()
        known = np.flatnonzero(query["last"] >= 0)
        scores[known, (query["last"][known] + 1) % self.n_items] += 10
        return scores if candidates is None else scores[:, candidates]

    def settings(self) -> dict[str, Any]:
        return {}

    def arrays(self) -> dict[str, Any]:
        return {}

    def load_arrays(self, arrays: dict[str, Any]) -> None:
        assert not arrays


def fading_bundle(*, gap: float | None = 100, at_session_start: str = "reset", **settings: Any) -> Bundle:
    model = Fading(len(ITEMS), rule=SessionRule(gap, at_session_start))
    columns = {"title": [f"Title of {item}" for item in ITEMS[:-1]] + [None]}
    given = {"item_ids": Ids.of(ITEMS), "version": "v1", "name": "fading", "columns": columns} | settings
    return Bundle(model, **given)


def engine_of(
    store: Store | Stores | None = None, *, threads: bool = False, policy: Policy | None = None, **bundle: Any
) -> Engine:
    return Engine(fading_bundle(**bundle), store or MemoryStore(), threads=threads, policy=policy, clock=lambda: NOW)


def memory_of(store: Store, user_id: str) -> Memory:
    """What a store remembers of a user that it knows."""
    return store.load([user_id]).memories[user_id]


def store_of(engine: Engine) -> Store:
    """The store of an engine with one shard."""
    (shard,) = engine.shards
    return shard.store


def assert_same_memory(found: Memory, expected: Memory) -> None:
    assert found[:4] == expected[:4]
    assert {name: array.tobytes() for name, array in found.state.items()} == {
        name: array.tobytes() for name, array in expected.state.items()
    }


def until(what: Callable[[], bool]) -> None:
    """Wait for it, a minute at most."""
    for _ in range(6000):
        if what():
            return
        time.sleep(0.01)
    pytest.fail("it did not come")
