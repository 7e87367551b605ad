"""One configuration on trial: trained on the training part, judged after every epoch on the validation part."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from segue.config import Settings
from segue.models.network import Network
from segue.shapes import Array
from segue.training.candidates import validated
from segue.training.loop import Progress, Trained, train_network
from segue.training.networks import new_network
from segue.training.plan import Plan

PROBE_SECONDS = 1.5
"""The pace of training is measured for so long, or for an epoch."""

LOOK_AT = 0.15
"""The part of its time after which a trial that is far too slow is seen to be."""

SURE = 0.5
"""Passes over the log within its time below which a trial is surely too slow."""


class StoppedError(Exception):
    """A trial is given up; the message says why."""


class Attempt:
    """One configuration on trial.

    Args:
        plan: what is learned from and asked; of its two phases only `choose` is used.
        settings: the configuration.
        seconds: the time it may take, validation included; its schedule is bent to that. None: all its epochs.

    Attributes:
        value: the best validation metric so far.
        values: (P,) of each prediction, after the epoch that was best; None before the first.
        user: (P,) whose the predictions are.
        epochs: how many were judged.
        trained: how the training went, once it is over.
    """

    def __init__(self, plan: Plan, settings: Settings, seconds: float | None) -> None:
        self.plan, self.settings, self.seconds = plan, settings, seconds
        self.value = float("nan")
        self.values: Array | None = None
        self.user: Array | None = None
        self.epochs = 0
        self.trained: Trained | None = None

    def run(
        self, told: Callable[[float, float], None] = lambda *_: None, show: Callable[[Progress], None] = lambda _: None
    ) -> None:
        """Train; what `told` raises ends it.

        Args:
            told: called after every epoch with the share of the schedule that is done, and the validation metric.
            show: told of progress.

        Raises:
            StoppedError: in its time it would not see the log once.
        """
        choose = self.plan.choose
        network = new_network(
            self.settings.model.cell,
            len(choose.catalog),
            self.plan.rule,
            self.settings,
            choose.content,
            choose.learned.features,
        )
        started = time.monotonic()

        def validate() -> float:
            value = self.judge(network)
            spent = 0.0 if self.seconds is None else (time.monotonic() - started) / self.seconds
            told(min(1.0, max(self.epochs / self.settings.train.epochs, spent)), value)
            return value

        def watch(progress: Progress) -> None:
            spent = time.monotonic() - started
            if self.seconds is not None and progress.epoch == 1 and spent > LOOK_AT * self.seconds:
                passes = progress.events_per_s * self.seconds / len(choose.learned)
                if passes < SURE:  # the first steps are slower than those to come
                    raise StoppedError(f"too slow: it would see {passes:.0%} of the log in {self.seconds:.0f} s")
            show(progress)

        self.trained = train_network(
            network,
            choose.learned,
            self.settings.train,
            seed=self.settings.seed,
            validate=validate,
            seconds=self.seconds,
            show=watch,
        )

    def judge(self, network: Network) -> float:
        """The validation metric; the values of the best epoch are kept."""
        scored, predictions = validated(network, self.plan.choose, self.settings)
        value = scored.mean()
        self.epochs += 1
        if self.values is None or value > self.value:
            self.value, self.values, self.user = value, scored.evened().astype(np.float32), predictions.user
        return value


class _EnoughError(Exception):
    """The pace is known."""


def epoch_seconds(plan: Plan) -> float:
    """About how long an epoch of its settings takes here, validation included: measured on the first events."""
    settings = plan.settings
    attempt = Attempt(plan, settings, None)
    choose, cell = plan.choose, settings.model.cell
    network = new_network(cell, len(choose.catalog), plan.rule, settings, choose.content, choose.learned.features)
    started = time.monotonic()
    seen = [(0.0, 0.0)]

    def enough(progress: Progress) -> None:
        spent = time.monotonic() - started
        seen.append((spent, progress.events_per_s * spent))
        if spent > PROBE_SECONDS:
            raise _EnoughError

    with suppress(_EnoughError):
        trained = train_network(
            network, plan.choose.learned, settings.train, seed=settings.seed, stop_after=1, show=enough
        )
        if trained.interrupted:
            raise KeyboardInterrupt
    # The first steps are slow ones: what follows them is the pace.
    (begun, before), (ended, events) = seen[1] if len(seen) > 2 else seen[0], seen[-1]
    network.eval()
    judging = time.monotonic()
    attempt.judge(network)
    return len(plan.choose.learned) * (ended - begun) / (events - before) + time.monotonic() - judging
