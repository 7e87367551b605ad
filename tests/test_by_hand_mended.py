"""What the source text had wrong in the gated cell and its program, each shown to fail (list: docs/by_hand.md)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from hand_made import drawn, named, numerical
from segue.by_hand import Trace, Weights, backward, descend, forward, initial_weights, loss
from segue.errors import ConfigError
from segue.shapes import Doubles

ROOT = Path(__file__).parents[1]
PROGRAM = ROOT / "examples" / "gated_rnn_by_hand.py"
EXACT = 1e-8

# What a step hands back to h_{t-1}, from d = dL / dh_t, f_t, h_{t-1} and paths = U' da for i, f, o and n: (4, B, H).
HandedBack = Callable[[Doubles, Doubles, Doubles, Doubles], Doubles]
I, F, O, N = range(4)  # noqa: E741


def right(d: Doubles, f: Doubles, h: Doubles, paths: Doubles) -> Doubles:
    return d * f + paths.sum(0)


# Each reading of a delta that "drops the gate paths and multiplies by h".
OF_THE_TEXT: dict[str, HandedBack] = {
    "no gate paths": lambda d, f, h, paths: d * f + paths[N],
    "times h": lambda d, f, h, paths: right(d, f, h, paths) * h,
    "no gate paths, times h": lambda d, f, h, paths: (d * f + paths[N]) * h,
    "the road of f alone": lambda d, f, h, paths: d * f,
    "the road of f alone, times h": lambda d, f, h, paths: d * f * h,
}
ONE_LEFT_OUT: dict[str, HandedBack] = {
    "no h * f": lambda d, f, h, paths: paths.sum(0),
    "no path of i": lambda d, f, h, paths: d * f + paths[[F, O, N]].sum(0),
    "no path of f": lambda d, f, h, paths: d * f + paths[[I, O, N]].sum(0),
    "no path of o": lambda d, f, h, paths: d * f + paths[[I, F, N]].sum(0),
    "no path of n": lambda d, f, h, paths: d * f + paths[[I, F, O]].sum(0),
}
WRONG = pytest.mark.parametrize("wrong", [pytest.param(v, id=k) for k, v in {**OF_THE_TEXT, **ONE_LEFT_OUT}.items()])


def propagated(weights: Weights, trace: Trace, target: Doubles, handed_back: HandedBack) -> dict[str, Doubles]:
    """Gradients in the plain way, step by step and gate by gate, with a rule of one's own for h_{t-1}."""
    total = Weights(*(np.zeros_like(part) for part in weights))
    back = np.zeros_like(trace.h[0])
    for t in reversed(range(len(target))):
        (i, f, o, n), h, e = trace.gates[t], trace.h[t], (trace.p[t] - target[t]) / target.shape[1]
        squashed = np.tanh(trace.h[t + 1])
        d = e @ weights.v * o * (1 - squashed**2) + back
        da = np.stack(
            [d * n * i * (1 - i), d * h * f * (1 - f), e @ weights.v * squashed * o * (1 - o), d * i * (1 - n**2)]
        )
        for gate in range(4):
            total.w[gate] += da[gate].T @ trace.x[t]
            total.u[gate] += da[gate].T @ h
            total.b[gate] += da[gate].sum(0)
        total.v[:] += e.T @ trace.y[t]
        total.c[:] += e.sum(0)
        back = handed_back(d, f, h, da @ weights.u)
    return named(total, back)


def off(gradients: dict[str, Doubles], seed: int, T: int, *names: str) -> float:
    """How far gradients are from the numerical ones, as a share of these; of all names but h_0 where none is given."""
    names = names or Weights._fields
    found, slopes = (np.concatenate([part[n].ravel() for n in names]) for part in (gradients, numerical(seed, T)))
    return float(np.linalg.norm(found - slopes) / np.linalg.norm(slopes))


@pytest.mark.parametrize("T", [1, 2, 7])
def test_all_five_roads_pass_the_check(T: int) -> None:
    weights, x, h_0, target = drawn(1, T)
    trace = forward(weights, x, h_0)
    gradients = propagated(weights, trace, target, right)
    assert off(gradients, 1, T) < EXACT
    for name, part in named(*backward(weights, trace, target)).items():
        assert_allclose(part, gradients[name], rtol=1e-10, atol=1e-12, err_msg=name)


