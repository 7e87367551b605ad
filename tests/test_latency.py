"""A limit of time for an event and its list: what is measured, what is trained, and what is chosen."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import segue
from api_log import QUICK, clicks
from segue.choices import settings_tree
from segue.data.synthetic import noisy_chain
from segue.errors import ConfigError, TrainingError
from segue.models.base import SessionRule
from segue.models.popularity import Popularity
from segue.training import halving
from segue.training import latency as latency_module
from segue.training.latency import K, Latencies, fit_latency, latencies
from segue.training.networks import Workshop
from segue.training.plan import Plan, plan_of
from segue.training.shape import LatencyChoice, Shape
from small_shop import SMALL, Ran, shop_of


def plan_for(**changes: Any) -> Plan:
    given = {"train.latency": "1ms", "train.epochs": 8, "model.width": 16, "train.threads": 1, **changes}
    return plan_of(noisy_chain(40, 8, 10, follow=0.8), settings_tree(None, (), given))


def workshop(plan: Plan, **more: Any) -> Workshop:
    return Workshop(plan.settings, lambda _: None, lambda *_: None, **more)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Layers of width W take W / 100 ms each, and the wider ones are better; gives what was trained, and how long."""
    trained: list[tuple[str, int]] = []

    def value_of(_: Plan, shape: Shape, epochs: int, *__: Any) -> tuple[float, float]:
        trained.append((shape.name, epochs))
        return shape.width / 1000 + shape.layers / 10_000, epochs

    def taken(network: Any, **_: Any) -> Latencies:
        return Latencies(network.width * network.layers / 100, 1.0)

    monkeypatch.setattr(latency_module, "latencies", taken)
    monkeypatch.setattr(halving, "value_of", value_of)
    return trained


def test_the_most_accurate_shape_that_fits_is_chosen_and_what_is_too_slow_is_not_trained(
    made_up: list[tuple[str, int]],
) -> None:
    plan = plan_for()
    choice = fit_latency(plan, ["gru"], workshop(plan))
    assert (choice.chosen.width, choice.chosen.layers) == (64, 1)
    slow = {shape.name for shape in choice.shapes if not shape.fits}
    assert slow == {
        f"gru, width {width}, {layers}"
        for width, layers in (
            (128, "1 layer"),
            (256, "1 layer"),
            (64, "2 layers"),
            (128, "2 layers"),
            (256, "2 layers"),
        )
    }
    assert not slow & {name for name, _ in made_up}
    assert {shape.note for shape in choice.shapes if not shape.fits} == {"not trained: too slow"}
    assert any(shape.width == 16 for shape in choice.shapes), "the width that is set is among them"


def test_each_round_has_half_of_the_shapes_and_twice_the_epochs(made_up: list[tuple[str, int]]) -> None:
    plan = plan_for(**{"train.latency": "1h", "model.width": 32})
    assert fit_latency(plan, ["gru"], workshop(plan)).chosen.width == 256
    assert [epochs for _, epochs in made_up] == [2] * 8 + [4] * 4 + [8] * 2


def test_where_none_fits_the_fastest_is_named(made_up: list[tuple[str, int]]) -> None:
    plan = plan_for(**{"train.latency": "0.1ms"})
    with pytest.raises(
        ConfigError, match=r"no shape fits; the fastest is gru, width 16, 1 layer, which takes 0\.16 ms"
    ):
        fit_latency(plan, ["gru"], workshop(plan))
    assert made_up == []


def test_the_only_shape_that_fits_is_not_trained_to_be_compared(made_up: list[tuple[str, int]]) -> None:
    plan = plan_for(**{"train.latency": "0.2ms"})
    choice = fit_latency(plan, ["gru"], workshop(plan))
    assert (choice.chosen.width, choice.chosen.value, made_up) == (16, None, [])
    assert next(row[-1] for row in choice.rows() if row[-1].startswith("chosen")) == "chosen, the only one that fits"


def test_a_shape_whose_training_fails_is_behind_all_others(
    made_up: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = halving.value_of

    def value_of(plan: Plan, shape: Shape, *rest: Any) -> tuple[float, float]:
        if shape.width == 64:
            raise TrainingError("the loss is nan")
        return good(plan, shape, *rest)

    monkeypatch.setattr(halving, "value_of", value_of)
    plan = plan_for()
    choice = fit_latency(plan, ["gru"], workshop(plan))
    assert choice.chosen.width == 32
    assert next(shape for shape in choice.shapes if shape.width == 64).note == "the loss is nan"


def test_choosing_has_its_part_of_the_budget_and_every_shape_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency_module, "latencies", lambda *_, **__: Latencies(0.1, 0.1))
    monkeypatch.setattr(latency_module, "WIDTHS", (8, 32))
    monkeypatch.setattr(latency_module, "LAYERS", (1,))
    monkeypatch.setattr(halving, "FIRST_EPOCHS", 100_000)
    plan = plan_for(**{"train.epochs": 100_000, "train.patience": 100_000})
    began, given = time.monotonic(), []
    real = halving.train_network

    def noted(*arguments: Any, seconds: float, **options: Any) -> Any:
        given.append(seconds)
        return real(*arguments, seconds=seconds, **options)

    monkeypatch.setattr(halving, "train_network", noted)
    choice = fit_latency(plan, ["gru"], workshop(plan, deadline=began + 12))
    assert len(given) == 3
    assert len(set(given)) == 1, "three shapes, the same time"
    assert sum(given) <= 12 * halving.SHARE
    assert all(shape.value is not None for shape in choice.shapes)
    assert max(shape.epochs for shape in choice.shapes) < 100_000


