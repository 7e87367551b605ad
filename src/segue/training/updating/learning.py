"""A network that goes on learning: from new days, beside a replay of old ones."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np

from segue.config import Settings, TrainSettings
from segue.data.encoding.bound import EventFeatures
from segue.data.replay_sample import ReplaySample
from segue.data.sessions import Sequences
from segue.errors import InterruptedTrainingError
from segue.evaluation.phase import Phase
from segue.models.network import Network
from segue.rng import stream
from segue.shapes import Bools
from segue.training.candidates import Say, validation_metric
from segue.training.course import Course, everything, items_alone
from segue.training.loop import Progress, Trained, train_network
from segue.training.updating.growth import keep_known

GENTLE = 0.25
"""The learning rate of an update, as a part of that of training, where the settings do not say."""


class Lesson(NamedTuple):
    """What is learned from.

    Attributes:
        sequences: E events: new ones after their context, then replayed ones.
        learn: (E,) which of them may be targets.
        new, replayed: how many of these are new and replayed.
    """

    sequences: Sequences
    learn: Bools
    new: int
    replayed: int


def lesson_of(sequences: Sequences, new: Bools, sample: ReplaySample | None, settings: Settings) -> Lesson:
    """New events, and old ones drawn from a sample by the seed: `update.replay` of them for each new one, about."""
    count = int(np.count_nonzero(new))
    chosen = None if sample is None else drawn(sample, settings.update.replay * count, settings.seed)
    if chosen is None or not chosen.events:
        return Lesson(sequences, new, count, 0)
    old = chosen.sequences(first_user=int(sequences.of.max()) + 1)
    worth = None
    if sequences.worth is not None and old.worth is not None:
        worth = np.concatenate([sequences.worth, old.worth])
    features = None
    if sequences.features is not None and old.features is not None:
        parts = [one.features.at(np.arange(len(one))) for one in (sequences, old) if one.features is not None]
        features = EventFeatures.of(np.concatenate(parts))
    names = ("user", "item", "time", "opens", "starts", "of")
    both: dict[str, Any] = {name: np.concatenate([getattr(sequences, name), getattr(old, name)]) for name in names}
    together = Sequences(
        order=np.arange(len(sequences) + chosen.events, dtype=np.int64),
        bounds=np.concatenate([sequences.bounds, old.bounds[1:] + len(sequences)]),
        worth=worth,
        features=features,
        **both,
    )
    return Lesson(together, np.concatenate([new, np.ones(chosen.events, bool)]), count, chosen.events)


def drawn(sample: ReplaySample, events: float, seed: int) -> ReplaySample:
    """Of the users who are not held out as many, drawn by the seed, as have about so many events."""
    lengths = np.diff(sample.bounds)
    order = stream(seed, "replayed users").permutation(np.flatnonzero(~sample.held_out))
    taken = order[np.cumsum(lengths[order]) - lengths[order] < events]
    chosen = np.zeros(len(lengths), bool)
    chosen[taken] = True
    return sample.only(chosen)


def train_settings(settings: Settings) -> TrainSettings:
    """How the network learns now: as it did, but for what `update` says."""
    update, train = settings.update, settings.train
    rate = GENTLE * train.learning_rate if update.learning_rate == "auto" else update.learning_rate
    return msgspec.structs.replace(train, learning_rate=rate, epochs=update.epochs, gradient_norms=False, budget="")


def course_of(settings: Settings, known: int) -> Course:
    """What moves, with so many known items."""
    update = settings.update
    return Course(
        moves=items_alone if update.freeze in ("core", "both") else everything,
        known=known,
        hold=update.freeze in ("items", "both"),
        pull=update.pull,
    )


class Chosen(NamedTuple):
    """What was chosen on the validation part.

    Attributes:
        network: at its best.
        passes: over what is learned; 0: the network as it was before them is best.
        values: the metric by passes, those of no pass first.
        losses: the mean loss of each pass.
        seconds: of learning and validation.
    """

    network: Network
    passes: float
    values: list[float]
    losses: list[float]
    seconds: float


def choose(
    network: Network, known: int, lesson: Lesson, phase: Phase, settings: Settings, say: Say, show: Callable[..., None]
) -> Chosen:
    """Go on from a network, with so many known items, for as many passes as do best on what a phase asks."""
    learning = copy.deepcopy(network)
    before = validation_metric(network, phase, settings)
    trained = go_on(
        learning, known, lesson, settings, validate=lambda: validation_metric(learning, phase, settings), show=show
    )
    values = [before, *(value for _, value in trained.curve if value is not None)]
    losses = [loss for loss, _ in trained.curve]
    best = max(values[1:], default=-np.inf)
    if not best > before:
        say(
            f"no pass over the new days is better than none on the last of them ({settings.train.metric} {before:.4f}, "
            f"then at most {best:.4f}): the weights stay as they are"
        )
        return Chosen(network, 0.0, values, losses, trained.seconds)
    say(
        f"pass {trained.epochs} of {len(trained.curve)} is best on the last of the new days: {settings.train.metric} "
        f"{before:.4f} before, {best:.4f} after, in {trained.seconds:.0f} s"
    )
    return Chosen(learning, trained.passes, values, losses, trained.seconds)


def go_on(
    network: Network,
    known: int,
    lesson: Lesson,
    settings: Settings,
    *,
    passes: float | None = None,
    validate: Callable[[], float] | None = None,
    show: Callable[..., None] = lambda *_: None,
) -> Trained:
    """Learn in place, along the schedule of `update.epochs` passes, as many of them as are asked for.

    Raises:
        InterruptedTrainingError: Ctrl-C.
    """

    def shown(progress: Progress) -> None:
        show("update" if validate is None else "update: choosing", progress)

    course, before = course_of(settings, known), network.table.detach()[:known].clone()
    trained = train_network(
        network,
        lesson.sequences,
        train_settings(settings),
        seed=settings.seed,
        learn=lesson.learn,
        validate=validate,
        stop_after=passes,
        show=shown,
        course=course,
    )
    if course.hold:
        keep_known(network, before)
    if trained.interrupted:
        raise InterruptedTrainingError("the update was interrupted: nothing is written, the model is as it was")
    return trained
