"""A network whose scores are cosines."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

import segue
from segue.choices import settings_tree
from segue.data.synthetic import noisy_chain
from segue.models.base import Event, SessionRule, fold
from segue.models.network import Network
from segue.shapes import Floats
from segue.training.loop import train_network
from segue.training.networks import new_network
from segue.training.plan import plan_of

N, D, T, B = 11, 6, 7, 3
SCALE = 5.0
EVERY_BLOCK = pytest.mark.parametrize("block", ["plain", "residual"])


def network(block: str) -> Network:
    torch.manual_seed(3)
    model = Network(N, rule=SessionRule(60.0, "mark"), width=D, block=block, layers=2, cosine=SCALE)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    model.eval().settle()
    return model


def events() -> Event:
    rng = np.random.default_rng(4)
    return Event(
        rng.integers(0, N, (T, B)).astype(np.int32),
        np.arange(T * B, dtype=float).reshape(T, B),
        rng.random((T, B)) < 0.3,
    )


def lengths(vectors: Floats) -> Floats:
    found: Floats = np.linalg.norm(vectors, axis=-1)
    return found


@EVERY_BLOCK
def test_a_score_is_the_scaled_cosine_and_the_bias(block: str) -> None:
    model, starts = network(block), np.zeros((T, B), bool)
    queries, state = model.scan(events(), starts, model.initial_state(B))
    direction = queries / lengths(queries)[..., None]
    table = model.arrays()["table"]
    expected = SCALE * direction @ (table / lengths(table)[:, None]).T + model.arrays()["bias"]
    assert np.abs(model.score(queries[-1]) - expected[-1]).max() < 1e-5
    assert np.abs(lengths(queries) - SCALE).max() < 1e-5
    assert np.abs(lengths(model.item_vectors()) - 1).max() < 1e-6
    folded, last = fold(model, events(), starts, model.initial_state(B))
    assert np.abs(queries - folded).max() < 1e-5
    assert np.abs(model.query(last) - model.query(state)).max() < 1e-5


@EVERY_BLOCK
def test_the_lengths_of_items_decide_nothing_in_training_either(block: str) -> None:
    model = network(block).train()
    stretched = network(block).train()
    with torch.no_grad():
        stretched.table.mul_(torch.linspace(0.5, 3.0, N).unsqueeze(1))
    torch.manual_seed(0)
    item, opens = torch.randint(N, (T, B)), torch.zeros(T, B, dtype=torch.bool)
    found: list[Any] = []
    for one in (model, stretched):
        torch.manual_seed(1)
        x, starts = one.inputs(item, None, opens), torch.zeros(T, B, dtype=torch.bool)
        y, _ = one.unroll(x, starts, one.stack.initial_state(B))
        found.append(y @ one.directed(one.table).T)
    torch.testing.assert_close(found[0], found[1])


def test_before_the_first_event_the_bias_ranks_alone() -> None:
    model = network("residual")
    assert np.array_equal(model.score(model.query(model.initial_state(1)))[0], model.arrays()["bias"])


@pytest.mark.parametrize("loss", ["full", "bpr-max"])
def test_it_learns_a_chain_and_is_read_back_with_the_same_bits(loss: str, tmp_path: Path) -> None:
    settings = {
        "model.width": 16,
        "model.cosine": 8.0,
        "train.loss": loss,
        "train.negatives": 16,
        "train.epochs": 12,
        "train.rows": 8,
        "train.learning_rate": 0.02,
        "train.threads": 1,
    }
    fitted = segue.fit(noisy_chain(80, 20, 30, follow=0.9), settings=settings)
    row = next(row for row in fitted.trained_report.rows if row.model == "gru")
    assert (row.metrics["hr@10"].value or 0) > 0.7, "half by chance"
    fitted.save(tmp_path / "model")
    again = segue.load(tmp_path / "model")
    before, after = fitted.artifact.model.arrays(), again.artifact.model.arrays()
    assert all(np.array_equal(before[name], after[name]) for name in before)


@EVERY_BLOCK
def test_to_look_at_a_network_in_training_changes_nothing_of_what_it_learns(block: str) -> None:
    plan = plan_of(
        noisy_chain(60, 20, 20, follow=0.9),
        settings_tree(None, (), {"model.width": 8, "model.cosine": 8.0, "model.block": block, "train.threads": 1}),
    )
    settings = msgspec.structs.replace(plan.settings.train, epochs=3, rows=4, patience=9)
    learned: list[Any] = []
    for looks, seconds in ((False, None), (True, None), (True, 1e9)):
        better = count()
        made = new_network("gru", len(plan.choose.catalog), plan.rule, plan.settings)
        train_network(
            made,
            plan.choose.learned,
            settings,
            seed=1,
            validate=(lambda better=better: float(next(better))) if looks else None,  # type: ignore[misc]
            seconds=seconds,
        )
        learned.append(made.arrays())
    for name, array in learned[0].items():
        assert np.array_equal(array, learned[1][name]), name
        assert np.array_equal(array, learned[2][name]), name
    assert np.abs(lengths(learned[0]["table"]) - 1).max() < 1e-6, "rows of length 1 are what is kept"


@EVERY_BLOCK
def test_scores_are_cosines_before_training_is_over_too(block: str) -> None:
    torch.manual_seed(3)
    model = Network(N, rule=SessionRule(60.0, "mark"), width=D, block=block, cosine=SCALE).eval()
    with torch.no_grad():
        model.table.mul_(torch.linspace(0.5, 3.0, N).unsqueeze(1))
        model.bias.zero_()
    queries, _ = model.scan(events(), np.zeros((T, B), bool), model.initial_state(B))
    before = model.score(queries[-1])
    assert np.abs(before).max() <= SCALE + 1e-4
    model.settle()
    assert np.abs(model.score(queries[-1]) - before).max() < 1e-5
