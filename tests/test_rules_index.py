"""Rules where an index finds the candidates: the lists are those of the product with all items."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from segue.data.ids import Ids
from segue.models.base import Event, SessionRule
from segue.ranking.indexing import build
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.store.memory import MemoryStore

N, D = 3000, 16
IDS = [f"i{n}" for n in range(N)]
KIND = [f"k{n % 30}" for n in range(N)]


class Vectors:
    """Scores by an inner product with the vector of the last item; the items of a kind lie together."""

    kind: ClassVar[str] = "vectors"
    n_items, rule = N, SessionRule(None)

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        centres = rng.standard_normal((30, D))
        self.table = (centres[np.arange(N) % 30] + 0.5 * rng.standard_normal((N, D))).astype(np.float32)
        self.products = 0

    def initial_state(self, batch_size: int) -> dict[str, Any]:
        return {"time": np.full(batch_size, np.nan), "vector": np.zeros((batch_size, D), np.float32)}

    def step(self, event: Event, state: dict[str, Any]) -> dict[str, Any]:
        return {"time": np.array(event.time), "vector": self.table[event.item]}

    def query(self, state: dict[str, Any], now: Any = None) -> Any:
        return state["vector"]

    def score(self, query: Any, candidates: Any = None) -> Any:
        self.products += candidates is None
        return query @ (self.table if candidates is None else self.table[candidates]).T


@pytest.fixture(scope="module")
def engines() -> tuple[Engine, Engine]:
    """By an index and by the product."""
    model = Vectors()
    index = build(model.table, np.zeros(N, np.float32), model.table[:64])
    assert index is not None
    columns = {"categories": [[kind] for kind in KIND]}
    bundle = Bundle(model, Ids.of(IDS), "v1", "vectors", columns, index=index)  # type: ignore[arg-type]
    both = [Engine(one, MemoryStore(), clock=lambda: 1e9) for one in (bundle, replace(bundle, index=None))]
    return both[0], both[1]


def lists(engines: tuple[Engine, Engine], asked: dict[str, Any]) -> tuple[list[str], int]:
    """The list by the index, which is nearly that by the product, and how many products with all items it took."""
    model: Any = engines[0].bundle.model
    before = model.products
    found = engines[0].recommend(**asked)
    took = model.products - before
    exact = engines[1].recommend(**asked)
    assert len(found.items) == len(exact.items)
    assert len({*dict(found.items)} & {*dict(exact.items)}) >= 0.95 * len(exact.items)
    for item, score in found.items:
        assert score == pytest.approx(dict(exact.items).get(item, score), abs=1e-4)
    return [item for item, _ in found.items], took


def test_rules_of_few_items_are_answered_from_the_index(engines: tuple[Engine, Engine]) -> None:
    worst = min(engines[1].recommend(items=["i5"], k=N).items, key=lambda one: one[1])[0]
    assert worst not in dict(engines[1].recommend(items=["i5"], k=1000).items)
    rules = {
        "boost": [{"items": [worst, "i7"], "shift": 1000}],
        "bury": [{"items": ["i5"], "shift": 1000}],
        "pin": [{"item": "i11", "place": 4}],
        "deny": {"items": ["i35"]},
    }
    listed, took = lists(engines, {"items": ["i5"], "k": 20, "rules": rules})
    assert {*listed[:2]} == {worst, "i7"}
    assert listed[3] == "i11"
    assert not {"i5", "i35"} & {*listed}
    assert took == 0


def test_a_kind_that_fills_the_pool_is_buried_kept_apart_and_denied(engines: tuple[Engine, Engine]) -> None:
    asked = {"items": ["i5"], "k": 150}
    plain, took = lists(engines, asked)
    assert took == 0
    assert sum(KIND[IDS.index(item)] == "k5" for item in plain) >= 60
    for rules in ({"bury": [{"categories": ["k5"], "shift": 1000}]}, {"deny": {"categories": ["k5"]}}):
        listed, _ = lists(engines, asked | {"rules": rules})
        assert not any(KIND[IDS.index(item)] == "k5" for item in listed)
    listed, took = lists(engines, asked | {"k": 30, "rules": {"apart": [{"within": 29}]}})
    assert len({KIND[IDS.index(item)] for item in listed}) == 30
    assert took == 1
    listed, _ = lists(engines, asked | {"k": 31, "rules": {"apart": [{"within": 30}]}})
    assert len(listed) == 30
    allowed = {"allow": {"categories": ["k5"]}, "pin": [{"item": "i35", "place": 1}]}
    listed, _ = lists(engines, asked | {"rules": allowed})
    assert (len(listed), listed[0]) == (100, "i35")
