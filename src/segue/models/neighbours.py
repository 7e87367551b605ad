"""Session neighbours: what people clicked in recent sessions like this one."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from segue.data.sessions import Moment, Sequences, opens_session
from segue.errors import ConfigError
from segue.models.base import Event, Query, SessionRule, State, fold
from segue.models.counts import clock, known_events, popularity_order
from segue.models.session_index import MATCH_REACH, SessionIndex
from segue.shapes import Array, Bools, Doubles, Floats, Ints


class Neighbours:
    """VMIS-kNN: the training sessions most like the evolving session s vote for their items.

    similarity(n) = sum over distinct items of s in n of p / |s|   p: the item's last place in s, 1..|s|
    match(n)      = max(0, 1 - x / 10)                             x: steps from the end to the latest of them
    score(i)      = sum over neighbours n with i of similarity(n) match(n) log(|sessions| / |sessions with i|)

    s are the last `clicks` known items of the session; x is 1 for the last. Of the training sessions with an
    item of s the `sessions` most recent are looked at, and the `neighbours` most similar of them vote; ties
    go to the more recent, then to the one laid out later.

    Kersbergen, Sprangers and Schelter, "Serenade: low-latency session-based recommendation in e-commerce at
    scale", SIGMOD 2022 (VMIS-kNN). Deviations: items without a vote rank below all others, by popularity,
    between -1 and 0; sums are formed in whole numbers, so that equal votes tie exactly in whatever order. Where not
    all events are to be predicted, similarity is by all of them, and i stands in n only as one that is.

    Args:
        n_items: N.
        rule: when a session is over. A new session forgets the clicks before it, also with `mark`.
        sessions: the most recent training sessions to look at.
        neighbours: the most similar of them, which vote.
        clicks: L, the length of the evolving session; from the tenth click back none counts as a match.
        idf: False leaves out the logarithm.
    """

    kind: ClassVar[str] = "sknn"
    GRID: ClassVar[dict[str, tuple[Any, ...]]] = {
        "sessions": (500, 1000, 5000),
        "neighbours": (50, 100, 500),
        "clicks": (2, 5, 10),
    }
    UNFITTED: ClassVar[frozenset[str]] = frozenset({"neighbours", "clicks"})
    """What of the grid `fit` does not look at: models that differ in these alone may share an index."""

    def __init__(
        self,
        n_items: int,
        *,
        rule: SessionRule,
        sessions: int = 500,
        neighbours: int = 100,
        clicks: int = 2,
        idf: bool = True,
    ) -> None:
        for name, value in {"sessions": sessions, "neighbours": neighbours, "clicks": clicks}.items():
            if value < 1:
                raise ConfigError(f"`{name}` is {value}, expected a whole number of at least 1")
        self.n_items = n_items
        self.rule = rule
        self.sessions = sessions
        self.neighbours = neighbours
        self.clicks = clicks
        self.idf = idf
        self._use(SessionIndex.empty(n_items))

    def _use(self, index: SessionIndex) -> None:
        self._index = index
        self._floor = popularity_order(index.counts) - 1
        rarity = np.log(max(index.n_sessions, 1) / np.maximum(index.spread, 1))
        self._value = rarity if self.idf else np.ones(self.n_items)

    def fit(self, sequences: Sequences, *, cutoff: float | None = None) -> Self:
        """Index the sessions of a training log; `cutoff` makes no difference."""
        self._use(SessionIndex.of(known_events(sequences, self.n_items), self.n_items, sessions=self.sessions))
        return self

    def fit_like(self, other: Self) -> Self:
        """Share the index of a model of the same `sessions` that was fitted already."""
        self._use(other._index)
        return self

    def initial_state(self, batch_size: int) -> State:
        """`last` (B, L): the last known items of the session, newest last, -1 for none."""
        return {"time": clock(batch_size), "last": np.full((batch_size, self.clicks), -1, np.int32)}

    def step(self, event: Event, state: State) -> State:
        """Absorb one event a row. An event that opens a session forgets the clicks before it."""
        last = np.where(event.opens[:, None], np.int32(-1), state["last"])
        moved = np.concatenate([last[:, 1:], event.item[:, None]], axis=1)
        last = np.where((event.item >= 0)[:, None], moved, last).astype(np.int32)
        return {"time": np.array(event.time, np.float64), "last": last}

    def scan(self, events: Event, starts: Bools, state: State) -> tuple[Query, State]:
        """`step` along time."""
        return fold(self, events, starts, state)

    def query(self, state: State, now: Doubles | None = None) -> Query:
        """(B, L) the evolving session; none of it if an event at `now` would open a session."""
        if now is None:
            return state["last"]
        opening = opens_session(Moment(state["time"]), Moment(np.asarray(now)), self.rule.gap)
        return np.where(opening[:, None], np.int32(-1), state["last"])

    def score(self, query: Query, candidates: Ints | None = None) -> Floats:
        """(B, C) the votes of the neighbours, popularity below them."""
        scores = np.empty((len(query), self.n_items if candidates is None else len(candidates)), np.float32)
        for b, last in enumerate(query.tolist()):
            votes = self.votes([item for item in last if item >= 0])
            row = np.where(votes > 0, votes, self._floor)
            scores[b] = row if candidates is None else row[candidates]
        return scores

    def votes(self, clicks: list[int]) -> Doubles:
        """(N,) the score of each item after these clicks, oldest first; 0 without a vote."""
        found, weights = self._index.neighbours(clicks, sessions=self.sessions, neighbours=self.neighbours)
        items, lengths = self._index.items_of.join(found)
        whole = np.bincount(items, np.repeat(weights, lengths), minlength=self.n_items)
        return whole * self._value / (max(len(clicks), 1) * MATCH_REACH)

    def settings(self) -> dict[str, Any]:
        """How many sessions, neighbours and clicks, and the logarithm."""
        return {
            "sessions": self.sessions,
            "neighbours": self.neighbours,
            "clicks": self.clicks,
            "idf": self.idf,
        }

    def arrays(self) -> dict[str, Array]:
        """The index of sessions."""
        return self._index.arrays()

    def load_arrays(self, arrays: dict[str, Array]) -> None:
        """Take over the index. Raises ArtifactError where it does not fit."""
        self._use(SessionIndex.loaded(arrays, self.n_items))
