"""A network and session neighbours in one: what it has learned, and what people did in sessions like this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from segue.errors import ArtifactError, ConfigError
from segue.models.base import Event, Model, Query, SessionRule, State
from segue.models.neighbours import Neighbours
from segue.shapes import Array, Bools, Doubles, Floats, Ints

PARTS = ("network", "neighbours")


class Mix:
    """Two distributions over the catalog, added up; scores are the logarithm of the sum.

    p(i)     = w softmax(x)(i) + (1 - w) votes(i) / sum of votes        x: the network's scores
    score(i) = log p(i) + log sum exp x - log w
             = log(exp x(i) + (1 - w) / w sum exp x votes(i) / sum of votes)

    The two terms added to log p are the same for all items, so that they change no rank; with them an item without
    a vote keeps the network's very score, and equal votes are told apart by the network. Where nobody votes the
    network ranks alone, as it does at w = 1. At w = 0 scores are those of the neighbours.

    Khandelwal, Levy, Jurafsky, Zettlemoyer and Lewis, "Generalization through memorization: nearest neighbor
    language models", ICLR 2020, section 2 (the interpolation). Deviations: neighbours are sessions that share items
    (see `Neighbours`), not histories near by in the network's own space; their votes are made a distribution by
    their sum, since they are no distances. After a ranking loss the softmax is no estimate of a probability: the
    weight chosen on validation makes up for its sharpness in part.

    Args:
        n_items: N.
        rule: when a session is over, for both parts.
        weight: w, the network's share, 0 to 1.
        network: what `Network` needs besides, or one that is ready (an `Exported` one, too).
        neighbours: what `Neighbours` needs besides, or some that are ready.
    """

    kind: ClassVar[str] = "mix"
    knows_strangers: ClassVar[bool] = False

    def __init__(
        self,
        n_items: int,
        *,
        rule: SessionRule,
        weight: float = 0.5,
        network: Model | Mapping[str, Any] | None = None,
        neighbours: Neighbours | Mapping[str, Any] | None = None,
    ) -> None:
        if not 0 <= weight <= 1:
            raise ConfigError(f"`weight` is {weight}, expected the network's share, 0 to 1")
        self.n_items, self.rule, self.weight = n_items, rule, weight
        self.network: Any = new_network(n_items, rule, network or {}) if is_settings(network) else network
        self.neighbours = (
            neighbours if isinstance(neighbours, Neighbours) else Neighbours(n_items, rule=rule, **neighbours or {})
        )

    @property
    def parts(self) -> dict[str, Model]:
        """Both models by name."""
        return {"network": self.network, "neighbours": self.neighbours}

    def initial_state(self, batch_size: int) -> State:
        """Both states under one clock: `network.output`, `neighbours.last`, ..."""
        return joined({name: part.initial_state(batch_size) for name, part in self.parts.items()})

    def step(self, event: Event, state: State) -> State:
        """Absorb one event a row."""
        return joined({name: part.step(event, part_of(state, name)) for name, part in self.parts.items()})

    def scan(self, events: Event, starts: Bools, state: State) -> tuple[Query, State]:
        """`step` along time, each part in its own way."""
        scanned = {name: part.scan(events, starts, part_of(state, name)) for name, part in self.parts.items()}
        queries = {name: query for name, (query, _) in scanned.items()}
        return queries, joined({name: last for name, (_, last) in scanned.items()})

    def query(self, state: State, now: Doubles | None = None) -> Query:
        """The queries of both parts by name."""
        return {name: part.query(part_of(state, name), now) for name, part in self.parts.items()}

    def score(self, query: Query, candidates: Ints | None = None) -> Floats:
        """(B, C) the logarithm of the mixture, but for a number that is the same in a row."""
        if self.weight == 0:
            return self.neighbours.score(query["neighbours"], candidates)
        scores: Floats = self.network.score(query["network"])
        if self.weight < 1:
            for row, last in zip(scores, query["neighbours"].tolist(), strict=True):
                self.add_votes(row, self.neighbours.votes([item for item in last if item >= 0]))
        return scores if candidates is None else scores[:, candidates]

    def add_votes(self, row: Floats, votes: Doubles) -> None:
        """Lift the items that have a vote, in place."""
        voted = np.flatnonzero(votes > 0)
        if len(voted):
            share = votes[voted] / votes[voted].sum()
            row[voted] = np.logaddexp(row[voted], log_sum_exp(row) + np.log((1 - self.weight) / self.weight * share))

    def exported(self) -> bytes:
        """The step of the network as an ONNX graph."""
        graph: bytes = self.network.exported()
        return graph

    def item_vectors(self) -> Floats:
        """(N, D) those of the network."""
        vectors: Floats = self.network.item_vectors()
        return vectors

    def settings(self) -> dict[str, Any]:
        """The weight, and what each part needs."""
        return {"weight": self.weight, **{name: part.settings() for name, part in self.parts.items()}}

    def arrays(self) -> dict[str, Array]:
        """What both parts learned: `network.table`, `neighbours.counts`, ..."""
        return {f"{name}.{key}": array for name, part in self.parts.items() for key, array in part.arrays().items()}

    def load_arrays(self, arrays: dict[str, Array]) -> None:
        """Take over what both learned. Raises ArtifactError where a name or shape does not fit."""
        for name, part in self.parts.items():
            try:
                part.load_arrays(of_part(arrays, name))
            except ArtifactError as error:
                # every such message names the array first, as the part knows it
                raise ArtifactError(str(error).replace("`", f"`{name}.", 1)) from None


def is_settings(network: object) -> bool:
    """Whether it is what a network is made from, and not one that is ready."""
    return network is None or isinstance(network, Mapping)


def new_network(n_items: int, rule: SessionRule, settings: Any) -> Model:
    """A network to be trained, or to take over what one learned; loads PyTorch."""
    from segue.models.network import Network

    return Network(n_items, rule=rule, **settings)


def log_sum_exp(row: Floats) -> float:
    """The logarithm of the sum of the exponentials; sums are formed in float64."""
    most = row.max()
    return float(most) + float(np.log(np.exp(row - most).sum(dtype=np.float64)))


def joined(states: Mapping[str, State]) -> State:
    """The states of the parts under flat names, with one `time`."""
    flat = {f"{name}.{key}": array for name, state in states.items() for key, array in state.items() if key != "time"}
    return {"time": states[PARTS[0]]["time"], **flat}


def part_of(state: State, name: str) -> State:
    """The state of one part."""
    return {"time": state["time"], **of_part(state, name)}


def of_part(arrays: Mapping[str, Array], name: str) -> dict[str, Array]:
    """The arrays of one part, under the names it knows them by."""
    return {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}
