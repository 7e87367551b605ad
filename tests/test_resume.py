"""Trainings that go on from a checkpoint at the two ends: before the first validation, and after the last epoch."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from segue.config import TrainSettings
from segue.training.checkpoint import Checkpoints
from segue.training.loop import train_network
from segue.training.trainer import Trainer
from test_trainer import SETTINGS, network, sequences


def test_a_training_that_is_done_is_not_gone_on_with(tmp_path: Any) -> None:
    kept = Checkpoints(tmp_path, "x")
    first, again = network(), network()
    whole = train_network(first, sequences(), SETTINGS, seed=1, checkpoints=kept)
    steps = []
    found = train_network(again, sequences(), SETTINGS, seed=1, checkpoints=kept, show=steps.append)
    assert (found.epochs, found.curve, steps) == (whole.epochs, whole.curve, [])
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


def test_a_training_killed_before_its_first_validation_goes_on(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No best metric is known then: it must survive the checkpoint as such."""
    settings = TrainSettings(epochs=2, rows=4, window=6, checkpoint_seconds=1e-9)
    values, kept = [0.3, 0.2], Checkpoints(tmp_path, "x")
    plain, whole = network(), iter(values)
    train_network(plain, sequences(), settings, seed=1, validate=lambda: next(whole))
    step, steps = Trainer.step, [0]

    def stopped(self: Trainer, *arguments: Any) -> None:
        steps[0] += 1
        if steps[0] == 4:
            raise ZeroDivisionError
        step(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", stopped)
        with pytest.raises(ZeroDivisionError):
            train_network(
                network(), sequences(), settings, seed=1, validate=float, checkpoints=Checkpoints(tmp_path, "x")
            )
    resumed, rest = network(), iter(values)
    kept = Checkpoints(tmp_path, "x")
    found = train_network(resumed, sequences(), settings, seed=1, validate=lambda: next(rest), checkpoints=kept)
    assert (found.epochs, [value for _, value in found.curve]) == (1, values)
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), resumed.parameters(), strict=True))
