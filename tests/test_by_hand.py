"""The cell by hand: numerical gradients, PyTorch, the `gated` cell, shapes and the update."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from hand_made import B, D, H, drawn, named, numerical
from segue.by_hand import Weights, backward, descend, forward, initial_weights, loss, step
from segue.cells import CELLS
from segue.errors import ConfigError
from segue.shapes import Doubles

EXACT = {"atol": 1e-10, "rtol": 1e-10}
LENGTHS = pytest.mark.parametrize("T", [1, 2, 7])
SEEDS = pytest.mark.parametrize("seed", range(4))


@LENGTHS
@SEEDS
def test_gradients_are_those_of_central_differences(seed: int, T: int) -> None:
    weights, x, h_0, target = drawn(seed, T)
    gradients = named(*backward(weights, forward(weights, x, h_0), target))
    for name, slopes in numerical(seed, T).items():
        assert np.abs(slopes).max() > 1e-3, f"the check of {name} sees nothing"
        assert_allclose(gradients[name], slopes, rtol=1e-6, atol=1e-8, err_msg=name)


@LENGTHS
@SEEDS
def test_forward_and_gradients_are_those_of_pytorch(seed: int, T: int) -> None:
    weights, x, h_0, target = drawn(seed, T)
    leaves = [torch.tensor(part, requires_grad=True) for part in (*weights, h_0)]
    w, u, b, v, c, h = leaves
    states, outputs, predictions = [h], [], []
    for x_t in torch.tensor(x):
        i, f, o = (torch.sigmoid(x_t @ w[g].T + h @ u[g].T + b[g]) for g in range(3))
        h = f * h + i * torch.tanh(x_t @ w[3].T + h @ u[3].T + b[3])
        states.append(h)
        outputs.append(o * torch.tanh(h))
        predictions.append(outputs[-1] @ v.T + c)
    error = torch.stack(predictions) - torch.tensor(target)
    value = (error**2).sum() / (2 * B)

    trace = forward(weights, x, h_0)
    for ours, theirs in ((trace.h, states), (trace.y, outputs), (trace.p, predictions)):
        assert_allclose(ours, torch.stack(theirs).detach(), **EXACT)
    assert_allclose(loss(trace.p, target), value.item(), **EXACT)
    gradients = named(*backward(weights, trace, target))
    for (name, ours), theirs in zip(gradients.items(), torch.autograd.grad(value, leaves), strict=True):
        assert_allclose(ours, theirs, err_msg=name, **EXACT)


@LENGTHS
@SEEDS
def test_it_is_the_gated_cell(seed: int, T: int) -> None:
    weights, x, h_0, target = drawn(seed, T)
    cell = CELLS["gated"](D, H).double()
    with torch.no_grad():
        for name in ("w", "u", "b"):
            parameter = cell.get_parameter(name)
            parameter.copy_(torch.tensor(getattr(weights, name)).reshape(parameter.shape))
    start = torch.tensor(h_0, requires_grad=True)
    y, state = cell.scan(torch.tensor(x), torch.zeros(T, B, dtype=torch.bool), {"h": start})
    p = y @ torch.tensor(weights.v).T + torch.tensor(weights.c)
    (torch.square(p - torch.tensor(target)).sum() / (2 * B)).backward()

    trace = forward(weights, x, h_0)
    gradients, at_start = backward(weights, trace, target)
    assert_allclose(trace.y, y.detach(), **EXACT)
    assert_allclose(trace.h[-1], state["h"].detach(), **EXACT)
    assert_allclose(at_start, start.grad, **EXACT)
    for name in ("w", "u", "b"):
        ours = getattr(gradients, name)
        assert_allclose(ours, cell.get_parameter(name).grad.reshape(ours.shape), err_msg=name, **EXACT)


def test_one_unit_by_hand() -> None:
    # i = f = o = sigmoid(0) = 1/2 and n = tanh(1): h_1 = n / 2, h_2 = n / 4 + n / 2.
    weights = Weights(np.zeros((4, 1, 1)), np.zeros((4, 1, 1)), np.zeros((4, 1)), np.full((1, 1), 6.0), np.ones(1))
    weights.w[3] = 1
    trace = forward(weights, np.ones((2, 1, 1)))
    h = np.tanh(1) * np.array([0, 0.5, 0.75])
    assert_allclose(trace.h[:, 0, 0], h)
    assert_allclose(trace.p[:, 0, 0], 6 * 0.5 * np.tanh(h[1:]) + 1)


def test_two_halves_are_the_whole() -> None:
    weights, x, h_0, _ = drawn(seed=5, T=7)
    whole, first = forward(weights, x, h_0), forward(weights, x[:3], h_0)
    rest = forward(weights, x[3:], first.h[-1])
    assert_array_equal(np.concatenate([first.p, rest.p]), whole.p)
    assert_array_equal(rest.h[-1], whole.h[-1])


def test_one_click_at_a_time_is_forward() -> None:
    weights, x, h, _ = drawn(seed=6, T=7)
    trace = forward(weights, x, h)
    for t in range(7):
        gates, h, y, p = step(weights, x[t], h)
        for ours, theirs in ((gates, trace.gates[t]), (h, trace.h[t + 1]), (y, trace.y[t]), (p, trace.p[t])):
            assert_array_equal(ours, theirs)


def test_no_state_is_the_state_zero() -> None:
    weights, x, h_0, _ = drawn(seed=7, T=2)
    assert_array_equal(forward(weights, x).p, forward(weights, x, np.zeros_like(h_0)).p)
    assert np.abs(forward(weights, x).p - forward(weights, x, h_0).p).max() > 0.1


def test_rows_do_not_meet_and_the_loss_is_their_mean() -> None:
    weights, x, h_0, target = drawn(seed=8, T=7)
    both = backward(weights, forward(weights, x, h_0), target)[0]
    rows = [slice(row, row + 1) for row in range(B)]
    alone = [backward(weights, forward(weights, x[:, r], h_0[r]), target[:, r])[0] for r in rows]
    for together, *apart in zip(both, *alone, strict=True):
        assert_allclose(together, np.mean(apart, 0), **EXACT)


def test_great_values_do_not_overflow() -> None:
    weights, x, h_0, _ = drawn(seed=9, T=2)
    trace = forward(weights, 1e6 * x, h_0)
    assert np.isfinite(trace.p).all()
    assert trace.gates[:, :3].min() >= 0


def test_a_step_lowers_the_loss_by_the_rate_times_the_square_of_the_gradient() -> None:
    weights, x, h_0, target = drawn(seed=10, T=7)
    trace = forward(weights, x, h_0)
    gradients, _ = backward(weights, trace, target)
    lower = loss(forward(weights=descend(weights, gradients, 1e-7), x=x, h_0=h_0).p, target)
    square = sum(np.square(part).sum() for part in gradients)
    assert_allclose((loss(trace.p, target) - lower) / 1e-7, square, rtol=1e-3)


def test_descent_lowers_the_loss_step_by_step() -> None:
    weights, x, h_0, target = drawn(seed=11, T=7)
    losses = []
    for _ in range(200):
        trace = forward(weights, x, h_0)
        losses.append(loss(trace.p, target))
        weights = descend(weights, backward(weights, trace, target)[0], 0.003)
    assert np.all(np.diff(losses) < 0)
    assert losses[-1] < losses[0] / 2


def test_first_weights_follow_the_seed() -> None:
    one, again, other = (initial_weights(9, 4, 2, seed=seed) for seed in (1, 1, 2))
    for part, same in zip(one, again, strict=True):
        assert_array_equal(part, same)
    assert np.abs(one.w - other.w).min() > 0
    assert [part.shape for part in one] == [(4, 4, 9), (4, 4, 4), (4, 4), (2, 4), (2,)]
    assert not one.b.any()
    assert not one.c.any()
    for part, entering in ((one.w, 9), (one.u, 4), (one.v, 4)):
        assert 0.8 < np.abs(part).max() * np.sqrt(entering) <= 1


@pytest.mark.parametrize(
    ("name", "shape"),
    [("w", (D, H)), ("w", (3, H, D)), ("u", (4, H, D)), ("b", (4, 1)), ("b", (H,)), ("v", (1, H, H)), ("c", (1,))],
)
def test_weights_that_do_not_fit_one_another_are_refused(name: str, shape: tuple[int, ...]) -> None:
    weights, x, _, _ = drawn(seed=12, T=2)
    with pytest.raises(ConfigError, match=r"the weights . have the shape .*; expected .* beside the others"):
        forward(weights._replace(**{name: np.zeros(shape)}), x)


@pytest.mark.parametrize("shape", [(7, D), (7, B, D + 1), (7, B, D, 1)])
def test_inputs_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"x has the shape .*; expected \(T, B, 3\): steps, rows, inputs"):
        forward(drawn(seed=12, T=2)[0], np.zeros(shape))


@pytest.mark.parametrize("shape", [(H,), (1, H), (B, H + 1)])
def test_a_state_that_does_not_fit_is_refused(shape: tuple[int, ...]) -> None:
    weights, x, _, _ = drawn(seed=12, T=2)
    with pytest.raises(ConfigError, match=r"h_0 has the shape .*; expected \(2, 6\): rows, hidden"):
        forward(weights, x, np.zeros(shape))


def of_loss(weights: Weights, x: Doubles, target: Doubles) -> None:
    loss(forward(weights, x).p, target)


def of_backward(weights: Weights, x: Doubles, target: Doubles) -> None:
    backward(weights, forward(weights, x), target)


@pytest.mark.parametrize("asked", [of_loss, of_backward])
def test_a_target_that_numpy_would_stretch_is_refused(asked) -> None:
    weights, x, _, target = drawn(seed=12, T=2)
    with pytest.raises(
        ConfigError, match=r"target has the shape \(2, 2, 1\); expected \(2, 2, 5\): steps, rows, outputs"
    ):
        asked(weights, x, target[..., :1])
