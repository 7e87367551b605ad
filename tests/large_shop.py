"""A catalog whose lists come from an index that finds what the product finds: fine codes, and many candidates.

Scores are the same to the last bit in both, so that lists can be compared item by item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from segue.data.ids import Ids
from segue.models.base import Event, SessionRule
from segue.ranking.index import Index, Quality
from segue.ranking.indexing import codes_of
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.store.memory import MemoryStore

N, D, KINDS, NOW = 3000, 16, 30, 1e9
IDS = [f"i{n}" for n in range(N)]
CATEGORIES = [[f"k{n % KINDS}", *(["even"] if n % 2 == 0 else [])] for n in range(N)]
BRANDS = [f"b{n % 7}" for n in range(N)]


class Vectors:
    """Scores by an inner product with the vector of the last item; the items of a kind lie together."""

    kind: ClassVar[str] = "vectors"
    n_items, rule = N, SessionRule(None)

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        centres = rng.standard_normal((KINDS, D))
        table = centres[np.arange(N) % KINDS] + 0.7 * rng.standard_normal((N, D))
        # few bits each: a score is the same in whatever order it is summed up
        self.table = (np.clip(np.rint(4 * table), -15, 15) / 8).astype(np.float32)
        self.bias = (rng.integers(-2048, 2048, N) / 4096).astype(np.float32)
        self.products = 0

    def initial_state(self, batch_size: int) -> dict[str, Any]:
        return {"time": np.full(batch_size, np.nan), "vector": np.zeros((batch_size, D), np.float32)}

    def step(self, event: Event, state: dict[str, Any]) -> dict[str, Any]:
        return {"time": np.array(event.time), "vector": self.table[event.item]}

    def query(self, state: dict[str, Any], now: Any = None) -> Any:
        return state["vector"]

    def score(self, query: Any, candidates: Any = None) -> Any:
        self.products += candidates is None
        if candidates is None:
            return query @ self.table.T + self.bias
        return query @ self.table[candidates].T + self.bias[candidates]

    def item_vectors(self) -> Any:
        return self.table


def index_of(model: Vectors, factor: int = 4) -> Index:
    """An index of one dimension a code: among so many candidates the best are all there."""
    codes = codes_of(model.table, model.bias, np.arange(N), 1)
    return Index(model.table, model.bias, codes, Quality(1.0, factor, 1))


def engines_of(**columns: Sequence[Any]) -> tuple[Engine, Engine]:
    """By an index and by the product."""
    model: Any = Vectors()
    columns = {"categories": CATEGORIES, "brand": BRANDS} | columns
    bundle = Bundle(model, Ids.of(IDS), "v1", "vectors", columns, index=index_of(model))
    both = [Engine(one, MemoryStore(), clock=lambda: NOW) for one in (bundle, replace(bundle, index=None))]
    return both[0], both[1]
