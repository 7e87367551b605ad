"""A network for a table: its epoch chosen on validation, then learned anew from all that may be seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

import msgspec
import torch

from segue.config import Settings
from segue.data.encoding import Content
from segue.data.encoding.bound import EventFeatures
from segue.durations import seconds_of
from segue.evaluation.cost import Peak, peak_memory
from segue.evaluation.phase import Phase
from segue.models.base import SessionRule
from segue.models.network import Network
from segue.training.candidates import Fitted, Say, validation_metric
from segue.training.checkpoint import Checkpoints
from segue.training.loop import Progress, Trained, train_network

Show = Callable[[str, Progress], None]
"""Told of progress: the name of the stage, and where it stands."""


class Workshop(NamedTuple):
    """What goes with a training besides model and data.

    Attributes:
        settings: see `Settings`.
        say, show: told of what happens.
        folder: where checkpoints are kept, or None.
        fingerprint: what a checkpoint must match.
        deadline: of `time.monotonic`, when everything should be done; None: never.
        costs: whether memory is watched; the process's own peak then begins anew.
    """

    settings: Settings
    say: Say
    show: Show
    folder: Path | None = None
    fingerprint: str = ""
    deadline: float | None = None
    costs: bool = False

    def memory(self) -> AbstractContextManager[Peak]:
        """A watch over memory, if costs are asked for."""
        return peak_memory() if self.costs else nullcontext(Peak())

    def checkpoints(self, stage: str) -> Checkpoints | None:
        """The checkpoints of one stage."""
        return None if self.folder is None else Checkpoints(self.folder / stage, f"{self.fingerprint} {stage}")


def deadline_of(settings: Settings) -> float | None:
    """When a training that begins now must be done, by `time.monotonic`; None without a budget."""
    budget = settings.train.budget
    return time.monotonic() + seconds_of(budget, of="train.budget") if budget else None


def new_network(
    cell: str,
    n_items: int,
    rule: SessionRule,
    settings: Settings,
    content: Content | None = None,
    features: EventFeatures | None = None,
) -> Network:
    """An untrained network; the seed decides its weights. It reads the content of items and features of events."""
    torch.manual_seed(settings.seed)
    network = Network(
        n_items,
        rule=rule,
        content=0 if content is None else content.encoder.width,
        features=0 if features is None else features.width,
        **{**msgspec.structs.asdict(settings.model), "cell": cell},
    )
    if network.content is not None and content is not None:
        network.content.read(*content, alone=settings.content.alone)
    return network


def fit_network(cell: str, choose: Phase, judge: Phase, rule: SessionRule, shop: Workshop) -> Fitted:
    """Choose the epoch on validation; then, with `train.refit`, learn anew for as long from `judge.learned`."""
    return learn_anew(cell, choose_network(cell, choose, judge, rule, shop), judge, rule, shop)


def choose_network(cell: str, choose: Phase, judge: Phase, rule: SessionRule, shop: Workshop) -> Fitted:
    """A network of the training part alone, at the epoch that is best on validation."""
    settings = shop.settings
    network = new_network(cell, len(choose.catalog), rule, settings, choose.content, choose.learned.features)
    allowed = allowance(choose, judge, shop)
    with shop.memory() as peak:
        choice = train_network(
            network,
            choose.learned,
            settings.train,
            seed=settings.seed,
            validate=lambda: validation_metric(network, choose, settings),
            seconds=allowed,
            checkpoints=shop.checkpoints(f"{cell}-choose"),
            show=lambda progress: shop.show(f"{cell}: choosing", progress),
        )
    best = max((value for _, value in choice.curve if value is not None), default=float("nan"))
    bent = choice.planned < 0.99 * settings.train.epochs
    if choice.epochs:
        shop.say(
            f"{cell}: epoch {choice.epochs} of {len(choice.curve)} is best on validation, "
            f"{settings.train.metric} {best:.4f}, in {choice.seconds:.0f} s"
            + (f"; the schedule was bent to {choice.planned:.2f} of {settings.train.epochs} epochs" if bent else "")
        )
    return Fitted(
        network,
        choose,
        round(choice.seconds, 2),
        {"epochs": round(choice.passes, 3) if bent else choice.epochs, **network.settings()},
        choice.epochs,
        choice.curve,
        choice.interrupted,
        choice.passes,
        choice.planned,
        events_per_s=choice.events_per_s,
        peak_memory_mb=peak.megabytes,
        gradients=choice.gradients,
    )


def learn_anew(cell: str, chosen: Fitted, judge: Phase, rule: SessionRule, shop: Workshop) -> Fitted:
    """With `train.refit`, a network as it was chosen, learned for as long from `judge.learned`; else the chosen one.

    Events a second stay those of choosing, the longer training; memory is the larger of the two.
    """
    if chosen.interrupted or not shop.settings.train.refit:
        return chosen
    with shop.memory() as peak:
        anew, trained = refit(cell, judge, rule, shop, passes=chosen.passes, planned=chosen.planned, stage="refit")
    if trained.interrupted:
        return chosen._replace(interrupted=True)
    shop.say(f"{cell}: learned anew from training and validation events in {trained.seconds:.0f} s")
    return chosen._replace(
        model=anew,
        phase=judge,
        seconds=round(chosen.seconds + trained.seconds, 2),
        peak_memory_mb=max(
            (most for most in (chosen.peak_memory_mb, peak.megabytes) if most is not None), default=None
        ),
    )


def refit(
    cell: str, phase: Phase, rule: SessionRule, shop: Workshop, *, passes: float, planned: float, stage: str
) -> tuple[Network, Trained]:
    """Learn from all that a phase lets one see, along the schedule that was chosen, for as many passes."""
    network = new_network(cell, len(phase.catalog), rule, shop.settings, phase.content, phase.learned.features)
    trained = train_network(
        network,
        phase.learned,
        msgspec.structs.replace(shop.settings.train, gradient_norms=False),  # they are told of choosing, as curves are
        seed=shop.settings.seed,
        planned=planned,
        stop_after=passes,
        seconds=None if shop.deadline is None else max(1.0, shop.deadline - time.monotonic()) * (1 - JUDGING),
        checkpoints=shop.checkpoints(f"{cell}-{stage}"),
        show=lambda progress: shop.show(f"{cell}: {stage}", progress),
    )
    return network, trained


JUDGING = 0.1
"""The part of the time left that is kept for what comes after training: the report."""


def allowance(choose: Phase, judge: Phase, shop: Workshop) -> float | None:
    """The seconds that choosing may take, so that learning anew from more events fits in too; None: no limit."""
    if shop.deadline is None:
        return None
    train = shop.settings.train
    first, second = len(choose.learned), len(judge.learned)
    work = first + second * (train.refit + train.final)
    # Validation is a part of the first, and of the first alone; what it takes is not known before it has run.
    return max(1.0, shop.deadline - time.monotonic()) * (1 - JUDGING) * first / work
