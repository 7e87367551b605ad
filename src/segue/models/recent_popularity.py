"""Popularity of late: the same list for everyone, old events counting less."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from segue.data import spill
from segue.data.sessions import Sequences
from segue.errors import ConfigError
from segue.models.base import Event, Query, SessionRule, State, fold
from segue.models.counts import Known, clock, known_events, same_for_all, taken
from segue.shapes import Array, Bools, Doubles, Floats, Ints


class RecentPopularity:
    """Scores an item by its training events, each halved with every half-life between it and the cutoff.

    score(i) = log2 of the sum over events e of i of 2^(-(cutoff - time(e)) / h),  h = half_life * span

    where the span runs from the first training event to the cutoff. The logarithm keeps the order, and keeps
    items of many half-lives ago apart in float32; an item without events comes last. All items fade alike, so
    the order of the list is the same at every later moment.

    Where a log has an order but no times, `time` is a place in the user's own order: h is a number of events.

    Args:
        n_items: N.
        rule: carried along; it makes no difference.
        half_life: as a share of the training span.
    """

    kind: ClassVar[str] = "recent_popularity"
    GRID: ClassVar[dict[str, tuple[Any, ...]]] = {"half_life": (0.01, 0.03, 0.1, 0.3)}

    def __init__(self, n_items: int, *, rule: SessionRule, half_life: float = 0.1) -> None:
        if not half_life > 0:
            raise ConfigError(f"`half_life` is {half_life}, expected a share of the training span above 0, such as 0.1")
        self.n_items = n_items
        self.rule = rule
        self.half_life = half_life
        self.recent = np.zeros(n_items, np.float64)

    def fit(self, sequences: Sequences, *, cutoff: float | None = None) -> Self:
        """Count the events of a training log up to `cutoff`, by default the time of its last event."""
        known = known_events(sequences, self.n_items).predicted
        bounds = [(part.min(), part.max()) for b in spill.blocks(len(known.time)) for part in [known.time[b]]]
        end = float(max(high for _, high in bounds)) if cutoff is None else cutoff
        half_life = self.half_life * (end - float(min(low for low, _ in bounds)))
        self.recent = decayed_counts(known, self.n_items, end, half_life if half_life > 0 else 1.0)
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
        return same_for_all(self.recent, len(query), candidates)

    def settings(self) -> dict[str, Any]:
        """The half-life."""
        return {"half_life": self.half_life}

    def arrays(self) -> dict[str, Array]:
        """The logarithms of the decayed counts (N,)."""
        return {"recent": self.recent}

    def load_arrays(self, arrays: dict[str, Array]) -> None:
        """Take over the decayed counts. Raises ArtifactError where they do not fit."""
        self.recent = taken(arrays, {"recent": (np.float64, self.n_items)})["recent"]


def decayed_counts(known: Known, n_items: int, cutoff: float, half_life: float) -> Doubles:
    """(N,) log2 of the decayed count; one below the lowest for an item without events.

    Each item is summed relative to its own last event, so that no power of two underflows.
    """
    last = np.full(n_items, -np.inf)
    for block in spill.blocks(len(known.item)):
        np.maximum.at(last, known.item[block], known.time[block])
    sums = np.zeros(n_items)
    for block in spill.blocks(len(known.item)):
        item = known.item[block]
        # one after another, so that the last bits of a sum do not depend on the blocks
        np.add.at(sums, item, np.exp2((known.time[block] - last[item]) / half_life))
    for column in known[:3]:
        spill.release(column)
    seen = sums > 0
    scores = np.full(n_items, np.nan)
    scores[seen] = (last[seen] - cutoff) / half_life + np.log2(sums[seen])
    return np.where(seen, scores, scores[seen].min() - 1)
