"""The gated cell by hand: forward, back-propagation through time and the update, in NumPy alone.

    i_t, f_t, o_t = sigmoid(W x_t + U h_{t-1} + b), each with its own W, U and b
    n_t = tanh(W_n x_t + U_n h_{t-1} + b_n)
    h_t = f_t * h_{t-1} + i_t * n_t        y_t = o_t * tanh(h_t)        h_0 = 0
    p_t = V y_t + c                        L = 1 / (2 B) * sum over t, rows and outputs of (p_t - target_t)^2

The state is h alone, and the gates read h_{t-1} where those of an LSTM (Hochreiter and Schmidhuber 1997; forget gate:
Gers, Schmidhuber and Cummins 2000) read y_{t-1}. Back-propagation through time: Werbos 1990. The derivation is in
docs/by_hand.md.

Letters: T steps, B rows, D inputs, H hidden, O outputs. The four of a gate axis are i, f, o and n, in this order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.errors import ConfigError
from segue.rng import stream
from segue.shapes import Doubles


class Weights(NamedTuple):
    """Every weight and bias; gradients have the same form."""

    w: Doubles
    """From the inputs to i, f, o and n: (4, H, D)."""
    u: Doubles
    """From the state before to i, f, o and n: (4, H, H)."""
    b: Doubles
    """Biases of i, f, o and n: (4, H)."""
    v: Doubles
    """The output layer: (O, H)."""
    c: Doubles
    """Biases of the output layer: (O,)."""


class Trace(NamedTuple):
    """What `forward` computed, and `backward` needs."""

    x: Doubles
    """The inputs: (T, B, D)."""
    h: Doubles
    """The states, h_0 first: (T + 1, B, H)."""
    gates: Doubles
    """i, f, o and n: (T, 4, B, H)."""
    y: Doubles
    """The outputs of the cell: (T, B, H)."""
    p: Doubles
    """The predictions: (T, B, O)."""


def initial_weights(inputs: int, hidden: int, outputs: int, *, seed: int) -> Weights:
    """Weights uniform within 1 / sqrt(values that enter), biases zero; the same seed gives the same weights."""
    rng = stream(seed, "by hand")
    w, u, v = (
        rng.uniform(-1, 1, shape) / np.sqrt(shape[-1])
        for shape in ((4, hidden, inputs), (4, hidden, hidden), (outputs, hidden))
    )
    return Weights(w, u, np.zeros((4, hidden)), v, np.zeros(outputs))


def sizes(weights: Weights) -> tuple[int, int, int]:
    """D, H and O of weights that fit one another. Raises ConfigError where they do not: NumPy would stretch some.

    >>> sizes(initial_weights(10, 5, 1, seed=1))
    (10, 5, 1)
    """
    # Slices, since a weight without axes has no last one.
    D, H, O = weights.w.shape[-1:], weights.u.shape[-1:], weights.v.shape[:1]  # noqa: E741
    shapes = Weights._fields, weights, ((4, *H, *D), (4, *H, *H), (4, *H), (*O, *H), O)
    for name, weight, shape in zip(*shapes, strict=True):
        if weight.shape != shape:
            raise ConfigError(f"the weights {name} have the shape {weight.shape}; expected {shape} beside the others")
    return D[0], H[0], O[0]


def step(weights: Weights, x: Doubles, h: Doubles) -> tuple[Doubles, Doubles, Doubles, Doubles]:
    """One step: x (B, D) and the state before, (B, H), to gates (4, B, H), state (B, H), y (B, H) and p (B, O)."""
    gates = x @ weights.w.swapaxes(1, 2) + h @ weights.u.swapaxes(1, 2) + weights.b[:, None]
    # sigmoid(z) = (1 + tanh(z / 2)) / 2, which does not overflow.
    gates[:3] = 0.5 + 0.5 * np.tanh(0.5 * gates[:3])
    gates[3] = np.tanh(gates[3])
    i, f, o, n = gates
    h = f * h + i * n
    y = o * np.tanh(h)
    return gates, h, y, y @ weights.v.T + weights.c


def forward(weights: Weights, x: Doubles, h_0: Doubles | None = None) -> Trace:
    """`step` along time: x (T, B, D), from h_0 (B, H), zero if there is none. Raises ConfigError on other shapes."""
    D, H, O = sizes(weights)  # noqa: E741
    if x.ndim != 3 or x.shape[2] != D:
        raise ConfigError(f"x has the shape {x.shape}; expected (T, B, {D}): steps, rows, inputs")
    T, B, _ = x.shape
    trace = Trace(x, np.zeros((T + 1, B, H)), np.empty((T, 4, B, H)), np.empty((T, B, H)), np.empty((T, B, O)))
    if h_0 is not None:
        if h_0.shape != (B, H):
            raise ConfigError(f"h_0 has the shape {h_0.shape}; expected {(B, H)}: rows, hidden")
        trace.h[0] = h_0
    for t in range(T):
        trace.gates[t], trace.h[t + 1], trace.y[t], trace.p[t] = step(weights, x[t], trace.h[t])
    return trace


def loss(p: Doubles, target: Doubles) -> float:
    """Half the squared error, summed over steps and outputs, averaged over rows: p and target (T, B, O).

    >>> loss(np.array([[[1.0]], [[2.0]]]), np.array([[[0.0]], [[5.0]]]))  # (1 + 9) / 2
    5.0
    """
    if p.shape != target.shape:
        raise ConfigError(f"target has the shape {target.shape}; expected {p.shape}: steps, rows, outputs")
    return float(np.square(p - target).sum() / (2 * p.shape[1]))


def backward(weights: Weights, trace: Trace, target: Doubles) -> tuple[Weights, Doubles]:
    """The gradients of `loss` for every weight and bias, and for h_0 (B, H); target (T, B, O).

    With d_t = dL / dh_t, the last step first, a the values before sigmoid and tanh, e_t = (p_t - target_t) / B:

        d_t     = (V' e_t) * o_t * (1 - tanh(h_t)^2) + what step t + 1 hands back
        da_i    = d_t * n_t * i_t * (1 - i_t)                   da_f = d_t * h_{t-1} * f_t * (1 - f_t)
        da_o    = (V' e_t) * tanh(h_t) * o_t * (1 - o_t)        da_n = d_t * i_t * (1 - n_t^2)
        handed back = d_t * f_t + U_i' da_i + U_f' da_f + U_o' da_o + U_n' da_n
    """
    if trace.p.shape != target.shape:
        raise ConfigError(f"target has the shape {target.shape}; expected {trace.p.shape}: steps, rows, outputs")
    e = (trace.p - target) / target.shape[1]
    to_y = e @ weights.v
    da = np.empty_like(trace.gates)
    back = np.zeros_like(trace.h[0])
    for t in reversed(range(len(e))):
        i, f, o, n = trace.gates[t]
        squashed = np.tanh(trace.h[t + 1])
        d = to_y[t] * o * (1 - squashed**2) + back
        da[t, 0] = d * n * i * (1 - i)
        da[t, 1] = d * trace.h[t] * f * (1 - f)
        da[t, 2] = to_y[t] * squashed * o * (1 - o)
        da[t, 3] = d * i * (1 - n**2)
        back = d * f + (da[t] @ weights.u).sum(0)
    gradients = Weights(
        w=np.einsum("tgbh,tbd->ghd", da, trace.x),
        u=np.einsum("tgbh,tbk->ghk", da, trace.h[:-1]),
        b=da.sum((0, 2)),
        v=np.einsum("tbo,tbh->oh", e, trace.y),
        c=e.sum((0, 1)),
    )
    return gradients, back


def descend(weights: Weights, gradients: Weights, learning_rate: float) -> Weights:
    """Stochastic gradient descent, every weight and bias: weight - learning_rate * gradient."""
    return Weights(*(weight - learning_rate * slope for weight, slope in zip(weights, gradients, strict=True)))
