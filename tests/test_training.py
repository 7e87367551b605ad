"""The loop: exact resume, early stopping, seeds, and errors that name the step."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from segue.config import TrainSettings
from segue.data.batches import windows
from segue.data.sessions import Sequences, lay_out
from segue.data.synthetic import noisy_chain
from segue.errors import TrainingError
from segue.models.base import SessionRule
from segue.models.network import Network
from segue.rng import stream
from segue.training import loop, trainer
from segue.training.checkpoint import Checkpoints
from segue.training.loop import Progress, Trained, train_network
from segue.training.losses import Loss
from segue.training.schedule import schedule

N = 12
SETTINGS = TrainSettings(epochs=3, rows=8, window=8, learning_rate=0.01, checkpoint_seconds=1e-9, threads=1)
BY_ROWS = msgspec.structs.replace(SETTINGS, loss="bpr-max", negatives=5, threads=2)


def sequences() -> Sequences:
    return lay_out(noisy_chain(40, 20, N, follow=0.8), gap=None, at_session_start="reset")


def network(seed: int = 1) -> Network:
    torch.manual_seed(seed)
    return Network(N, rule=SessionRule(), width=8)


def weights(of: Network) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in of.arrays().items()}


def equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one)


@cache
def uninterrupted(settings: TrainSettings) -> tuple[dict[str, np.ndarray], Trained]:
    """The weights that settings end with, and what training said; the same for each place of a kill."""
    plain = network()
    trained = train_network(plain, sequences(), settings, seed=1)
    return weights(plain), trained


class KilledError(Exception):
    """Stands for a kill: nothing after it runs."""


def killed_at(number: int, monkeypatch: pytest.MonkeyPatch, folder: Path, settings: TrainSettings = SETTINGS) -> None:
    """Train until the `number`th step, and stop there without a word."""
    steps = [0]
    plain = trainer.Trainer.step

    def step(self: trainer.Trainer, *arguments: object) -> None:
        steps[0] += 1
        if steps[0] == number:
            raise KilledError
        plain(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(trainer.Trainer, "step", step)
        with pytest.raises(KilledError):
            train_network(network(), sequences(), settings, seed=1, checkpoints=Checkpoints(folder, "x"))


@pytest.mark.parametrize("threads", [1, 3])
def test_a_training_goes_on_with_the_threads_and_the_precision_it_began_with(
    threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = msgspec.structs.replace(BY_ROWS, precision="bfloat16")
    plain = network()
    train_network(plain, sequences(), begun, seed=1)
    killed_at(9, monkeypatch, tmp_path, begun)
    other = msgspec.structs.replace(begun, threads=threads, precision="float32")
    resumed = network(seed=99)
    train_network(resumed, sequences(), other, seed=1, checkpoints=Checkpoints(tmp_path, "x"))
    assert equal(weights(plain), weights(resumed))


def test_ctrl_c_within_a_step_waits_for_its_end_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, plain = signal.getsignal(signal.SIGINT), network()
    train_network(plain, sequences(), SETTINGS, seed=1)
    steps, step = [0], trainer.Trainer.step

    def interrupted(self: trainer.Trainer, *arguments: object) -> None:
        steps[0] += 1
        if steps[0] == 7:
            os.kill(os.getpid(), signal.SIGINT)
        step(self, *arguments)  # type: ignore[arg-type]

    rare = msgspec.structs.replace(SETTINGS, checkpoint_seconds=1e9)
    with monkeypatch.context() as patch:
        patch.setattr(trainer.Trainer, "step", interrupted)
        found = train_network(network(), sequences(), rare, seed=1, checkpoints=Checkpoints(tmp_path, "x"))
    assert found.interrupted
    assert steps[0] == 7
    resumed = network(seed=99)
    train_network(resumed, sequences(), rare, seed=1, checkpoints=Checkpoints(tmp_path, "x"))
    assert equal(weights(plain), weights(resumed))
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("settings", [SETTINGS, BY_ROWS], ids=["full, one thread", "by rows, two threads"])
@pytest.mark.parametrize("number", [2, 5, 14, 20, 33])
def test_a_training_killed_at_any_step_ends_with_the_weights_of_an_uninterrupted_one(
    number: int, settings: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, whole = uninterrupted(settings)
    killed_at(number, monkeypatch, tmp_path, settings)
    resumed = network(seed=99)
    again = train_network(resumed, sequences(), settings, seed=1, checkpoints=Checkpoints(tmp_path, "x"))
    assert equal(expected, weights(resumed))
    assert again.curve == whole.curve


def test_the_best_weights_survive_a_kill(tmp_path: Path) -> None:
    values = iter([0.5, 0.9, KilledError])
    best: list[dict[str, np.ndarray]] = []
    model = network()

    def validate() -> float:
        value = next(values)
        if value is KilledError:
            raise KilledError
        best.append(weights(model))
        return float(value)  # type: ignore[arg-type]

    with pytest.raises(KilledError):
        train_network(model, sequences(), SETTINGS, seed=1, validate=validate, checkpoints=Checkpoints(tmp_path, "x"))
    resumed = network(seed=99)
    kept = Checkpoints(tmp_path, "x")
    found = train_network(resumed, sequences(), SETTINGS, seed=1, validate=lambda: 0.1, checkpoints=kept)
    assert found.epochs == 2
    assert equal(best[1], weights(resumed))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SETTINGS", "BY_ROWS"])
def test_kill_9_at_random_moments_changes_no_bit(name: str, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); from test_training import *\n"
        "import time; model = network(); folder = Path(sys.argv[2])\n"
        f"train_network(model, sequences(), {name}, seed=1, checkpoints=Checkpoints(folder, 'x'),"
        " show=lambda _: time.sleep(0.01))\n"
        "np.savez(folder / 'weights.npz', **model.arrays())\n"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parent), str(tmp_path)]
    rng, kills = np.random.default_rng(), 0
    for _ in range(30):
        process = subprocess.Popen(command)
        while process.poll() is None and not (tmp_path / "checkpoint.safetensors").exists():
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.05) if kills else 0)
        if kills < 4 and process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        if process.wait() == 0:
            break
    assert kills
    plain = network()
    train_network(plain, sequences(), globals()[name], seed=1)
    assert equal(weights(plain), dict(np.load(tmp_path / "weights.npz")))


def trained(**options: object) -> tuple[dict[str, np.ndarray], Trained]:
    model = network()
    found = train_network(model, sequences(), SETTINGS, **{"seed": 1, **options})  # type: ignore[arg-type]
    return weights(model), found


def test_the_same_seed_gives_the_same_weights_and_another_gives_others() -> None:
    assert equal(trained()[0], trained()[0])
    assert not equal(trained()[0], trained(seed=2)[0])


def test_early_stopping_keeps_the_best_epoch() -> None:
    model, values, seen = network(), iter([0.1, 0.5, 0.4, 0.3, 0.2, 0.9]), []

    def validate() -> float:
        assert not model.training, "validation must not drop units"
        seen.append(weights(model))
        return next(values)

    settings = TrainSettings(epochs=20, patience=3, rows=8, window=8)
    found = train_network(model, sequences(), settings, seed=1, validate=validate)
    assert (found.epochs, len(found.curve)) == (2, 5)
    assert equal(weights(model), seen[1])


def test_ctrl_c_keeps_the_best_so_far() -> None:
    model, seen = network(), []

    def validate() -> float:
        if seen:
            raise KeyboardInterrupt
        seen.append(weights(model))
        return 0.5

    found = train_network(model, sequences(), SETTINGS, seed=1, validate=validate)
    assert found.interrupted
    assert equal(weights(model), seen[0])


def test_a_loss_that_is_no_number_names_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([torch.tensor(1.0, requires_grad=True)] * 3 + [torch.tensor(float("nan"))])
    monkeypatch.setattr(trainer, "loss_of", lambda _: Loss(lambda _: next(losses), samples=False))
    with pytest.raises(TrainingError, match="the loss is nan at window 4 of epoch 1"):
        train_network(network(), sequences(), SETTINGS, seed=1)


def test_a_log_without_a_next_event_is_refused() -> None:
    log = noisy_chain(30, 1, N, follow=1.0)
    with pytest.raises(TrainingError, match="none of 30 events has a next one"):
        train_network(network(), lay_out(log, gap=None, at_session_start="reset"), SETTINGS, seed=1)


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    trained(checkpoints=Checkpoints(tmp_path, "one"))
    with pytest.raises(TrainingError, match="another log or other settings"):
        trained(checkpoints=Checkpoints(tmp_path, "two"))


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    trained(checkpoints=Checkpoints(tmp_path, "x"))
    file = tmp_path / "checkpoint.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(TrainingError, match="damaged"):
        trained(checkpoints=Checkpoints(tmp_path, "x"))


def test_a_full_disk_stops_with_a_message_and_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_at(5, monkeypatch, tmp_path)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match=r"No space left on device.*kept.*--resume"):
        trained(checkpoints=Checkpoints(tmp_path, "x"))
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.safetensors"]


def test_the_rate_rises_in_a_line_and_falls_as_half_a_cosine() -> None:
    assert [round(schedule(share, 0.1), 3) for share in (0.05, 0.1, 0.55, 1.0)] == [0.5, 1.0, 0.51, 0.02]


@pytest.mark.parametrize("window", [1, 3, 50])
def test_windows_of_any_length_carry_state_and_time(window: int) -> None:
    laid = lay_out(noisy_chain(9, 17, N, follow=0.5), gap=300.0, at_session_start="mark")
    torch.manual_seed(1)
    model = Network(N, rule=SessionRule(300.0, "mark"), width=8, time_gap=True).eval()
    torch.nn.init.normal_(model.pause)  # type: ignore[arg-type]
    torch.nn.init.normal_(model.boundary)  # type: ignore[arg-type]
    found = {}
    for T in (window, 200):
        state, outputs = model.stack.initial_state(4), np.zeros((len(laid), 8), np.float32)
        for batch in windows(laid, rows=4, window=T, rng=stream(1, "x")):
            y, state = trainer.forward(model, laid, batch, state)
            outputs[batch.place[batch.place >= 0]] = y.detach().numpy()[batch.place >= 0]
        found[T] = outputs
    np.testing.assert_allclose(found[window], found[200], atol=2e-6)


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SHOW_SECONDS", 0.0)
    told: list[Progress] = []
    trained(show=told.append)
    assert [one.share for one in told] == sorted(one.share for one in told)
    assert told[-1].share == 1.0
    assert {one.epoch for one in told} == {1, 2, 3}
