"""An allowance of time bends the schedule; it does not cut it off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from segue import api
from segue.config import TrainSettings
from segue.data.sessions import Sequences, lay_out
from segue.data.synthetic import noisy_chain
from segue.durations import seconds_of
from segue.errors import ConfigError
from segue.models.base import SessionRule
from segue.models.network import Network
from segue.training import loop, networks
from segue.training.loop import Trained, train_network
from segue.training.trainer import Trainer

N = 12
SETTINGS = TrainSettings(epochs=4, rows=4, window=6, learning_rate=0.01, threads=1, patience=9)
STEPS = 9  # an epoch: 10 users of 17 events on 4 rows, in windows of 6


def sequences() -> Sequences:
    return lay_out(noisy_chain(10, 17, N, follow=0.8), gap=None, at_session_start="reset")


def train(monkeypatch: pytest.MonkeyPatch, *, step: float = 1.0, check: float = 0.0, **options: Any) -> Any:
    """Train with a clock that a step moves by `step` seconds and a validation by `check`; also what it was told."""
    clock = [1000.0]
    shares: list[float] = []
    plain = Trainer.step

    def ticking(self: Trainer, batch: Any, share: float) -> None:
        shares.append(share)
        clock[0] += step
        plain(self, batch, share)

    def validate() -> float:
        clock[0] += check
        return len(shares)

    torch.manual_seed(1)
    network = Network(N, rule=SessionRule(), width=6)
    with monkeypatch.context() as patch:
        patch.setattr(loop.time, "monotonic", lambda: clock[0])
        patch.setattr(Trainer, "step", ticking)
        found = train_network(network, sequences(), SETTINGS, seed=1, validate=validate, **options)
    return found, shares, clock[0] - 1000.0


def test_without_an_allowance_the_schedule_is_that_of_the_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    found, shares, _ = train(monkeypatch)
    assert len(shares) == 4 * STEPS
    assert (found.epochs, found.passes, found.planned) == (4, 4.0, 4.0)


def test_an_allowance_that_is_enough_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert train(monkeypatch, seconds=500.0)[:2] == train(monkeypatch)[:2]


@pytest.mark.parametrize("seconds", [20.0, 12.0, 5.0])
def test_a_short_allowance_gets_a_whole_schedule(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    found, shares, spent = train(monkeypatch, seconds=seconds)
    assert spent == pytest.approx(seconds, abs=1.0)
    assert np.all(np.diff(shares) > 0)
    assert shares[-1] > 1 - 1.5 / seconds  # the learning rate has come down by the end
    assert found.passes == pytest.approx(seconds / STEPS, rel=0.3)  # the last window of an epoch is not full
    assert found.planned == pytest.approx(found.passes, rel=0.02)
    assert len(found.curve) == int(np.ceil(seconds / STEPS))


@pytest.mark.parametrize(("seconds", "check"), [(30.0, 2.0), (40.0, 10.0), (60.0, 25.0), (28.0, 10.0)])
def test_a_validation_that_is_dear_neither_cuts_the_schedule_nor_what_is_learned_anew(
    seconds: float, check: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, shares, spent = train(monkeypatch, seconds=seconds, check=check)
    assert spent <= seconds + 1
    assert spent > seconds - check - 1.5 or found.passes == 4
    assert shares[-1] > 0.8
    assert max(np.diff(shares)) < 0.45
    assert found.planned >= found.passes
    assert found.curve[-1][1] is not None
    _, told, _ = train(monkeypatch, planned=found.planned, stop_after=found.passes)
    best = next(n for n in range(len(shares) + 1) if n / STEPS >= found.passes * 0.999 or n == len(shares))
    assert len(told) == pytest.approx(best, abs=1)


def test_validation_is_paid_from_the_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, spent = train(monkeypatch, seconds=30.0, check=4.0)
    assert spent <= 31.0


def test_a_slow_machine_half_way_bends_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, shares = [0.0], []
    plain = Trainer.step

    def slowing(self: Trainer, batch: Any, share: float) -> None:
        shares.append(share)
        clock[0] += 1.0 if len(shares) < 12 else 3.0
        plain(self, batch, share)

    monkeypatch.setattr(loop.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(Trainer, "step", slowing)
    torch.manual_seed(1)
    network = Network(N, rule=SessionRule(), width=6)
    found: Trained = train_network(network, sequences(), SETTINGS, seed=1, seconds=36.0)
    assert clock[0] == pytest.approx(36.0, abs=3.0)
    assert shares[-1] > 0.9
    assert found.planned < 4


def test_learning_anew_follows_the_schedule_that_was_bent(monkeypatch: pytest.MonkeyPatch) -> None:
    found, shares, _ = train(monkeypatch, seconds=20.0)
    again, told, _ = train(monkeypatch, planned=found.planned, stop_after=found.passes)
    assert len(told) == len(shares)
    assert np.abs(np.array(told) - np.array(shares)).max() < 0.1
    assert again.passes == pytest.approx(found.passes)


def test_half_of_a_schedule_within_an_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    found, shares, spent = train(monkeypatch, planned=4.0, stop_after=2.0, seconds=8.0)
    assert spent == pytest.approx(8.0, abs=1.0)
    assert shares[-1] == pytest.approx(0.5, abs=0.07)
    assert found.planned == pytest.approx(2.0, abs=0.1)


def test_a_training_with_a_budget_bends_its_schedule_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    log = noisy_chain(60, 40, N, follow=0.8)
    plan = api.prepare(log, settings={"train.budget": "6s", "train.epochs": 3000, "train.patience": 3000})
    recommender = api.train(plan, "gru", tmp_path / "model", say=said.append)
    assert any("the schedule was bent to" in line and "of 3000 epochs" in line for line in said)
    assert recommender.trained_report.rows


def test_a_budget_that_is_no_length_of_time_is_refused_before_training() -> None:
    with pytest.raises(ConfigError, match=r"train\.budget is `soon`; expected a length of time such as 2ms"):
        api.prepare(noisy_chain(10, 17, N, follow=0.8), settings={"train.budget": "soon"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("99999999999999999999h", "`99999999999999999999h`, which is longer than 10 years"),
        ("1us", "`1us`: `us` is no unit of time"),
        ("10", "`10`: 10 has no unit"),
        ("1h30", "`1h30`: 30 has no unit"),
        ("0s", "`0s`, which is no time at all"),
        ("-5s", "`-5s`"),
        ("", "``"),
    ],
)
def test_what_is_no_length_of_time_is_told_the_units_and_an_example(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=f"--budget is {told}; expected .* such as 2ms, .* the units are ms, s, m "):
        seconds_of(text, of="--budget")


def test_ten_years_are_the_longest_time() -> None:
    assert seconds_of("3650d", of="--budget") == 3650 * 24 * 60 * 60
    assert seconds_of("1 H 30 m", of="--budget") == 5400


def test_what_is_left_is_shared_between_choosing_and_learning_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = api.prepare(noisy_chain(60, 40, N, follow=0.8), settings={"train.budget": "100s"})
    monkeypatch.setattr(networks.time, "monotonic", lambda: 0.0)
    shop = networks.Workshop(plan.settings, lambda _: None, lambda *_: None, deadline=100.0)
    first, second = len(plan.choose.learned), len(plan.judge.learned)
    assert networks.allowance(plan.choose, plan.judge, shop) == pytest.approx(90 * first / (first + second))
