"""The linear recurrence h_t = a_t * h_{t-1} + b_t, on which several cells rest."""

from __future__ import annotations

from math import isqrt
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def linear_scan(a: Tensor, b: Tensor, h: Tensor) -> Tensor:
    """h_t = a_t * h_{t-1} + b_t for all t: a and b (T, B, H), the h before (B, H) to (T, B, H).

    On a processor a loop of one operation a step: what is multiplied with weights is outside of it. On a GPU, where a
    step waits for the one before longer than it works, about 2 sqrt(T) steps: pieces of sqrt(T) side by side, then what
    enters each piece. Both with gradients written out; a start is a_t = 0.
    """
    h_all: Tensor = _LinearScan.apply(a, b, h)  # type: ignore[no-untyped-call]
    return h_all


def in_steps(a: Tensor, b: Tensor, h: Tensor) -> Tensor:
    """The recurrence, one step after another."""
    out = torch.empty_like(b)
    for t in range(len(a)):
        h = torch.addcmul(b[t], a[t], h, out=out[t])
    return out


def in_pieces(a: Tensor, b: Tensor, h: Tensor) -> Tensor:
    """The recurrence in pieces of sqrt(T): each from zero, all at once; then what enters each, times what is kept.

    Blelloch 1990, with two levels. Only products of factors are formed, never quotients: no a is too small for it.
    """
    T, size = len(a), max(1, isqrt(len(a)))
    more = -T % size
    if more:  # steps that change nothing
        a = torch.cat([a, torch.ones_like(a[:1]).expand(more, *a.shape[1:])])
        b = torch.cat([b, torch.zeros_like(b[:1]).expand(more, *b.shape[1:])])
    a, b = (part.view(-1, size, *part.shape[1:]) for part in (a, b))
    kept, local = [a[:, 0]], [b[:, 0]]
    for step in range(1, size):
        kept.append(a[:, step] * kept[-1])
        local.append(torch.addcmul(b[:, step], a[:, step], local[-1]))
    enters = [h]
    for piece in range(len(a) - 1):
        enters.append(torch.addcmul(local[-1][piece], kept[-1][piece], enters[-1]))
    whole = torch.addcmul(torch.stack(local, 1), torch.stack(kept, 1), torch.stack(enters).unsqueeze(1))
    return whole.flatten(0, 1)[:T]


def back_in_steps(a: Tensor, dy: Tensor) -> Tensor:
    """g_t = dy_t + a_{t+1} * g_{t+1}, the last step first."""
    out = torch.empty_like(dy)
    g = out[-1].copy_(dy[-1])
    for t in reversed(range(len(a) - 1)):
        g = torch.addcmul(dy[t], a[t + 1], g, out=out[t])
    return out


def back_in_pieces(a: Tensor, dy: Tensor) -> Tensor:
    """The same in pieces of sqrt(T), turned round."""
    later = torch.cat([a[1:], torch.zeros_like(a[:1])])
    return in_pieces(later.flip(0), dy.flip(0), torch.zeros_like(dy[0])).flip(0)


def recurrence(a: Tensor, b: Tensor, h: Tensor) -> Tensor:
    """The form for the device."""
    return in_steps(a, b, h) if a.device.type == "cpu" else in_pieces(a, b, h)


def back(a: Tensor, dy: Tensor) -> Tensor:
    """What reaches each b, in the form for the device."""
    return back_in_steps(a, dy) if a.device.type == "cpu" else back_in_pieces(a, dy)


class _LinearScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, h: Tensor) -> Tensor:
        out = recurrence(a, b, h)
        ctx.save_for_backward(a, h, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """g_t = dy_t + a_{t+1} * g_{t+1}: the same recurrence, backward in time."""
        a, h, out = ctx.saved_tensors
        g = back(a, dy)
        da = torch.empty_like(a)
        torch.mul(g[0], h, out=da[0])
        torch.mul(g[1:], out[:-1], out=da[1:])
        return da, g, a[0] * g[0]
