"""Items like an item."""

from __future__ import annotations

import time

import numpy as np

from segue.errors import RequestError, did_you_mean
from segue.ranking.top_k import Exclusions, top_k
from segue.serving.bundle import Bundle
from segue.serving.fold import refold
from segue.serving.lists.answer import answer, named
from segue.serving.lists.asks import Question
from segue.serving.store.base import StoredEvent

LONG, MANY = 100, 2_000
"""The nearest id is not looked for where an id is longer, or where there are more items: that takes too long."""


def similar_items(bundle: Bundle, item_id: str, k: int, *, at: float | None = None) -> list[tuple[str, float]]:
    """The k items nearest to one, without itself: by the cosine of item vectors; without these, what follows it.

    What the catalog says is not available is left out; the item itself need not be.

    Args:
        at: for this moment, in Unix seconds; None: the present.

    Raises:
        RequestError: the item is not in the catalog, or k is below 1.
    """
    if k < 1:
        raise RequestError(f"`k` is {k}; expected at least 1")
    place = bundle.item_ids.place_of(item_id)
    if place < 0:
        near = did_you_mean(item_id, bundle.item_ids) if len(item_id) < LONG and len(bundle.item_ids) <= MANY else ""
        raise RequestError(f"item `{item_id}` is not in the catalog of {len(bundle.item_ids):,} items{near}")
    vectors = getattr(bundle.model, "item_vectors", None)
    if vectors is None:
        memory = refold(bundle, [StoredEvent(1, item_id, 0.0)])
        return answer(bundle, Question(memory, None, k, [item_id], at=at)).items
    table = vectors()
    # Rows are not made of length 1 first: that would copy the table at each call.
    length = np.maximum(np.sqrt(np.einsum("nd,nd->n", table, table)), 1e-12)
    cosine = (table @ table[place] / (length * length[place])).astype(np.float32)
    available = bundle.facts.availability
    closed = np.zeros(0, np.int32) if available is None else available.closed(time.time() if at is None else at).items
    gone = np.append(closed, place)
    best, values = top_k(cosine[None], min(k, max(len(cosine) - 1, 1)), Exclusions(np.zeros(len(gone), np.int64), gone))
    return named(bundle, best[0], values[0])
