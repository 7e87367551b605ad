"""What moves of a network that goes on learning: what is frozen keeps every bit, and the rest is held back as asked."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from msgspec.structs import asdict

from segue.config import TrainSettings
from segue.data.sessions import Sequences, lay_out
from segue.data.synthetic import noisy_chain
from segue.models.base import SessionRule
from segue.models.network import Network
from segue.training.course import OF_ITEMS, Course, Held, items_alone
from segue.training.loop import train_network
from segue.training.losses import LOSSES

N, KNOWN = 12, 8
SETTINGS = TrainSettings(epochs=2, rows=4, window=6, learning_rate=0.01, weight_decay=0.1, warmup=0.25, threads=1)
LOSSES_TRIED = ["full", next(name for name, one in LOSSES.items() if one.samples)]


def sequences() -> Sequences:
    return lay_out(noisy_chain(10, 17, N, follow=0.8), gap=None, at_session_start="reset")


def network(**shape: Any) -> Network:
    torch.manual_seed(1)
    made = Network(N, rule=SessionRule(), width=6, **shape)
    torch.nn.init.normal_(made.bias, std=0.1)
    return made


def moved(course: Course | None, shape: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """By parameter, which rows (or whether a vector) changed by a training."""
    made = network(**(shape or {}))
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    train_network(made, sequences(), TrainSettings(**{**asdict(SETTINGS), **settings}), seed=1, course=course)
    return {name: (tensor != before[name]) for name, tensor in made.state_dict().items()}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("loss", LOSSES_TRIED)
def test_a_frozen_core_keeps_every_bit_while_items_learn(loss: str, threads: int) -> None:
    found = moved(Course(moves=items_alone), {"time_gap": True}, loss=loss, threads=threads)
    assert {name for name, changed in found.items() if changed.any()} == set(OF_ITEMS)
    assert all(changed.any() for changed in moved(None, {"time_gap": True}, loss=loss, threads=threads).values())


@pytest.mark.parametrize("shape", [{}, {"block": "residual", "cosine": 16.0}], ids=["plain", "residual, cosine"])
@pytest.mark.parametrize("loss", LOSSES_TRIED)
def test_held_items_keep_every_bit_while_new_ones_and_all_biases_learn(loss: str, shape: dict[str, Any]) -> None:
    made = network(**shape)
    made.settle()  # as a trained one is: vectors of length 1 stay as they are, where only directions count
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    settings = TrainSettings(**{**asdict(SETTINGS), "loss": loss})
    train_network(made, sequences(), settings, seed=1, course=Course(known=KNOWN, hold=True))
    assert torch.equal(made.table[:KNOWN], before["table"][:KNOWN])
    assert (made.table[KNOWN:] != before["table"][KNOWN:]).any(1).all()
    assert (made.bias != before["bias"]).all()
    assert all((tensor != before[name]).any() for name, tensor in made.state_dict().items())


@pytest.mark.parametrize("rows", [None, torch.tensor([2, 9, 11])], ids=["all rows", "rows in play"])
def test_what_is_held_has_no_part_in_the_length_that_is_clipped(rows: torch.Tensor | None) -> None:
    count = N if rows is None else len(rows)
    leaves = {name: torch.zeros(count, 2, requires_grad=True) for name in ("table", "stack.layers.0.w")}
    for leaf in leaves.values():
        leaf.grad = torch.ones_like(leaf)
    Held(network(), Course(moves=items_alone, known=KNOWN, hold=True)).drop_gradients(leaves, 0, rows)
    assert leaves["stack.layers.0.w"].grad is None
    grad = leaves["table"].grad
    assert grad is not None
    assert grad.any(1).tolist() == [item >= KNOWN for item in (range(N) if rows is None else rows.tolist())]


def test_parts_may_join_later() -> None:
    """The layers learn from the second epoch on: after one they are as they were, after two they are not."""

    def moves(name: str, epoch: int) -> bool:
        return name in OF_ITEMS or epoch >= 1

    first = moved(Course(moves=moves), epochs=1)
    assert not any(changed.any() for name, changed in first.items() if name.startswith("stack"))
    second = moved(Course(moves=moves), epochs=2)
    assert all(changed.any() for name, changed in second.items())


@pytest.mark.parametrize("loss", LOSSES_TRIED)
def test_a_pull_draws_known_items_and_the_core_back_and_leaves_new_items_free(loss: str) -> None:
    distance = {}
    for pull in (0.0, 50.0, 1e9):
        made = network()
        before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
        settings = TrainSettings(**{**asdict(SETTINGS), "loss": loss, "weight_decay": 0.0})
        train_network(made, sequences(), settings, seed=1, course=Course(known=KNOWN, pull=pull))
        parts = {"stack": "stack.layers.0.w", "table": "table", "bias": "bias"}
        distance[pull] = {
            part: float((made.state_dict()[name][:KNOWN] - before[name][:KNOWN]).norm()) for part, name in parts.items()
        }
        assert (made.table[KNOWN:] != before["table"][KNOWN:]).any(1).all()
    for part in ("stack", "table", "bias"):
        assert 0 < distance[50.0][part] < 0.8 * distance[0.0][part], part
        assert distance[1e9][part] == 0, "a step of the pull goes no further than all the way"


def test_without_a_course_training_is_as_it_was() -> None:
    one, other = network(), network()
    for made, course in ((one, None), (other, Course())):
        train_network(made, sequences(), SETTINGS, seed=1, course=course)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
