"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil
from typing import Any, NamedTuple

import msgspec

from segue.cells.parallel import using
from segue.config import TrainSettings
from segue.data.batches import windows
from segue.data.sessions import Sequences
from segue.data.spill import release
from segue.data.targets import weighted_targets
from segue.errors import TrainingError
from segue.models.network import Network
from segue.rng import stream
from segue.shapes import Bools
from segue.training.checkpoint import Checkpoints
from segue.training.course import Course
from segue.training.gradients import Norms
from segue.training.hardware import hardware_of
from segue.training.interrupts import Interrupts
from segue.training.pace import Pace
from segue.training.standing import Standing
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
        events_per_s: events learned from a second, over all epochs and resumptions; validation left out.
        gradients: norms by parameter and epoch, before clipping; None where they were not asked for.
    """

    epochs: int
    passes: float
    planned: float
    curve: list[tuple[float, float | None]]
    interrupted: bool
    seconds: float
    events_per_s: float
    gradients: Norms | None = None


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
    course: Course | None = None,
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
        course: what moves of a network that has learned already; by default all of it, freely.

    Raises:
        TrainingError: nothing to learn, a loss that is no number, or a checkpoint that cannot be used.
    """
    target, worth = weighted_targets(sequences, settings.reach)
    if learn is not None:
        target[:-1][~learn[1:]] = -1
    if not (target >= 0).any():
        raise TrainingError(
            f"nothing to learn from: none of {len(sequences)} events has a next one in its session"
            + (
                "; check the user and session columns and the gap (`segue inspect`)"
                if worth is None
                else " that is to be predicted; look at the objective"
            )
        )
    kept = checkpoints.read() if checkpoints else None
    hardware = hardware_of(settings)
    if kept is not None:
        hardware = hardware._replace(threads=kept[1]["threads"], precision=kept[1]["precision"])
    network.to(hardware.device)
    network.unsettle()
    whole = float(settings.epochs) if planned is None else planned
    last = min(1.0, (whole if stop_after is None else stop_after) / whole) - 1e-12
    with using(hardware.threads), Interrupts() as interrupts:
        given: dict[str, Any] = {"precision": hardware.precision, "worth": worth, "course": course}
        trainer = Trainer(network, sequences, target, settings, seed=seed, **given)
        if kept is not None:
            trainer.load(*kept)
        at, interrupted = trainer.at, False
        pace = Pace(at, len(sequences), whole, last, seconds)
        saved = shown = time.monotonic()

        def keep() -> None:
            at.seconds = pace.spent()
            if checkpoints is not None:
                with interrupts.held():
                    checkpoints.write(trainer.tensors(), msgspec.to_builtins(at))

        def validated() -> float | None:
            if validate is None:
                return None
            network.eval()
            began = time.monotonic()
            metric = validate()
            pace.validated(began)
            return metric

        try:
            if seconds is not None and kept is None:
                validated()  # what the one at the end will take must be known before the schedule begins
            while at.share < last and (validate is None or at.epoch - at.best_epoch < settings.patience):
                if at.window == 0:
                    trainer.begin_epoch()
                order = stream(seed, f"epoch {at.epoch}")
                for batch in windows(sequences, rows=settings.rows, window=settings.window, rng=order, skip=at.window):
                    with interrupts.held():
                        trainer.step(batch, at.share)
                        pace.advance(int((batch.place >= 0).sum()))
                    now, over = time.monotonic(), at.share >= last
                    if now - shown > SHOW_SECONDS or over or at.events == len(sequences):
                        release(target)
                        shown = now
                        show(progress(at, pace, ceil(last * whole)))
                    if over:
                        break
                    if now - saved > settings.checkpoint_seconds:
                        keep()
                        saved = now
                skipped = not pace.validates()
                metric = None if skipped else validated()
                trainer.end_epoch(metric, passes=pace.passes(), skipped=skipped)
                pace.look()
                keep()
                saved = time.monotonic()
        except KeyboardInterrupt:
            interrupted = True
            keep()
    if trainer.best_weights:
        network.load_state_dict(trainer.best_weights)
    network.to("cpu").eval()
    network.settle()
    learning = max(pace.spent() - at.validating, 1e-9)
    return Trained(
        epochs=at.best_epoch,
        passes=at.best_passes,
        planned=pace.planned(),
        curve=at.curve,
        interrupted=interrupted,
        seconds=pace.spent(),
        events_per_s=pace.passes() * len(sequences) / learning,
        gradients=None if trainer.gradients is None else trainer.gradients.of_epochs(),
    )


def progress(at: Standing, pace: Pace, epochs: int) -> Progress:
    """What a display shows."""
    value = next((value for _, value in reversed(at.curve) if value is not None), None)
    share = min(1.0, at.share / pace.last)
    return Progress(at.epoch + 1, epochs, share, at.mean_loss, pace.rate(), pace.seconds_left(), value)
