"""Popularity: the same list for everyone."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from segue.data import spill
from segue.data.sessions import Sequences
from segue.models.base import Event, Query, SessionRule, State, fold
from segue.models.counts import clock, known_events, same_for_all, taken
from segue.shapes import Array, Bools, Doubles, Floats, Ints


class Popularity:
    """Scores an item by the number of its training events.

    score(i) = |{e : item(e) = i}|

    Exact in float32 up to 2^24 events an item.
    """

    kind: ClassVar[str] = "popularity"
    GRID: ClassVar[dict[str, tuple[Any, ...]]] = {}

    def __init__(self, n_items: int, *, rule: SessionRule) -> None:
        self.n_items = n_items
        self.rule = rule
        self.counts = np.zeros(n_items, np.int64)

    def fit(self, sequences: Sequences, *, cutoff: float | None = None) -> Self:
        """Count the events of a training log that are to be predicted; `cutoff` makes no difference."""
        self.counts = spill.counted(known_events(sequences, self.n_items).predicted.item, self.n_items)
        return self

    def initial_state(self, batch_size: int) -> State:
        """Only `time`: nothing is remembered."""
        return {"time": clock(batch_size)}

    def step(self, event: Event, state: State) -> State:
        """Absorb one event a row: its time."""
        return {"time": np.array(event.time, np.float64)}

    def scan(self, events: Event, starts: Bools, state: State) -> tuple[Query, State]:
        """`step` along time."""
        return fold(self, events, starts, state)

    def query(self, state: State, now: Doubles | None = None) -> Query:
        """(B, 0): there is nothing to match."""
        return np.zeros((len(state["time"]), 0), np.float32)

    def score(self, query: Query, candidates: Ints | None = None) -> Floats:
        """(B, C) the same row for each query."""
        return same_for_all(self.counts, len(query), candidates)

    def settings(self) -> dict[str, Any]:
        """None."""
        return {}

    def arrays(self) -> dict[str, Array]:
        """The counts (N,)."""
        return {"counts": self.counts}

    def load_arrays(self, arrays: dict[str, Array]) -> None:
        """Take over the counts. Raises ArtifactError where they do not fit."""
        self.counts = taken(arrays, {"counts": (np.int64, self.n_items)})["counts"]