def test_where_the_budget_bears_no_comparison_the_shape_that_is_set_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency_module, "latencies", lambda *_, **__: Latencies(0.1, 0.1))
    plan = plan_for()
    choice = fit_latency(plan, ["gru"], workshop(plan, deadline=time.monotonic() - 1))
    assert (choice.chosen.width, choice.chosen.layers) == (16, 1)
    assert remarks(choice) == {"chosen, as it was set: there was no time to compare", "not trained: out of time"}
    monkeypatch.setattr(latency_module, "latencies", lambda network, **_: Latencies(network.width != 16 or 2, 0.1))
    choice = fit_latency(plan, ["gru"], workshop(plan, deadline=time.monotonic() - 1))
    assert (choice.chosen.width, choice.chosen.layers) == (256, 1)
    assert "chosen, the widest that fits: there was no time to compare" in remarks(choice)


def remarks(choice: LatencyChoice) -> set[str]:
    """What the table says of the shapes."""
    return {row[-1] for row in choice.rows()}


def test_a_choice_is_kept_for_a_training_that_goes_on(
    tmp_path: Path, made_up: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_for()
    shop = workshop(plan, folder=tmp_path, fingerprint="x")
    first = fit_latency(plan, ["gru"], shop)
    monkeypatch.setattr(latency_module, "latencies", None)
    assert fit_latency(plan, ["gru"], shop) == first


class Counted(Popularity):
    """Counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__(50, rule=SessionRule())
        self.counts = np.arange(50.0)
        self.steps, self.scored = 0, set[Any]()

    def step(self, event: Any, state: Any) -> Any:
        self.steps += 1
        return {**state, "time": event.time}

    def score(self, query: Any, candidates: Any = None) -> Any:
        self.scored.add(candidates)
        return np.tile(np.arange(50, dtype=np.float32), (1, 1))

    def query(self, state: Any, now: Any = None) -> Any:
        return state["time"]


def test_an_event_is_absorbed_and_the_whole_catalog_scored_on_one_thread() -> None:
    threads, model = torch.get_num_threads(), Counted()
    found = latencies(model, excluded=5)
    assert model.steps >= latency_module.FEWEST
    assert model.scored == {None}, "no choice of candidates"
    assert 0 < found.own < 50
    assert torch.get_num_threads() == threads
    assert K == 20


def test_the_limit_chooses_the_shape_of_a_trained_model_and_says_so_in_its_card() -> None:
    settings = {**QUICK, "train.latency": "10s", "train.epochs": 1}
    recommender = segue.fit(clicks(), settings=settings)
    choice = recommender.artifact.metrics["latency"]
    assert isinstance(choice, LatencyChoice)
    assert all(shape.fits and shape.value is not None for shape in choice.shapes)
    assert choice.chosen.value == max(shape.value or 0 for shape in choice.shapes)
    assert recommender.artifact.settings.model.width == choice.chosen.width
    assert recommender.artifact.facts.settings["layers"] == choice.chosen.layers
    assert "## How fast it is" in recommender.artifact.card
    assert choice.chosen.name in recommender.artifact.card


@pytest.mark.slow
def test_the_command_prints_the_shapes_and_keeps_them(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    log = shop_of(tmp_path_factory) / "clicks.csv"
    out = tmp_path / "model"
    told = Ran(capsys, "train", log, "--out", out, "--latency", "10s", *SMALL)
    assert told.status == 0, told.err
    assert "an event and its list of 20 among 12 items, limit 10000 ms" in told.out
    assert "chosen" in told.out
    assert len(segue.load(out).artifact.metrics["latency"]["shapes"]) == 10
    Ran(capsys, "train", log, "--out", out, "--overwrite", "--latency", "0.0001ms", *SMALL).failed(2, "no shape fits")
    Ran(capsys, "train", log, "--out", out, "--overwrite", "--latency", "soon", *SMALL).failed(2, "train.latency is")
    Ran(capsys, "train", log, "--out", out, "--overwrite", "--model", "gru,sknn", *SMALL).failed(2, "segue compare")
    both = ["--model", "sknn", "--latency", "1s"]
    Ran(capsys, "train", log, "--out", out, "--overwrite", *both, *SMALL).failed(2, "`sknn` is a baseline")
