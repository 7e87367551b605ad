"""What every registered loss must fulfil, and the two that ship against independent implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from segue.errors import ConfigError
from segue.training.losses import LOSSES, Loss, Outputs, full, loss_of
from segue.training.negatives import Negatives

P, D, N = 7, 4, 12
COUNTS = np.array([50, 0, 3, 3, 20, 1, 1, 9, 0, 4, 2, 7])
EVERY = pytest.mark.parametrize("loss", [pytest.param(loss, id=name) for name, loss in LOSSES.items()])


def some(dtype: torch.dtype = torch.float64, *, scale: float = 1.0, draws: int = 10, rows: int = P) -> Outputs:
    torch.manual_seed(4)
    query, table, bias = (
        (scale * torch.randn(shape, dtype=torch.float64)).to(dtype).requires_grad_() for shape in ((P, D), (N, D), (N,))
    )
    target = torch.tensor([0, 4, 4, 11, 2, 7, 0])[:rows]
    return Outputs(query[:rows], table, bias, target, Negatives(COUNTS), draws, torch.Generator().manual_seed(8))


def leaves(outputs: Outputs) -> list[Tensor]:
    return [outputs.query, outputs.table, outputs.bias]


def seeded(outputs: Outputs, seed: int = 8) -> Outputs:
    return outputs._replace(generator=torch.Generator().manual_seed(seed))


def test_a_loss_is_found_by_its_name() -> None:
    for name, loss in LOSSES.items():
        assert loss_of(name) is loss
    with pytest.raises(ConfigError, match=r"`ful` is not a loss.*full"):
        loss_of("ful")


@EVERY
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [0.0, 1.0, 10.0], ids=["zero", "usual", "in the hundreds"])
def test_value_and_gradients_are_finite(loss: Loss, dtype: torch.dtype, scale: float) -> None:
    outputs = some(dtype, scale=scale)
    value = loss(outputs)
    assert value.shape == ()
    assert value.dtype == dtype
    assert value > 0
    gradients = torch.autograd.grad(value, leaves(outputs))
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert gradients[2].any()


@EVERY
def test_the_loss_falls_as_the_score_of_the_target_rises(loss: Loss) -> None:
    outputs = some(rows=1)
    values = []
    for rise in (0.0, 0.1, 1.0, 5.0):
        bias = outputs.bias.detach().clone()
        bias[outputs.target] += rise
        values.append(float(loss(seeded(outputs)._replace(bias=bias)).detach()))
    assert values == sorted(set(values), reverse=True)


@EVERY
def test_a_step_against_the_gradient_lowers_the_loss(loss: Loss) -> None:
    outputs = some()
    before = loss(seeded(outputs))
    gradients = torch.autograd.grad(before, leaves(outputs))
    moved = [leaf.detach() - 1e-3 * gradient for leaf, gradient in zip(leaves(outputs), gradients, strict=True)]
    after = loss(seeded(outputs)._replace(query=moved[0], table=moved[1], bias=moved[2]))
    fall = 1e-3 * sum(float((gradient**2).sum()) for gradient in gradients)
    assert float(before.detach() - after) == pytest.approx(fall, rel=0.05)


@EVERY
def test_it_is_a_mean_over_the_rows(loss: Loss) -> None:
    outputs = some()
    single = [
        loss(seeded(outputs)._replace(query=outputs.query[p : p + 1], target=outputs.target[p : p + 1]))
        for p in range(P)
    ]
    torch.testing.assert_close(loss(seeded(outputs)), torch.stack(single).mean(), atol=1e-12, rtol=0)


@pytest.mark.parametrize("chunk", [1, 3, P, 512])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_full_is_the_cross_entropy_of_torch_whatever_the_chunk(
    chunk: int, dtype: torch.dtype, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full, "CHUNK", chunk)
    outputs = some(dtype)
    found = LOSSES["full"](outputs)
    expected = F.cross_entropy(outputs.query @ outputs.table.T + outputs.bias, outputs.target)
    torch.testing.assert_close(found, expected, atol=tolerance, rtol=tolerance)
    torch.testing.assert_close(
        torch.autograd.grad(3 * found, leaves(outputs)),
        torch.autograd.grad(3 * expected, leaves(outputs)),
        atol=tolerance,
        rtol=tolerance,
    )


def by_hand(outputs: Outputs, drawn: list[int]) -> float:
    """The formula of `sampled_softmax`, a row and a drawn item at a time."""
    query, table, bias = (leaf.detach().double().numpy() for leaf in leaves(outputs))
    probability = 0.5 / N + 0.5 * COUNTS / COUNTS.sum()
    losses = []
    for q, t in zip(query, outputs.target.tolist(), strict=True):
        own = math.exp(q @ table[t] + bias[t])
        others = [math.exp(q @ table[i] + bias[i]) / (len(drawn) * probability[i]) for i in drawn if i != t]
        losses.append(-math.log(own / (own + sum(others))))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("draws", [2, 10, 50])
def test_sampled_is_its_formula_for_the_items_drawn(draws: int) -> None:
    outputs = some(draws=draws)
    drawn = outputs.negatives.draw(draws, torch.Generator().manual_seed(8)).tolist()
    assert float(LOSSES["sampled"](outputs).detach()) == pytest.approx(by_hand(outputs, drawn), rel=1e-6)


def test_a_drawn_item_that_is_the_target_is_left_out_of_that_row_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = some(rows=2, draws=3)._replace(target=torch.tensor([0, 4]))
    monkeypatch.setattr(outputs.negatives, "draw", lambda count, generator: torch.tensor([4, 4, 0]))
    assert float(LOSSES["sampled"](outputs).detach()) == pytest.approx(by_hand(outputs, [4, 4, 0]), rel=1e-6)
    (to_query,) = torch.autograd.grad(LOSSES["sampled"](outputs), [outputs.query])
    assert to_query.abs().sum(1).min() > 0


def test_a_row_whose_draws_are_all_its_target_costs_nothing_and_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = some(rows=1, draws=2)
    monkeypatch.setattr(outputs.negatives, "draw", lambda count, generator: torch.tensor([0, 0]))
    value = LOSSES["sampled"](outputs)
    assert float(value.detach()) == 0.0
    assert not any(gradient.any() for gradient in torch.autograd.grad(value, leaves(outputs)))


def test_many_sampled_losses_average_to_the_full_one() -> None:
    """200 losses of 400 draws: within 0.02 (Jensen takes 0.01); without the correction the mean is 0.09 off."""
    outputs = some(draws=400)
    with torch.no_grad():
        expected = float(LOSSES["full"](outputs))
        found = np.mean([float(LOSSES["sampled"](seeded(outputs, seed))) for seed in range(200)])
    assert found == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("counts", [COUNTS, np.zeros(N, np.int64)], ids=["some", "none"])
def test_items_are_drawn_as_often_as_their_probability_says(counts: np.ndarray) -> None:
    negatives = Negatives(counts)
    draws = 200_000
    found = np.bincount(negatives.draw(draws, torch.Generator().manual_seed(1)).numpy(), minlength=N) / draws
    probability = np.exp(negatives.log_probability.numpy().astype(np.float64))
    assert probability.sum() == pytest.approx(1, abs=1e-6)
    share = counts / counts.sum() if counts.any() else np.full(N, 1 / N)
    np.testing.assert_allclose(probability, 0.5 / N + 0.5 * share, rtol=1e-6)
    # five standard deviations of a count of 200,000
    assert (np.abs(found - probability) < 5 * np.sqrt(probability / draws)).all()


def test_the_same_generator_state_draws_the_same_items_and_another_draws_others() -> None:
    draw = Negatives(COUNTS).draw
    first, again, other = (draw(31, torch.Generator().manual_seed(seed)).tolist() for seed in (1, 1, 2))
    assert len(first) == 31
    assert first == again != other
