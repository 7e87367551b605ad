"""Norms of gradients by parameter: against PyTorch's own, before clipping, through a kill, and in the artifact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from msgspec.structs import replace

from segue import api
from segue.artifact import load_artifact
from segue.models.network import Network
from segue.training.checkpoint import Checkpoints
from segue.training.gradients import GradientNorms
from segue.training.loop import Trained, train_network
from segue.training.rows import RowAdamW
from segue.training.trainer import Trainer
from small_shop import SETTINGS as SHOP
from small_shop import SMALL, Ran, write_shop
from test_trainer import SETTINGS, network, sequences

ON = replace(SETTINGS, gradient_norms=True, clip=1e9)
Capture = pytest.CaptureFixture[str]


def noting(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, float]]:
    """The norm of each parameter's gradient at every step to come, as the optimisers are given it."""
    told: list[dict[str, float]] = []
    step, rows = torch.optim.AdamW.step, RowAdamW.step

    def dense(self: torch.optim.AdamW, *arguments: Any) -> Any:
        names = {id(parameter): name for name, parameter in made[-1].named_parameters()}
        held = [parameter for group in self.param_groups for parameter in group["params"]]
        told.append({names[id(of)]: 0.0 if of.grad is None else float((of.grad**2).sum()) ** 0.5 for of in held})
        return step(self, *arguments)

    def sparse(self: RowAdamW, which: torch.Tensor, gradient: torch.Tensor, rate: float) -> None:
        told[-1]["bias" if gradient.ndim == 1 else "table"] = float((gradient**2).sum()) ** 0.5
        rows(self, which, gradient, rate)

    monkeypatch.setattr(torch.optim.AdamW, "step", dense)
    monkeypatch.setattr(RowAdamW, "step", sparse)
    return told


made: list[Network] = []


def trained(**options: Any) -> Trained:
    made.append(network())
    return train_network(made[-1], sequences(), seed=1, **options)


