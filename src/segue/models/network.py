"""The recurrent network: an item table, a stack of cells, and the same table as the output layer."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segue.cells import CellState
from segue.cells.dropout import dropout
from segue.models.base import Event, SessionRule, State, at_request
from segue.models.content import Content
from segue.models.pauses import PAUSES, pause_sizes
from segue.models.stack import Stack
from segue.models.tensors import cells_of, checked, named, shared
from segue.models.unroll import unrolled
from segue.shapes import Array, Bools, Doubles, Floats, Ints

OF_STACK = ("cell", "block", "width", "layers", "front", "convolution", "feed_forward", "dropout")
SETTINGS = (*OF_STACK, "embedding_dropout", "time_gap", "cosine")
"""What a network is made from, besides its items and its rule; the first of them go to its stack."""


class Network(nn.Module):
    """Scores the catalog by one inner product an item: score(i) = <query, table_i> + bias_i.

    With content an item's row is the sum of one of its own and of what its content says; `settle` puts the sum into the
    table, so that what serves a model knows of rows alone. The query is the output of the last layer, after a norm
    where layers are residual blocks. Before the first event it is zero, so that the bias ranks alone.

    Args:
        n_items: N.
        rule: when a session is over; `mark` adds a learned vector to the event that opens one.
        cell: the name of the recurrent layer.
        block: what a layer is: `plain` (the cell alone) or `residual` (see `Block`).
        width: D of the item table, and of every layer.
        layers: how many, one on another.
        front: how many events a causal convolution over all channels sees before the first layer; 0: there is none.
        convolution: how many inputs a convolution in each residual block sees; 0: there is none.
        feed_forward: the width of the feed-forward part of a residual block, in multiples of D.
        dropout: on what each layer gives, in training.
        embedding_dropout: on the item vectors as they go in, in training.
        time_gap: also feed the pause before the event, by its power of two.
        cosine: items and queries count by their direction alone, and a score is so many times the cosine between them
            (Gupta et al. 2019, NISER); 0: the plain inner product.
        content: how many numbers of content an item has, see `Content`; 0: none.
        features: F, how many numbers come with an event, see `EventEncoder`; 0: none.
    """

    kind: ClassVar[str] = "network"
    knows_strangers: ClassVar[bool] = False
    """First events are no targets: the initial state has not learned what comes first."""

    def __init__(
        self,
        n_items: int,
        *,
        rule: SessionRule,
        cell: str = "gru",
        block: str = "plain",
        width: int = 128,
        layers: int = 1,
        front: int = 0,
        convolution: int = 0,
        feed_forward: float = 4.0,
        dropout: float = 0.2,
        embedding_dropout: float = 0.2,
        time_gap: bool = False,
        cosine: float = 0.0,
        content: int = 0,
        features: int = 0,
    ) -> None:
        super().__init__()
        self.n_items, self.rule = n_items, rule
        self.cell, self.block, self.width, self.layers = cell, block, width, layers
        self.front, self.convolution, self.feed_forward = front, convolution, feed_forward
        self.dropout, self.embedding_dropout, self.time_gap, self.cosine = dropout, embedding_dropout, time_gap, cosine
        self.features, self.settled = features, False
        self.content = Content(n_items, content, width) if content else None
        # A residual stack begins as the identity: larger rows would make the present item the first guess by far.
        self.table = nn.Parameter(torch.randn(n_items, width) * (0.02 if block == "residual" else width**-0.5))
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.stack = Stack(**{name: getattr(self, name) for name in OF_STACK})
        self.boundary = None if rule.resets else nn.Parameter(torch.zeros(width))
        self.pause = nn.Parameter(torch.zeros(PAUSES, width)) if time_gap else None
        self.event_part = nn.Parameter(torch.zeros(features, width)) if features else None

    def items(
        self, table: Tensor | None = None, bias: Tensor | None = None, rows: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """(..., D) vectors of any length, and (...) biases: what items have of their own, and their content.

        In training some of them are their content alone, see `Content`.

        Args:
            table, bias: (..., D) and (...) of their own; None: of all.
            rows: (...) which items these are; None: all.
        """
        table, bias = self.table if table is None else table, self.bias if bias is None else bias
        if self.content is None or self.settled:
            return table, bias
        return self.content.with_own(table, bias, rows)

    def inputs(
        self,
        item: Tensor,
        pause: Tensor | None,
        opens: Tensor,
        features: Tensor | None = None,
        table: Tensor | None = None,
    ) -> Tensor:
        """(..., D) what the first cell reads; zero for an item outside the catalog.

        `table` (R, D) has the vectors of items where items are numbered by its rows.
        """
        known, place = item >= 0, item.clamp(min=0)
        if table is None:
            x, _ = self.items(F.embedding(place, self.table), self.bias[place], place)
        else:
            x = F.embedding(place, table)
        x = self.directed(x)
        if not bool(known.all()):
            x = x * known.unsqueeze(-1)
        return self.presented(x, pause, opens, features)

    def presented(self, x: Tensor, pause: Tensor | None, opens: Tensor, features: Tensor | None = None) -> Tensor:
        """Item vectors (..., D) with what else is known of an event, as the first cell reads them."""
        if self.boundary is not None:
            x = x + opens.unsqueeze(-1) * self.boundary
        if self.pause is not None and pause is not None:
            x = x + F.embedding(pause, self.pause)
        if self.event_part is not None and features is not None:
            x = x + features @ self.event_part
        if self.block == "residual":
            x = x * self.width**0.5  # as large as what the layers add
        return dropout(x, self.embedding_dropout, self.training)

    def unroll(self, x: Tensor, starts: Tensor, state: list[CellState]) -> tuple[Tensor, list[CellState]]:
        """The stack along time, on all threads: x (T, B, D) to queries (T, B, D) and the last state of each layer."""
        y, after = unrolled(self.stack.scan, x, starts, state, list(self.stack.parameters()))
        return self.scaled(y), after

    def directed(self, vectors: Tensor) -> Tensor:
        """Item vectors (..., D) as scores and layers take them: of length 1 where only their direction counts."""
        return F.normalize(vectors, dim=-1) if self.cosine else vectors

    def scaled(self, y: Tensor) -> Tensor:
        """Outputs (..., D) as queries: of the length that the cosine is to be multiplied with, if it is to be."""
        return F.normalize(y, dim=-1) * self.cosine if self.cosine else y

    def settle(self) -> None:
        """After training: the item table itself gets what scores take, so that a score need not form it."""
        with torch.no_grad():
            if self.content is not None and not self.settled:
                self.content.own = self.table.detach().clone(), self.bias.detach().clone()
                for parameter, whole in zip((self.table, self.bias), self.items(), strict=True):
                    parameter.copy_(whole)
            if self.cosine:
                length = self.table.norm(dim=1, keepdim=True).clamp(min=1e-12)
                # What has length 1 but for rounding stays as it is: a model that is saved and read has the same bits.
                self.table.copy_(torch.where((length - 1).abs() > 1e-6, self.table / length, self.table))
        self.settled = True

    def unsettle(self) -> None:
        """Before training goes on: the item table has the items' own rows again. Raises TrainingError without these."""
        if self.content is not None and self.settled:
            with torch.no_grad():
                for parameter, own in zip((self.table, self.bias), self.content.own_parts(), strict=True):
                    parameter.copy_(own)
        self.settled = False

    # The Model contract: numpy outside, torch inside, on whatever device the weights are.

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.table.device

    def initial_state(self, batch_size: int) -> State:
        """Nothing remembered, B rows."""
        state = {
            "time": np.full(batch_size, np.nan),
            "output": np.zeros((batch_size, self.width), np.float32),
        }
        return state | named(self.stack.initial_state(batch_size))

    def step(self, event: Event, state: State) -> State:
        """Absorb one event a row."""
        events = event.at(np.newaxis)
        with torch.no_grad():
            x = self.inputs(*self.tensors(events, np.zeros(events.item.shape, bool), state))[0]
            y, after = self.stack.step(x, cells_of(state, len(self.stack.layers), self.device))
            x = self.scaled(y)
        return {"time": np.asarray(event.time, np.float64), "output": x.cpu().numpy()} | named(after)

    def scan(self, events: Event, starts: Bools, state: State) -> tuple[Floats, State]:
        """Queries (T, B, D) after each event, and the last state."""
        with torch.no_grad():
            x = self.inputs(*self.tensors(events, starts, state))
            kept = cells_of(state, len(self.stack.layers), self.device)
            y, after = self.unroll(x, shared(starts).to(self.device), kept)
        outputs: Floats = y.cpu().numpy()
        return outputs, {"time": np.asarray(events.time[-1], np.float64), "output": outputs[-1]} | named(after)

    def query(self, state: State, now: Doubles | None = None) -> Floats:
        """(B, D)."""
        output: Floats = at_request(self, state, now)["output"]
        return output

    def score(self, query: Floats, candidates: Ints | None = None) -> Floats:
        """(B, C) inner products and bias."""
        with torch.no_grad():
            table, bias = self.items()
            if not self.settled:
                table = self.directed(table)
            if candidates is not None:
                chosen = torch.from_numpy(np.asarray(candidates, np.int64)).to(self.device)
                table, bias = table[chosen], bias[chosen]
            scores: Floats = torch.addmm(bias, shared(query).to(self.device), table.T).cpu().numpy()
        return scores

    def exported(self) -> bytes:
        """The step as an ONNX graph, see `segue.models.export`. Raises ArtifactError where that cannot be."""
        from segue.models.export import exported_step

        return exported_step(self)

    def item_vectors(self) -> Floats:
        """(N, D) the item table: items that follow the same histories lie near each other."""
        return np.asarray(self.directed(self.items()[0].detach()).cpu().numpy())

    def factors(self) -> tuple[Floats, Floats]:
        """(N, D) and (N,): a score is the inner product of a query and an item's row, and a bias."""
        return self.item_vectors(), np.asarray(self.items()[1].detach().cpu().numpy())

    def settings(self) -> dict[str, Any]:
        """What the constructor needs."""
        own = {name: getattr(self, name) for name in SETTINGS}
        if self.content is not None:
            own["content"] = self.content.numbers.shape[1]
        return {**own, "features": self.features} if self.features else own

    def arrays(self) -> dict[str, Array]:
        """All weights by name; what the item table is made of is in `content`."""
        return {name: tensor.detach().cpu().numpy() for name, tensor in self._weights().items()}

    def _weights(self) -> dict[str, Tensor]:
        return {name: tensor for name, tensor in self.state_dict().items() if not name.startswith("content.")}

    def load_arrays(self, arrays: dict[str, Array]) -> None:
        """Take over weights; raises ArtifactError where a name or shape does not fit."""
        self.load_state_dict({**self.state_dict(), **checked(arrays, self._weights())})
        self.eval()
        self.settled = True
        self.settle()

    def tensors(
        self, events: Event, starts: Bools, state: State
    ) -> tuple[Tensor, Tensor | None, Tensor, Tensor | None]:
        """Items, sizes of pauses and boundaries of a window, (T, B) each, and features (T, B, F)."""
        pause = features = None
        if self.features and events.features is not None:
            features = shared(np.asarray(events.features, np.float32)).to(self.device)
        if self.time_gap:
            before = np.concatenate([state["time"][None], events.time[:-1]])
            pause = torch.from_numpy(pause_sizes(np.where(starts, np.nan, events.time - before))).to(self.device)
        item, opens = np.asarray(events.item, np.int64), np.asarray(events.opens)
        return shared(item).to(self.device), pause, shared(opens).to(self.device), features
