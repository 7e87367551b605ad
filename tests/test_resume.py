"""Trainings that go on from a checkpoint, at the two ends: before the first validation, and after the last epoch.

And those that may not: of other settings than the checkpoint's, or beside another process.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from segue import api
from segue.config import TrainSettings
from segue.errors import TrainingError
from segue.training.beside import checkpoint_folder
from segue.training.checkpoint import Checkpoints
from segue.training.loop import train_network
from segue.training.trainer import Trainer
from segue.training.tuning.disk import alone
from small_shop import SETTINGS as SHOP
from small_shop import SMALL, Ran, write_shop
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


def test_other_settings_than_the_checkpoints_are_refused_before_anything_is_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, _ = write_shop(tmp_path)

    def killed(at: str, _: Any) -> None:
        if at == "gru: refit":
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        api.train(api.prepare(log, settings=SHOP), "gru", tmp_path / "new", show=killed)
    monkeypatch.setattr("segue.training.run.fit_baseline", None)
    other = api.prepare(log, settings={**SHOP, "model.width": 16})
    with pytest.raises(TrainingError, match="belongs to another log or other settings"):
        api.train(other, "gru", tmp_path / "new", resume=True)


def test_a_second_training_into_the_same_folder_is_refused_and_leaves_the_first_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, _ = write_shop(tmp_path)
    asked = ("train", log, "--out", tmp_path / "new", "--model", "markov", *SMALL)
    kept = checkpoint_folder(tmp_path / "new") / "gru-choose" / "checkpoint.safetensors"
    with alone(checkpoint_folder(tmp_path / "new"), "training"):
        kept.parent.mkdir()
        kept.write_bytes(b"of the first")
        for more in ("--overwrite", "--resume"):
            Ran(capsys, *asked, more).failed(1, "another training is at work there", "choose another --out")
        assert kept.read_bytes() == b"of the first"
    assert Ran(capsys, *asked, "--overwrite").status == 0
    assert not list(tmp_path.glob(".*"))


def test_a_training_that_was_killed_before_its_first_checkpoint_is_in_nobodys_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, _ = write_shop(tmp_path)
    asked = ("train", log, "--out", tmp_path / "new", "--model", "markov", *SMALL)
    code = (
        "import sys, time; from pathlib import Path; from segue.training.tuning.disk import alone\n"
        "with alone(Path(sys.argv[1]), 'training'): print('at work', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(checkpoint_folder(tmp_path / "new"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "at work\n"
        Ran(capsys, *asked).failed(1, "another training is at work there")
        first.send_signal(signal.SIGKILL)
    assert Ran(capsys, *asked).status == 0
    assert not list(tmp_path.glob(".*"))


def test_a_folder_that_cannot_be_made_is_said_before_training(tmp_path: Path) -> None:
    log, _ = write_shop(tmp_path)
    with pytest.raises(TrainingError, match=r"the training cannot be kept there \(Not a directory\); choose an --out"):
        api.train(api.prepare(log, settings=SHOP), "markov", tmp_path / "clicks.csv" / "new")
