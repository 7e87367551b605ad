"""Items whose content is like that of what the user just had: what a network that reads content must beat."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from segue.models.base import Event, Query, SessionRule, State, at_request, fold
from segue.models.counts import clock
from segue.shapes import Array, Bools, Doubles, Floats, Ints


class ContentNeighbours:
    """Scores an item by the cosine between its content and the mean content of the last m items.

    score(i) = <c(i), mean of c(j) over the last m items j>,    with c(i) of length 1, or 0 where nothing is known of i

    The length of the mean is the same for all items, so the order is that of the cosine. Unknown items are skipped.
    Nothing is learned, and it is no model to be saved.

    Args:
        numbers: (N, C) of the items.
        last: m.
    """

    kind: ClassVar[str] = "content_neighbours"

    def __init__(self, numbers: Floats, *, rule: SessionRule, last: int) -> None:
        length = np.linalg.norm(numbers, axis=1, keepdims=True)
        self.content: Floats = (numbers / np.maximum(length, np.float32(1e-12))).astype(np.float32)
        self.n_items, self.rule, self.last = len(numbers), rule, last

    def initial_state(self, batch_size: int) -> State:
        """`items` (B, m): the last known ones, -1 for none yet."""
        return {"time": clock(batch_size), "items": np.full((batch_size, self.last), -1, np.int32)}

    def step(self, event: Event, state: State) -> State:
        """Absorb one event a row."""
        item = np.asarray(event.item, np.int32)[:, None]
        moved = np.concatenate([state["items"][:, 1:], item], axis=1)
        return {"time": np.array(event.time, np.float64), "items": np.where(item >= 0, moved, state["items"])}

    def scan(self, events: Event, starts: Bools, state: State) -> tuple[Query, State]:
        """`step` along time."""
        return fold(self, events, starts, state)

    def query(self, state: State, now: Doubles | None = None) -> Query:
        """(B, C) the mean content of the last items."""
        items = at_request(self, state, now)["items"]
        known = items >= 0
        read = self.content[np.maximum(items, 0)] * known[..., None]
        mean: Floats = (read.sum(axis=1) / np.maximum(known.sum(axis=1, keepdims=True), 1)).astype(np.float32)
        return mean

    def score(self, query: Query, candidates: Ints | None = None) -> Floats:
        """(B, M) for the candidates (M,), by default for all items."""
        scores: Floats = query @ (self.content if candidates is None else self.content[candidates]).T
        return scores

    def settings(self) -> dict[str, Any]:
        """How many items are looked at."""
        return {"last": self.last}

    def arrays(self) -> dict[str, Array]:
        """The content (N, C)."""
        return {"content": self.content}

    def load_arrays(self, arrays: dict[str, Array]) -> None:
        """Take over the content."""
        self.content = arrays["content"]
