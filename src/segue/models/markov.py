"""First-order Markov chain: what followed the current item."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from segue.data import spill
from segue.data.sessions import Sequences
from segue.models.base import Event, Query, SessionRule, State, at_request, fold
from segue.models.counts import Lists, clock, known_events, latest_item, popularity_order, taken
from segue.models.transitions import Transitions
from segue.shapes import Array, Bools, Doubles, Floats, Ints


class Markov:
    """Scores an item by how often it came right after the current one, within a training session.

    score(j | i) = |{e : item(e) = i, item(e + 1) = j, same session}| + popularity_order(j) / 2

    The second part is below 1/2: it never reorders two counts (exact in float32 up to 2^22), and it ranks by
    popularity where counts tie, so also where nothing is known about i. With L distinct popularities, float32
    keeps these apart up to a count of 2^22 / L, which is thousands in a log of a million events.
    Unknown items are skipped, in training and after. With `mark` the item before a boundary stays usable.
    """

    kind: ClassVar[str] = "markov"
    GRID: ClassVar[dict[str, tuple[Any, ...]]] = {}

    def __init__(self, n_items: int, *, rule: SessionRule) -> None:
        self.n_items = n_items
        self.rule = rule
        self.counts = np.zeros(n_items, np.int64)
        self.next = Lists.empty(n_items)
        self.times_next = np.zeros(0, np.int64)
        self._floor = np.zeros(n_items)

    def fit(self, sequences: Sequences, *, cutoff: float | None = None) -> Self:
        """Count the transitions of a training log to what is to be predicted; `cutoff` makes no difference."""
        known = known_events(sequences, self.n_items)
        self.next, self.times_next = Transitions.of(known, self.n_items)
        self.counts = spill.counted(known.predicted.item, self.n_items)
        self._floor = popularity_order(self.counts) / 2
        return self

    def initial_state(self, batch_size: int) -> State:
        """`item` (B,): the last known item, -1 for none yet."""
        return {"time": clock(batch_size), "item": np.full(batch_size, -1, np.int32)}

    def step(self, event: Event, state: State) -> State:
        """Absorb one event a row."""
        return {"time": np.array(event.time, np.float64), "item": latest_item(event, state)}

    def scan(self, events: Event, starts: Bools, state: State) -> tuple[Query, State]:
        """`step` along time."""
        return fold(self, events, starts, state)

    def query(self, state: State, now: Doubles | None = None) -> Query:
        """(B,) the current item."""
        return at_request(self, state, now)["item"]

    def score(self, query: Query, candidates: Ints | None = None) -> Floats:
        """(B, C) transition counts, popularity below them."""
        scores = np.empty((len(query), self.n_items if candidates is None else len(candidates)), np.float32)
        for b, item in enumerate(query.tolist()):
            row = self._floor.copy()
            if item >= 0:
                place = self.next.place(item)
                row[self.next.values[place]] += self.times_next[place]
            scores[b] = row if candidates is None else row[candidates]
        return scores

    def settings(self) -> dict[str, Any]:
        """None."""
        return {}

    def arrays(self) -> dict[str, Array]:
        """Item counts, and for each item those that followed it with their counts."""
        return {
            "counts": self.counts,
            "next_bounds": self.next.bounds,
            "next_items": self.next.values,
            "next_counts": self.times_next,
        }

    def load_arrays(self, arrays: dict[str, Array]) -> None:
        """Take over the counts. Raises ArtifactError where they do not fit."""
        expected = {"counts": (np.int64, self.n_items), "next_bounds": (np.int64, self.n_items + 1)}
        items = taken(arrays, {"next_items": (np.int32, None)})["next_items"]
        found = taken(arrays, {**expected, "next_counts": (np.int64, len(items))})
        self.next = Lists.checked("next", found["next_bounds"], items, self.n_items)
        self.times_next = found["next_counts"]
        self.counts = found["counts"]
        self._floor = popularity_order(self.counts) / 2
