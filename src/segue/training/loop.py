"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from segue.cells import CellState
from segue.config import TrainSettings
from segue.data.batches import Batch, targets_of, windows
from segue.data.sessions import Sequences
from segue.errors import TrainingError
from segue.models.base import Event
from segue.models.network import Network
from segue.rng import stream
from segue.shapes import Bools
from segue.training.checkpoint import Checkpoints, load_optimizer, optimizer_tensors, packed, unpacked
from segue.training.losses import Outputs, loss_of
from segue.training.negatives import Negatives


class Progress(NamedTuple):
    """Where a training stands, for a display.

    `epoch` and `epochs` count from 1; `share` is of the whole schedule; `value` is the last validation metric.
    """

    epoch: int
    epochs: int
    share: float
    loss: float
    events_per_s: float
    value: float | None


class Trained(NamedTuple):
    """How a training went.

    Attributes:
        epochs: the epoch whose weights the network now has, from 1; 0 if it was stopped before the first.
        curve: for each epoch its mean loss, and its validation metric or None.
        interrupted: stopped by Ctrl-C.
        seconds: of training, validation included, over all resumptions.
    """

    epochs: int
    curve: list[tuple[float, float | None]]
    interrupted: bool
    seconds: float


def train_network(
    network: Network,
    sequences: Sequences,
    settings: TrainSettings,
    *,
    seed: int,
    learn: Bools | None = None,
    validate: Callable[[], float] | None = None,
    stop_after: int | None = None,
    checkpoints: Checkpoints | None = None,
    show: Callable[[Progress], None] = lambda _: None,
) -> Trained:
    """Fit a network to sequences by truncated back-propagation through time.

    Args:
        network: trained in place; at the end it has the weights of the best epoch.
        sequences: what it reads, E events.
        settings: see `TrainSettings`; the learning rate warms up, then falls as a cosine over `epochs`.
        seed: of the order of sequences, dropout and negatives.
        learn: (E,) True where an event may be a target; by default everywhere.
        validate: gives the metric to choose by, higher is better; None trains to the end.
        stop_after: leave the schedule after this many epochs.
        checkpoints: where to keep safe points, and to go on from one that is there.
        show: told of progress a few times a second.

    Raises:
        TrainingError: nothing to learn, a loss that is no number, or a checkpoint that cannot be used.
    """
    target = targets_of(sequences)
    if learn is not None:
        target[:-1][~learn[1:]] = -1
    if not (target >= 0).any():
        raise TrainingError(
            f"nothing to learn from: none of {len(sequences)} events has a next one in its session; "
            "check the user and session columns and the gap (`segue inspect`)"
        )
    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(grouped(network, settings.weight_decay), lr=settings.learning_rate, fused=True)
    counts = np.bincount(sequences.item[sequences.item >= 0], minlength=network.n_items)
    compare = loss_of(settings.loss)
    negatives, generator = Negatives(counts), torch.default_generator
    last = settings.epochs if stop_after is None else min(stop_after, settings.epochs)

    epoch, begin, best, best_epoch, curve, before = 0, 0, -math.inf, 0, [], 0.0
    best_weights: dict[str, Tensor] = {}
    state = network.initial_cells(settings.rows)
    losses = np.zeros(2)  # sum over targets, targets: of this epoch
    kept = checkpoints.read() if checkpoints else None
    if kept is not None:
        tensors, facts = kept
        network.load_state_dict(unpacked("weights", tensors))
        load_optimizer(optimizer, unpacked("optimizer", tensors))
        best_weights = unpacked("best", tensors)
        state = [unpacked(f"cell{number}", tensors) for number in range(network.layers)]
        torch.set_rng_state(tensors["rng"])
        losses = tensors["losses"].numpy()
        epoch, begin, best, best_epoch, before = (facts[k] for k in ("epoch", "window", "best", "best_epoch", "s"))
        curve = [(point[0], point[1]) for point in facts["curve"]]

    def keep(window: int) -> None:
        if checkpoints is None:
            return
        cells = [packed(f"cell{number}", cell) for number, cell in enumerate(state)]
        tensors = packed("weights", network.state_dict()) | packed("best", best_weights)
        tensors |= packed("optimizer", optimizer_tensors(optimizer)) | {k: t for c in cells for k, t in c.items()}
        tensors |= {"rng": torch.get_rng_state(), "losses": torch.from_numpy(losses.copy())}
        facts = {"epoch": epoch, "window": window, "best": best, "best_epoch": best_epoch, "curve": curve}
        checkpoints.write(tensors, facts | {"s": before + time.monotonic() - started})

    started = saved = shown = time.monotonic()
    events, interrupted, number = 0, False, begin
    try:
        while epoch < last and (validate is None or epoch - best_epoch < settings.patience):
            batches = list(windows(sequences, rows=settings.rows, window=settings.window, rng=stream(seed, f"epoch {epoch}")))
            if begin == 0:
                state, losses = network.initial_cells(settings.rows), np.zeros(2)
            for number in range(begin, len(batches)):
                network.train()
                share = (epoch + number / len(batches)) / settings.epochs
                for group in optimizer.param_groups:
                    group["lr"] = settings.learning_rate * schedule(share, settings.warmup)
                batch = batches[number]
                y, state = forward(network, sequences, batch, state)
                wanted = torch.from_numpy(np.where(batch.place >= 0, target[batch.place], -1).astype(np.int64)).view(-1)
                places = (wanted >= 0).nonzero().squeeze(1)
                if len(places):
                    query = y.view(-1, network.width).index_select(0, places)
                    outputs = Outputs(
                        query, network.table, network.bias, wanted[places], negatives, settings.negatives, generator
                    )
                    value = compare(outputs)
                    if not math.isfinite(value.item()):
                        raise TrainingError(
                            f"the loss is {value.item()} at window {number + 1} of epoch {epoch + 1}: training stopped. "
                            f"Try a lower train.learning_rate (now {settings.learning_rate:g}) or train.clip "
                            f"(now {settings.clip:g}); the last checkpoint is kept"
                        )
                    optimizer.zero_grad()
                    value.backward()
                    torch.nn.utils.clip_grad_norm_(network.parameters(), settings.clip)
                    optimizer.step()
                    losses += (value.item() * len(places), len(places))
                events += int((batch.place >= 0).sum())
                now = time.monotonic()
                if now - shown > 0.3 or number + 1 == len(batches):
                    shown = now
                    rate = events / max(now - started, 1e-9)
                    last_value = curve[-1][1] if curve else None
                    show(Progress(epoch + 1, last, share, losses[0] / max(losses[1], 1), rate, last_value))
                if now - saved > settings.checkpoint_seconds and number + 1 < len(batches):
                    keep(number + 1)
                    saved = now
            metric = validate() if validate is not None else None
            curve.append((float(losses[0] / max(losses[1], 1)), metric))
            epoch, begin, number = epoch + 1, 0, 0
            if metric is None or metric > best:
                best, best_epoch = (metric if metric is not None else best), epoch
                best_weights = {} if metric is None else {k: t.clone() for k, t in network.state_dict().items()}
            keep(0)
            saved = time.monotonic()
    except KeyboardInterrupt:
        interrupted = True
    if best_weights:
        network.load_state_dict(best_weights)
    network.eval()
    return Trained(best_epoch, curve, interrupted, before + time.monotonic() - started)


def forward(
    network: Network, sequences: Sequences, batch: Batch, state: list[CellState]
) -> tuple[Tensor, list[CellState]]:
    """Outputs (T, B, D) of a window, and the state to carry on, cut from the graph."""
    place = batch.place
    item = np.where(place >= 0, sequences.item[place], -1)
    before = sequences.time[np.maximum(place - 1, 0)][:1]  # a row goes on where the window before it ended
    event = Event(item, sequences.time[place], sequences.opens[place] & (place >= 0))
    x = network.inputs(*network.tensors(event, batch.starts, {"time": before[0]}))
    y, after = network.unroll(x, torch.from_numpy(batch.starts), state)
    return y, [{name: tensor.detach() for name, tensor in cell.items()} for cell in after]


def schedule(share: float, warmup: float) -> float:
    """The part of the learning rate at a share of the whole training: up in a line, down as a half cosine to 2 %."""
    if share < warmup:
        return max(share, 1e-3) / warmup
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (share - warmup) / (1 - warmup)))


def grouped(network: Network, weight_decay: float) -> list[dict[str, object]]:
    """Parameters with decay (matrices) and without (vectors)."""
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]

