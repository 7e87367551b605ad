"""One step of training, and all that must be kept to go on after it as if nothing had happened."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor

from segue.cells import CellState
from segue.config import TrainSettings
from segue.data.batches import Batch
from segue.data.sessions import Sequences
from segue.errors import TrainingError
from segue.models.base import Event
from segue.models.network import Network
from segue.shapes import Ints
from segue.training.checkpoint import load_optimizer, optimizer_tensors, packed, unpacked
from segue.training.losses import Outputs, loss_of
from segue.training.negatives import Negatives
from segue.training.schedule import grouped, schedule


class Standing(msgspec.Struct):
    """How far a training has come.

    Attributes:
        epoch, window: the next to train, from 0.
        events: learned from in the epoch in hand.
        share: of the whole schedule.
        passes: over the log, when the last epoch ended.
        best, best_epoch, best_passes: the best validation metric so far, the epoch it came after, from 1, and the
            passes it took.
        slowest_validation: in seconds.
        curve: for each finished epoch its mean loss and its validation metric.
        loss, targets: sums over the epoch in hand.
        seconds: spent before the last interruption.
        threads: of PyTorch; another number would change the last bits of sums.
    """

    epoch: int = 0
    window: int = 0
    events: int = 0
    share: float = 0.0
    passes: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    best_passes: float = 0.0
    slowest_validation: float = 0.0
    curve: list[tuple[float, float | None]] = []
    loss: float = 0.0
    targets: int = 0
    seconds: float = 0.0
    threads: int = 0

    @property
    def mean_loss(self) -> float:
        """Of the epoch in hand."""
        return self.loss / max(self.targets, 1)


class Trainer:
    """A network in training.

    Args:
        network: trained in place.
        sequences: E events.
        target: (E,) the item to predict after each event, -1 for none.
        settings: see `TrainSettings`.
        seed: of dropout and negatives.
    """

    def __init__(
        self, network: Network, sequences: Sequences, target: Ints, settings: TrainSettings, *, seed: int
    ) -> None:
        torch.manual_seed(seed)
        self.network, self.sequences, self.target, self.settings = network, sequences, target, settings
        self.optimizer = torch.optim.AdamW(
            grouped(network, settings.weight_decay), lr=settings.learning_rate, fused=True
        )
        self.compare = loss_of(settings.loss)
        counts = np.bincount(sequences.item[sequences.item >= 0], minlength=network.n_items)
        self.negatives = Negatives(counts)
        self.cells = network.initial_cells(settings.rows)
        self.best_weights: dict[str, Tensor] = {}
        self.at = Standing(threads=torch.get_num_threads())

    def begin_epoch(self) -> None:
        """All rows begin anew."""
        self.cells = self.network.initial_cells(self.settings.rows)
        self.at.loss, self.at.targets = 0.0, 0

    def step(self, batch: Batch, share: float) -> None:
        """Learn from one window, at a share of the whole schedule. Raises TrainingError if the loss is no number."""
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * schedule(share, self.settings.warmup)
        y, self.cells = forward(self.network, self.sequences, batch, self.cells)
        wanted = np.where(batch.place >= 0, self.target[batch.place], -1).astype(np.int64).ravel()
        places = torch.from_numpy(np.flatnonzero(wanted >= 0))
        if not len(places):
            return
        loss = self.compare(
            Outputs(
                query=y.view(-1, self.network.width).index_select(0, places),
                table=self.network.table,
                bias=self.network.bias,
                target=torch.from_numpy(wanted)[places],
                negatives=self.negatives,
                draws=self.settings.negatives,
                generator=torch.default_generator,
            )
        )
        value = loss.item()
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss is {value} at window {self.at.window + 1} of epoch {self.at.epoch + 1}: training stopped, "
                f"the last checkpoint is kept. Try a lower train.learning_rate (now {self.settings.learning_rate:g}) "
                f"or train.clip (now {self.settings.clip:g})"
            )
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.optimizer.step()
        self.at.loss += value * len(places)
        self.at.targets += len(places)

    def end_epoch(self, metric: float | None, *, passes: float) -> None:
        """Note how the epoch went, and its weights if they are the best so far."""
        at = self.at
        at.curve.append((at.mean_loss, metric))
        at.epoch, at.window, at.events, at.passes = at.epoch + 1, 0, 0, passes
        if metric is None:
            at.best_epoch, at.best_passes = at.epoch, passes
        elif at.best is None or metric > at.best:
            at.best, at.best_epoch, at.best_passes = metric, at.epoch, passes
            self.best_weights = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a checkpoint must hold besides `at`."""
        cells = [packed(f"cell{number}", cell) for number, cell in enumerate(self.cells)]
        return {
            **packed("weights", self.network.state_dict()),
            **packed("best", self.best_weights),
            **packed("optimizer", optimizer_tensors(self.optimizer)),
            **{name: tensor for cell in cells for name, tensor in cell.items()},
            "rng": torch.get_rng_state(),
        }

    def load(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Go on from what `tensors` gave."""
        self.network.load_state_dict(unpacked("weights", tensors))
        load_optimizer(self.optimizer, unpacked("optimizer", tensors))
        self.best_weights = unpacked("best", tensors)
        self.cells = [unpacked(f"cell{number}", tensors) for number in range(self.network.layers)]
        torch.set_rng_state(tensors["rng"])
        self.at = msgspec.convert(facts, Standing)
        torch.set_num_threads(self.at.threads)


def forward(
    network: Network, sequences: Sequences, batch: Batch, state: list[CellState]
) -> tuple[Tensor, list[CellState]]:
    """Outputs (T, B, D) of a window, and the state to carry on, cut from the graph."""
    place = batch.place
    present = place >= 0
    event = Event(np.where(present, sequences.item[place], -1), sequences.time[place], sequences.opens[place] & present)
    before = sequences.time[np.maximum(place[0] - 1, 0)]  # a row goes on where the window before it ended
    x = network.inputs(*network.tensors(event, batch.starts, {"time": before}))
    y, after = network.unroll(x, torch.from_numpy(batch.starts), state)
    return y, [{name: tensor.detach() for name, tensor in cell.items()} for cell in after]
