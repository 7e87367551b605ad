"""One step of training, and all that must be kept to go on after it as if nothing had happened."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor

from segue.cells import CellState
from segue.cells.dense import products_in
from segue.cells.parallel import workers
from segue.config import TrainSettings
from segue.data.batches import Batch
from segue.data.sessions import Sequences
from segue.data.spill import counted
from segue.errors import TrainingError
from segue.models.base import Event
from segue.models.network import Network
from segue.shapes import Floats, Ints, Longs
from segue.training.checkpoint import (
    load_optimizer,
    optimizer_tensors,
    packed,
    rng_states,
    set_rng_states,
    unpacked,
)
from segue.training.course import Course, Held
from segue.training.gradients import GradientNorms
from segue.training.hardware import DTYPES
from segue.training.losses import Outputs, loss_of
from segue.training.negatives import Negatives
from segue.training.rows import InPlay, RowAdamW, in_play
from segue.training.schedule import grouped, schedule
from segue.training.standing import Standing


class Trainer:
    """A network in training.

    Args:
        network: trained in place, on the device it is on.
        sequences: E events.
        target: (E,) the item to predict after each event, -1 for none.
        settings: see `TrainSettings`.
        seed: of dropout and negatives.
        precision: of products in the output layer, in residual blocks and in linear recurrences.
        worth: (E,) how much the target of each event counts; None: all count alike.
        course: what moves of a network that has learned already; by default all of it, freely.
    """

    def __init__(
        self,
        network: Network,
        sequences: Sequences,
        target: Ints,
        settings: TrainSettings,
        *,
        seed: int,
        precision: str = "float32",
        worth: Floats | None = None,
        course: Course | None = None,
    ) -> None:
        given = 0 if sequences.features is None else sequences.features.width
        if given != network.features:
            raise TrainingError(
                f"the network reads {network.features} numbers of each event (`content.events`), and these events have "
                f"{given}: give it the features it was made for"
            )
        torch.manual_seed(seed)
        self.network, self.sequences, self.target, self.settings = network, sequences, target, settings
        self.worth = worth
        self.loss = loss_of(settings.loss)
        if self.loss.base is not None and not network.bias.any():  # it has not learned yet
            base = self.loss.base(network.n_items, settings)
            network.bias.detach().fill_(base)
            if network.content is not None:
                network.content.bias.detach().fill_(base)
        # A loss that compares with a sample moves the rows it touched; the table is then in nobody else's hands.
        self.row_optimizers: dict[str, RowAdamW] = {}
        if self.loss.samples:
            self.negatives = Negatives(counted(sequences.item, network.n_items), settings)
            self.row_optimizers = {
                "table": RowAdamW(network.table.detach(), weight_decay=settings.weight_decay),
                "bias": RowAdamW(network.bias.detach(), weight_decay=0.0),
            }
        self.dense = {name: p for name, p in network.named_parameters() if name not in self.row_optimizers}
        groups = grouped(list(self.dense.values()), settings.weight_decay)
        self.optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)
        self.held = None if course is None else Held(network, course)
        self.cells = network.stack.initial_state(settings.rows)
        self.best_weights: dict[str, Tensor] = {}
        names = [name for name, _ in network.named_parameters()]
        self.gradients = GradientNorms(names) if settings.gradient_norms else None
        self.at = Standing(threads=workers(), precision=precision)

    def begin_epoch(self) -> None:
        """All rows begin anew."""
        self.cells = self.network.stack.initial_state(self.settings.rows)
        self.at.loss, self.at.targets = 0.0, 0

    def step(self, batch: Batch, share: float) -> None:
        """Learn from one window, at a share of the whole schedule. Raises TrainingError if the loss is no number."""
        network, settings = self.network, self.settings
        network.train()
        learning_rate = settings.learning_rate * schedule(share, settings.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        wanted = np.where(batch.place >= 0, self.target[batch.place], -1).astype(np.int64).ravel()
        at = np.flatnonzero(wanted >= 0)
        playing = self._in_play(batch, wanted[at]) if self.loss.samples and len(at) else None
        with products_in(DTYPES[self.at.precision]):
            vectors, biases = (
                network.items() if playing is None else network.items(playing.table, playing.bias, playing.rows)
            )
            y, self.cells = forward(network, self.sequences, batch, self.cells, playing, vectors)
        if not len(at):
            return
        loss = self.loss(
            Outputs(
                query=y.view(-1, network.width).index_select(0, torch.from_numpy(at).to(network.device)),
                table=network.directed(vectors),
                bias=biases,
                target=torch.from_numpy(wanted[at]).to(network.device) if playing is None else playing.target,
                drawn=None if playing is None else playing.drawn,
                n_items=network.n_items,
                settings=settings,
                dtype=DTYPES[self.at.precision],
                worth=None if self.worth is None else self._worth_of(batch, at),
            )
        )
        value = loss.item()
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss is {value} at window {self.at.window + 1} of epoch {self.at.epoch + 1}: training stopped, "
                f"the last checkpoint is kept. Try a lower train.learning_rate (now {settings.learning_rate:g}) "
                f"or train.clip (now {settings.clip:g})"
            )
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        rows = {} if playing is None else {"table": playing.table, "bias": playing.bias}
        if self.held is not None:
            self.held.drop_gradients({**self.dense, **rows}, self.at.epoch, None if playing is None else playing.rows)
        if self.gradients is not None:
            self.gradients.note(rows.get(name, parameter).grad for name, parameter in network.named_parameters())
        torch.nn.utils.clip_grad_norm_([*self.dense.values(), *rows.values()], settings.clip)
        self.optimizer.step()
        for name, leaf in rows.items():
            assert playing is not None
            if leaf.grad is not None:
                self.row_optimizers[name].step(playing.rows, leaf.grad, learning_rate)
        if self.held is not None:
            touched = None if playing is None else playing.rows
            self.held.draw_back(dict(network.named_parameters()), self.at.epoch, touched, learning_rate)
        self.at.loss += value * len(at)
        self.at.targets += len(at)

    def _worth_of(self, batch: Batch, at: Longs) -> Tensor:
        assert self.worth is not None
        return torch.from_numpy(self.worth[batch.place.ravel()[at]]).to(self.network.device)

    def _in_play(self, batch: Batch, target: Longs) -> InPlay:
        drawn = self.negatives.draw(self.settings.negatives, torch.default_generator, torch.from_numpy(target))
        item = np.where(batch.place >= 0, self.sequences.item[batch.place], -1)
        return in_play(self.network, item, target, drawn)

    def end_epoch(self, metric: float | None, *, passes: float, skipped: bool = False) -> None:
        """Note how the epoch went, and its weights if they are the best so far; `skipped`: it was not validated."""
        at = self.at
        at.curve.append((at.mean_loss, metric))
        if self.gradients is not None:
            self.gradients.end_epoch()
        at.epoch, at.window, at.events, at.passes = at.epoch + 1, 0, 0, passes
        if metric is None:
            if not skipped:
                at.best_epoch, at.best_passes = at.epoch, passes
        elif at.best is None or metric > at.best:
            at.best, at.best_epoch, at.best_passes = metric, at.epoch, passes
            self.best_weights = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a checkpoint must hold besides `at`."""
        cells = [packed(f"cell{number}", cell) for number, cell in enumerate(self.cells)]
        rows = [packed(f"rows-{name}", one.tensors()) for name, one in self.row_optimizers.items()]
        return {
            **packed("weights", self.network.state_dict()),
            **packed("best", self.best_weights),
            **packed("optimizer", optimizer_tensors(self.optimizer)),
            **{name: tensor for part in (*cells, *rows) for name, tensor in part.items()},
            **packed("rng", rng_states(self.network.device)),
            **packed("gradients", {} if self.gradients is None else self.gradients.tensors()),
        }

    def load(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Go on from what `tensors` gave."""
        self.network.load_state_dict(unpacked("weights", tensors))
        load_optimizer(self.optimizer, unpacked("optimizer", tensors))
        for name, one in self.row_optimizers.items():
            one.load(unpacked(f"rows-{name}", tensors))
        self.best_weights = unpacked("best", tensors)
        self.cells = [
            {name: tensor.to(self.network.device) for name, tensor in unpacked(f"cell{number}", tensors).items()}
            for number in range(len(self.network.stack.layers))
        ]
        set_rng_states(unpacked("rng", tensors), self.network.device)
        if self.gradients is not None:
            self.gradients.load(unpacked("gradients", tensors))
        self.at = msgspec.convert(facts, Standing)


def forward(
    network: Network,
    sequences: Sequences,
    batch: Batch,
    state: list[CellState],
    playing: InPlay | None = None,
    vectors: Tensor | None = None,
) -> tuple[Tensor, list[CellState]]:
    """Outputs (T, B, D) of a window, and the state to carry on, cut from the graph.

    Args:
        vectors: (R, D) of the items in play, or of all; None: as they are.
    """
    place = batch.place
    present = place >= 0
    event = Event(
        np.where(present, sequences.item[place], -1),
        sequences.time[place],
        sequences.opens[place] & present,
        sequences.features_at(place),
    )
    before = sequences.time[np.maximum(place[0] - 1, 0)]  # a row goes on where the window before it ended
    item, pause, opens, features = network.tensors(event, batch.starts, {"time": before})
    x = network.inputs(item if playing is None else playing.item, pause, opens, features, vectors)
    y, after = network.unroll(x, torch.from_numpy(batch.starts).to(network.device), state)
    return y, [{name: tensor.detach() for name, tensor in cell.items()} for cell in after]