@WRONG
@pytest.mark.parametrize("T", [2, 7])
@pytest.mark.parametrize("seed", range(3))
def test_a_delta_without_the_gates_or_multiplied_by_h_fails_the_check(seed: int, T: int, wrong: HandedBack) -> None:
    weights, x, h_0, target = drawn(seed, T)
    gradients = propagated(weights, forward(weights, x, h_0), target, wrong)
    assert off(gradients, seed, T) > 1e-3
    assert off(gradients, seed, T, "h_0") > 1e-3
    assert off(gradients, seed, T, "v", "c") < EXACT, "they do not lie behind the recurrence"


@WRONG
def test_a_single_step_does_not_show_a_wrong_delta(wrong: HandedBack) -> None:
    weights, x, h_0, target = drawn(1, 1)
    gradients = propagated(weights, forward(weights, x, h_0), target, wrong)
    assert off(gradients, 1, 1) < EXACT
    assert off(gradients, 1, 1, "h_0") > 1e-3


def test_a_loss_of_the_other_sign_climbs() -> None:
    weights, x, h_0, target = drawn(1, 7)
    losses, falling = [], weights
    for _ in range(20):
        trace = forward(falling, x, h_0)
        losses.append(loss(trace.p, target))
        gradients = backward(falling, trace, target)[0]
        falling = descend(falling, Weights(*(-part for part in gradients)), 0.003)
    assert np.all(np.diff(losses) > 0)
    other = {name: -part for name, part in named(*backward(weights, forward(weights, x, h_0), target)).items()}
    assert_allclose(off(other, 1, 7), 2, rtol=1e-6)


def test_gates_that_ignore_h_are_another_cell() -> None:
    weights, x, h_0, target = drawn(1, 7)
    blind = weights._replace(u=np.concatenate([np.zeros_like(weights.u[:3]), weights.u[3:]]))
    seeing, unseeing = forward(weights, x, h_0), forward(blind, x, h_0)
    assert np.abs(seeing.gates[:, :3] - unseeing.gates[:, :3]).max() > 0.3
    assert np.abs(seeing.p - unseeing.p).max() > 0.3
    # The loss leans on each of the three matrices that such gates lack.
    assert all(np.linalg.norm(slopes) > 0.1 for slopes in numerical(1, 7)["u"][:3])
    assert off(propagated(weights, unseeing, target, right), 1, 7) > 0.1
    # From h_0 = 0 the first step does not show it.
    assert_array_equal(forward(weights, x).p[0], forward(blind, x).p[0])


def test_shapes_that_do_not_fit_are_refused() -> None:
    weights = initial_weights(10, 5, 1, seed=1)
    assert forward(weights, np.ones((100, 1, 10))).p.shape == (100, 1, 1)
    for wrong in (
        weights._replace(w=weights.w.swapaxes(1, 2)),
        weights._replace(u=weights.w),
        weights._replace(v=weights.v.T),
    ):
        with pytest.raises(ConfigError, match=r"expected .* beside the others"):
            forward(wrong, np.ones((100, 1, 10)))
    with pytest.raises(ConfigError, match=r"expected \(T, B, 10\)"):
        forward(weights, np.ones((100, 10)))


def told(text: str) -> tuple[list[float], list[int], list[float]]:
    """What the program prints: losses, their epochs, then prediction, right value, mean error, and that of a mean."""
    lines = re.findall(r"^loss: (\d+\.\d+)  \(epoch (\d+)\)$", text, re.M)
    last = re.search(
        r"^prediction: (\S+)  \(right: (\S+)\)\nmean error: (\S+)  \(without a network: (\S+)\)\n", text, re.M
    )
    assert last is not None, text
    return [float(value) for value, _ in lines], [int(epoch) for _, epoch in lines], [float(v) for v in last.groups()]


def ran() -> str:
    found = subprocess.run([sys.executable, "-W", "error", str(PROGRAM)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""
    return found.stdout


def test_the_program_runs_its_loss_falls_and_its_prediction_is_right() -> None:
    text = ran()
    losses, epochs, (prediction, truth, error, without) = told(text)
    assert epochs == [1, *range(100, 1001, 100)]
    assert np.all(np.diff(losses) < 0), losses
    assert losses[-1] < losses[0] / 100
    assert abs(prediction - truth) < 0.1
    assert error < 0.06
    assert error < without / 5
    # The page shows what the program prints; the last digits are the processor's.
    shown = told((ROOT / "docs" / "by_hand.md").read_text("utf-8"))
    assert shown[1] == epochs
    assert_allclose(shown[0], losses, rtol=0.02)
    assert_allclose(shown[2], (prediction, truth, error, without), atol=0.01)