@pytest.mark.parametrize("loss", ["full", "bpr-max"])
def test_mean_and_largest_of_each_epoch_are_those_of_its_steps(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = noting(monkeypatch)
    found = trained(settings=replace(ON, loss=loss)).gradients
    assert found is not None
    assert list(found) == [name for name, _ in made[-1].named_parameters()]
    half = len(told) // 2
    assert half > 3
    for name, norms in found.items():
        epochs = [[step[name] for step in part] for part in (told[:half], told[half:])]
        assert norms["mean"] == pytest.approx([np.mean(epoch) for epoch in epochs], rel=1e-5)
        assert norms["max"] == pytest.approx([max(epoch) for epoch in epochs], rel=1e-5)
        assert norms["max"][0] > 0, name


def test_norms_are_those_before_clipping() -> None:
    first = {
        clip: trained(settings=replace(ON, epochs=1, rows=10, window=99, clip=clip)).gradients for clip in (1e-3, 1e9)
    }
    assert first[1e-3] == first[1e9], "one window, one step: nothing has been cut before it"
    assert first[1e9] is not None
    assert first[1e9]["table"]["max"][0] > 1e-3


def test_weights_are_the_same_bits_whether_norms_are_kept_or_not() -> None:
    found = trained(settings=ON)
    plain = trained(settings=replace(ON, gradient_norms=False))
    assert plain.gradients is None
    assert found.curve == plain.curve
    assert all(torch.equal(a, b) for a, b in zip(made[-1].parameters(), made[-2].parameters(), strict=True))


@pytest.mark.parametrize("killed_at", [2, 6, 9])
def test_a_training_that_was_killed_goes_on_to_the_same_norms(
    killed_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(ON, checkpoint_seconds=1e-9)
    whole, steps, step = trained(settings=settings), [0], Trainer.step

    def stopped(self: Trainer, *arguments: Any) -> None:
        steps[0] += 1
        if steps[0] == killed_at:
            raise ZeroDivisionError
        step(self, *arguments)

    kept = Checkpoints(tmp_path, "x")
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", stopped)
        with pytest.raises(ZeroDivisionError):
            trained(settings=settings, checkpoints=kept)
    rest = trained(settings=settings, checkpoints=kept)
    assert rest.gradients == whole.gradients
    assert rest.gradients is not None


def test_a_parameter_without_a_gradient_counts_as_zero_and_what_is_no_number_is_kept_to_its_epoch() -> None:
    norms = GradientNorms(["a", "b"])
    norms.note([torch.tensor([3.0, 4.0]), None])
    norms.note([torch.tensor([torch.inf]), torch.tensor([[1.0]])])
    norms.end_epoch()
    norms.note([torch.tensor([2.0]), torch.tensor([0.0])])
    norms.end_epoch()
    norms.end_epoch()  # without a step
    again = GradientNorms(["a", "b"])
    again.load(norms.tensors())
    assert again.of_epochs() == {
        "a": {"mean": [torch.inf, 2, 0], "max": [torch.inf, 2, 0]},
        "b": {"mean": [0.5, 0, 0], "max": [1, 0, 0]},
    }


# The file, and the table.


def test_the_artifact_has_them_of_the_epochs_of_the_curve_and_train_prints_them(
    tmp_path: Path, capsys: Capture
) -> None:
    log, _ = write_shop(tmp_path)
    asked = ("train", log, "--out", tmp_path / "new", *SMALL, "--set", "train.epochs=2")
    ran = Ran(capsys, *asked, "--set", "train.gradient_norms=true")
    artifact = load_artifact(tmp_path / "new")
    told = msgspec.json.decode(artifact.diagnosis["gradients.json"])
    assert told["clip"] == artifact.settings.train.clip
    assert {"table", "bias", "stack.layers.0.w"} <= told["norms"].keys()
    for name, norms in told["norms"].items():
        assert len(norms["mean"]) == len(norms["max"]) == len(artifact.metrics["curve"]) == 2
        assert all(0 <= mean <= most for mean, most in zip(norms["mean"], norms["max"], strict=True))
        cells = [f"{number:.3g}" for number in (*norms["mean"], max(norms["max"]))]
        line = next(line for line in ran.out.splitlines() if line.startswith(f"│ {name} "))
        assert [cell.strip() for cell in line.split("│")[2:5]] == cells
    answer = Ran(capsys, *asked, "--set", "train.gradient_norms=true", "--overwrite", "--json").json
    assert answer["gradients"] == told


def test_without_being_asked_for_there_are_none(tmp_path: Path, capsys: Capture) -> None:
    log, _ = write_shop(tmp_path)
    ran = Ran(capsys, "train", log, "--out", tmp_path / "new", *SMALL)
    assert "gradient" not in ran.out
    assert not (tmp_path / "new" / "gradients.json").exists()
    markov = ("train", log, "--out", tmp_path / "m", "--model", "markov", *SMALL, "--set", "train.gradient_norms=true")
    assert Ran(capsys, *markov).status == 0
    assert not (tmp_path / "m" / "gradients.json").exists()


def test_a_norm_that_is_not_finite_is_printed_as_such(capsys: Capture) -> None:
    from segue.cli.train import print_gradients

    print_gradients({"clip": 1.0, "norms": {"table": {"mean": [0.5, None, 0.25], "max": [1.5, None, 0.5]}}})
    line = next(line for line in capsys.readouterr().out.splitlines() if "table" in line)
    assert [cell.strip() for cell in line.split("│")[2:6]] == ["0.5", "0.25", "not finite", "2"]


def test_a_killed_training_writes_the_same_file(tmp_path: Path) -> None:
    log, _ = write_shop(tmp_path)
    settings = {**SHOP, "train.epochs": 2, "train.gradient_norms": True}

    def killed(at: str, progress: Any) -> None:
        if (at, progress.epoch) == ("gru: choosing", 2):
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        api.train(api.prepare(log, settings=settings), "gru", tmp_path / "new", show=killed)
    api.train(api.prepare(log, settings=settings), "gru", tmp_path / "new", resume=True)
    api.train(api.prepare(log, settings=settings), "gru", tmp_path / "whole")
    files = [(tmp_path / name / "gradients.json").read_bytes() for name in ("new", "whole")]
    assert files[0] == files[1]
