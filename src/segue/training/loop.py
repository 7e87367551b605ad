"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil
from typing import NamedTuple

import msgspec

from segue.cells.parallel import using
from segue.config import TrainSettings
from segue.data.batches import targets_of, windows
from segue.data.sessions import Sequences
from segue.data.spill import release
from segue.errors import TrainingError
from segue.models.network import Network
from segue.rng import stream
from segue.shapes import Bools
from segue.training.checkpoint import Checkpoints
from segue.training.hardware import hardware_of
from segue.training.trainer import Trainer

SHOW_SECONDS = 0.3


class Progress(NamedTuple):
    """Where a training stands, for a display.

    `epoch` and `epochs` count from 1, `epochs` as planned; `share` is of all that is planned; `seconds_left` is at the
    pace so far, until all of it is done; `value` is the last validation metric.
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
        passes: how often it had seen the log by then: `epochs`, less where the clock ended an epoch early.
        planned: the passes after which the schedule ends, or would have ended.
        curve: for each epoch its mean loss, and its validation metric or None.
        interrupted: stopped by Ctrl-C.
        seconds: of training, validation included, over all resumptions.
    """

    epochs: int
    passes: float
    planned: float
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
    planned: float | None = None,
    stop_after: float | None = None,
    seconds: float | None = None,
    checkpoints: Checkpoints | None = None,
    show: Callable[[Progress], None] = lambda _: None,
) -> Trained:
    """Fit a network to sequences by truncated back-propagation through time.

    The learning rate warms up, then falls as a cosine over all that is planned. Where there is an allowance of time,
    the schedule follows the passes done or the clock, whichever is further: it is bent to the time, never cut off.

    Args:
        network: trained in place; at the end it has the weights of the best epoch.
        sequences: what it reads, E events.
        settings: see `TrainSettings`.
        seed: of the order of sequences, dropout and negatives.
        learn: (E,) True where an event may be a target; by default everywhere.
        validate: gives the metric to choose by, higher is better; None trains to the end.
        planned: passes over the log after which the schedule ends; by default `settings.epochs`.
        stop_after: leave the schedule after so many passes.
        seconds: the time that all of it may take, validation included.
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
    kept = checkpoints.read() if checkpoints else None
    hardware = hardware_of(settings)
    if kept is not None:
        hardware = hardware._replace(threads=kept[1]["threads"], precision=kept[1]["precision"])
    network.to(hardware.device)
    whole = float(settings.epochs) if planned is None else planned
    last = min(1.0, (whole if stop_after is None else stop_after) / whole) - 1e-12
    with using(hardware.threads):
        trainer = Trainer(network, sequences, target, settings, seed=seed, precision=hardware.precision)
        if kept is not None:
            trainer.load(*kept)
        at, before = trainer.at, trainer.at.seconds
        begun, started = at.share, time.monotonic()
        saved = shown = started
        events, interrupted = 0, False

        def spent() -> float:
            return before + time.monotonic() - started

        def share_now() -> float:
            by_clock = 0.0 if seconds is None else last * (spent() + at.slowest_validation) / seconds
            return max((at.epoch + at.events / len(sequences)) / whole, by_clock)

        def keep() -> None:
            at.seconds = spent()
            if checkpoints is not None:
                checkpoints.write(trainer.tensors(), msgspec.to_builtins(at))

        try:
            while at.share < last and (validate is None or at.epoch - at.best_epoch < settings.patience):
                order = stream(seed, f"epoch {at.epoch}")
                if at.window == 0:
                    trainer.begin_epoch()
                for batch in windows(sequences, rows=settings.rows, window=settings.window, rng=order, skip=at.window):
                    trainer.step(batch, at.share)
                    done = int((batch.place >= 0).sum())
                    at.window, at.events, events = at.window + 1, at.events + done, events + done
                    at.share = share_now()
                    now = time.monotonic()
                    if now - shown > SHOW_SECONDS or at.share >= last or at.events == len(sequences):
                        release(target)
                        shown, value = now, at.curve[-1][1] if at.curve else None
                        left = (now - started) * (last - at.share) / max(at.share - begun, 1e-9)
                        rate = events / (now - started)
                        done_share, epochs = min(1.0, at.share / last), ceil(last * whole)
                        show(Progress(at.epoch + 1, epochs, done_share, at.mean_loss, rate, max(0.0, left), value))
                    if at.share >= last:
                        break
                    if now - saved > settings.checkpoint_seconds:
                        keep()
                        saved = now
                network.eval()
                began = time.monotonic()
                metric = validate() if validate is not None else None
                at.slowest_validation = max(at.slowest_validation, time.monotonic() - began)
                trainer.end_epoch(metric, passes=at.epoch + at.events / len(sequences))
                at.share = share_now()
                keep()
                saved = time.monotonic()
        except KeyboardInterrupt:
            interrupted = True
    if trainer.best_weights:
        network.load_state_dict(trainer.best_weights)
    network.to("cpu").eval()
    whole = at.passes / at.share if at.share else whole
    return Trained(at.best_epoch, at.best_passes, whole, at.curve, interrupted, spent())
