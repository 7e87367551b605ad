"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from segue.config import TrainSettings
from segue.data.batches import targets_of, windows
from segue.data.sessions import Sequences
from segue.errors import TrainingError
from segue.models.network import Network
from segue.rng import stream
from segue.shapes import Bools
from segue.training.checkpoint import Checkpoints
from segue.training.trainer import Trainer

SHOW_SECONDS = 0.3


class Progress(NamedTuple):
    """Where a training stands, for a display.

    `epoch` and `epochs` count from 1; `share` is of all epochs; `seconds_left` is at the pace so far, until all of them
    are done; `value` is the last validation metric.
    """

    epoch: int
    epochs: int
    share: float
    loss: float
    events_per_s: float
    seconds_left: float
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
    trainer = Trainer(network, sequences, target, settings, seed=seed)
    last = settings.epochs if stop_after is None else min(stop_after, settings.epochs)
    kept = checkpoints.read() if checkpoints else None
    if kept is not None:
        trainer.load(*kept)
    at, before = trainer.at, trainer.at.seconds
    begun = at.epoch / last
    started = saved = shown = time.monotonic()
    events, interrupted = 0, False

    def keep() -> None:
        at.seconds = before + time.monotonic() - started
        if checkpoints is not None:
            checkpoints.write(trainer.tensors(), msgspec.to_builtins(at))

    try:
        while at.epoch < last and (validate is None or at.epoch - at.best_epoch < settings.patience):
            order = stream(seed, f"epoch {at.epoch}")
            batches = list(windows(sequences, rows=settings.rows, window=settings.window, rng=order))
            if at.window == 0:
                trainer.begin_epoch()
            while at.window < len(batches):
                batch = batches[at.window]
                share = (at.epoch + at.window / len(batches)) / settings.epochs
                trainer.step(batch, share)
                at.window += 1
                events += int((batch.place >= 0).sum())
                now = time.monotonic()
                if now - shown > SHOW_SECONDS or at.window == len(batches):
                    shown, value = now, at.curve[-1][1] if at.curve else None
                    done = (at.epoch + at.window / len(batches)) / last
                    left = (now - started) * (1 - done) / max(done - begun, 1e-9)
                    show(Progress(at.epoch + 1, last, done, at.mean_loss, events / (now - started), left, value))
                if now - saved > settings.checkpoint_seconds and at.window < len(batches):
                    keep()
                    saved = now
            network.eval()
            trainer.end_epoch(validate() if validate is not None else None)
            keep()
            saved = time.monotonic()
    except KeyboardInterrupt:
        interrupted = True
    if trainer.best_weights:
        network.load_state_dict(trainer.best_weights)
    network.eval()
    return Trained(at.best_epoch, at.curve, interrupted, before + time.monotonic() - started)
