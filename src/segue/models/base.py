"""What everything that scores the catalog after an event must offer: networks and baselines alike."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from segue.data.sessions import Moment, opens_session
from segue.shapes import Array, Bools, Doubles, Floats, Ints

State = dict[str, Array]
"""What a model remembers: named arrays, each (B, ...). Always with `time` (B,), of the last event, nan for none."""

Query = Any
"""What is matched with the catalog, B rows: (B, D) in factored models, else known to the model alone."""


class Event(NamedTuple):
    """B events at once, or (T, B) of them along time.

    Attributes:
        item: item indices; -1 for an item outside the catalog.
        time: Unix seconds.
        opens: True where the event opens a session.
        features: (..., F) what else is known of it, for a model that reads it; zeros, and None, where nothing is.
    """

    item: Ints
    time: Doubles
    opens: Bools
    features: Floats | None = None

    def at(self, where: Any) -> Event:
        """Some of them, by any index that numpy takes."""
        some = self.item[where], self.time[where], self.opens[where]
        return Event(*some, None if self.features is None else self.features[where])


class SessionRule(NamedTuple):
    """When a session is over and what happens then; it travels with the model.

    Attributes:
        gap: the pause in seconds above which a session is over; None: it never is.
        at_session_start: `reset` (to the initial state) or `mark` (keep the state, feed the boundary).
    """

    gap: float | None = None
    at_session_start: str = "reset"

    @property
    def resets(self) -> bool:
        """Whether a new session begins at the initial state."""
        return self.at_session_start == "reset"


class Model(Protocol):
    """Scores the catalog after an event. State goes in and comes out; nothing is changed in place."""

    kind: ClassVar[str]
    n_items: int
    rule: SessionRule

    def initial_state(self, batch_size: int) -> State:
        """The state before any event, for B rows."""

    def step(self, event: Event, state: State) -> State:
        """Absorb one event a row. Session starts are the caller's business: see `advance`."""

    def scan(self, events: Event, starts: Bools, state: State) -> tuple[Query, State]:
        """`step` along time: queries (T, B, ...) after each event, and the last state. Equal to `fold`."""

    def query(self, state: State, now: Doubles | None = None) -> Query:
        """What to match with the catalog, for a request at `now` (B,), if that is known."""

    def score(self, query: Query, candidates: Ints | None = None) -> Floats:
        """(B, C), higher is better, for the candidates (C,), by default for the whole catalog (B, N)."""

    def settings(self) -> dict[str, Any]:
        """What the constructor needs besides `n_items` and `rule`, as plain values."""

    def arrays(self) -> dict[str, Array]:
        """What was learned."""

    def load_arrays(self, arrays: dict[str, Array]) -> None:
        """Take over what was learned. Raises ArtifactError where a name or shape does not fit."""


def rows_where(mask: Bools, chosen: State, other: State) -> State:
    """Row by row the one state or the other."""
    return {
        name: np.where(mask.reshape(-1, *[1] * (other[name].ndim - 1)), chosen[name], other[name]) for name in other
    }


def rows_at(state: State, rows: Array) -> State:
    """The state of some rows."""
    return {name: array[rows] for name, array in state.items()}


def advance(model: Model, event: Event, starts: Bools, state: State) -> State:
    """One event a row, from the initial state where `starts` is true."""
    if starts.any():
        state = rows_where(starts, model.initial_state(len(starts)), state)
    return model.step(event, state)


def at_request(model: Model, state: State, now: Doubles | None) -> State:
    """The state a request at `now` sees: if an event then would open a session, the one after that opening."""
    if now is None or not model.rule.resets:
        return state
    opening = opens_session(Moment(state["time"]), Moment(np.asarray(now)), model.rule.gap)
    if not np.any(opening):
        return state
    return rows_where(np.asarray(opening), model.initial_state(len(state["time"])), state)


def fold(model: Model, events: Event, starts: Bools, state: State) -> tuple[Query, State]:
    """The plain form of `scan`: one step after another."""
    queries = []
    for place, start in enumerate(starts):
        state = advance(model, events.at(place), start, state)
        queries.append(model.query(state))
    return stack(queries), state


def stack(queries: list[Query]) -> Query:
    """Queries of T steps as one, (T, B, ...)."""
    if isinstance(queries[0], dict):
        return {name: np.stack([q[name] for q in queries]) for name in queries[0]}
    return np.stack(queries)


def pick(query: Query, where: Any) -> Query:
    """Some rows of a query, by any index that numpy takes."""
    return {name: array[where] for name, array in query.items()} if isinstance(query, dict) else query[where]
