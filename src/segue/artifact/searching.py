"""The index of a model over a large catalog: made when it is saved, with queries such as will come."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from segue.models.base import Event, Model
from segue.ranking.index import LARGE, Index, restored
from segue.ranking.indexing import build
from segue.rng import stream
from segue.shapes import Floats

Factors = Callable[[], tuple[Floats, Floats]]
"""What a factored model gives: vectors (N, D) and biases (N,)."""

QUERIES, EVENTS = 64, 4
"""So many sessions of random items, with a query after each of so many events."""


def index_of(model: Model) -> Index | None:
    """An index, if the catalog is large, scores are inner products, and one is accurate enough."""
    factors: Factors | None = getattr(model, "factors", None)
    if factors is None or model.n_items <= LARGE:
        return None
    vectors, bias = factors()
    return build(vectors, bias, queries_of(model))


def queries_of(model: Model) -> Floats:
    """(Q, D) queries of the model after short sessions of random items."""
    rng, state, queries = stream(1, "index"), model.initial_state(QUERIES), []
    for number in range(EVENTS):
        item = rng.integers(0, model.n_items, QUERIES).astype(np.int32)
        time, opens = np.full(QUERIES, 1.6e9 + 30 * number), np.full(QUERIES, number == 0)
        state = model.step(Event(item, time, opens), state)
        queries.append(np.asarray(model.query(state), np.float32))
    return np.concatenate(queries)


def index_from(model: Model, content: bytes | None) -> Index | None:
    """The index of a saved model. Raises ValueError where it is not this model's."""
    factors: Factors | None = getattr(model, "factors", None)
    if content is None or factors is None:
        return None
    vectors, bias = factors()
    return restored(vectors, bias, content)
