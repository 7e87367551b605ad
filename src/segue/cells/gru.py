"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from segue.cells.base import Cell, CellState
from segue.cells.parallel import products


class GRU(Cell):
    """Cho et al. 2014, in the form with the reset gate after the product, as fused kernels compute it.

        r = sigmoid(W_r x + b_r + U_r h + c_r)
        z = sigmoid(W_z x + b_z + U_z h + c_z)
        n = tanh(W_n x + b_n + r * (U_n h + c_n))
        h' = (1 - z) * n + z * h,    y = h'

    `scan` has its gradients written out, which makes this file longer than that of other cells: what does not wait for
    the step before is one product over the whole window, and a start multiplies h by 0. Measured against the fused
    kernel with a reset step inserted at each start, and against `fold`, in docs/decisions/0001.
    """

    name = "gru"

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__(width_in, width)
        self.w = nn.Parameter(torch.empty(3 * width, width_in))
        self.u = nn.Parameter(torch.empty(3 * width, width))
        self.b = nn.Parameter(torch.zeros(3 * width))
        self.c = nn.Parameter(torch.zeros(3 * width))
        for gate in range(3):
            nn.init.xavier_uniform_(self.w[gate * width : (gate + 1) * width])
            nn.init.orthogonal_(self.u[gate * width : (gate + 1) * width])

    def initial_state(self, batch_size: int) -> CellState:
        """Zero: h = 0."""
        return {"h": self.w.new_zeros(batch_size, self.width)}

    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """One event a row."""
        h = torch.gru_cell(x, state["h"], self.w, self.u, self.b, self.c)
        return h, {"h": h}

    def scan(self, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """The window at once; the state before a start is forgotten by a factor of 0."""
        keep = (~starts).to(x.dtype).unsqueeze(-1)
        y: Tensor = _Scan.apply(x, keep, state["h"], self.w, self.u, self.b, self.c)  # type: ignore[no-untyped-call]
        return y, {"h": y[-1]}


class _Scan(torch.autograd.Function):
    """x (T, B, D), keep (T, B, 1), h (B, H) to y (T, B, H)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, keep: Tensor, h: Tensor, w: Tensor, u: Tensor, b: Tensor, c: Tensor) -> Tensor:
        """The equations of `GRU`; keeps h before each step, the gates, n and U_n h + c_n."""
        T, B, D = x.shape
        H = h.shape[1]
        flat = x.reshape(T * B, D)
        to_gates, to_n = x.new_empty(T, B, 2 * H), x.new_empty(T, B, H)
        products((to_gates.view(T * B, -1), flat, w[: 2 * H].T), (to_n.view(T * B, -1), flat, w[2 * H :].T))
        to_gates += (b + c)[: 2 * H]
        to_n += b[2 * H :]
        y, before, n, m = (x.new_empty(T, B, H) for _ in range(4))
        gates = x.new_empty(T, B, 2 * H)
        u_gates, u_n, c_n = u[: 2 * H].T, u[2 * H :].T, c[2 * H :]
        for t in range(T):
            h = torch.mul(h, keep[t], out=before[t])
            torch.sigmoid(torch.addmm(to_gates[t], h, u_gates), out=gates[t])
            torch.addmm(c_n, h, u_n, out=m[t])
            torch.tanh(torch.addcmul(to_n[t], gates[t, :, :H], m[t]), out=n[t])
            h = torch.lerp(n[t], h, gates[t, :, H:], out=y[t])
        ctx.save_for_backward(x, keep, before, gates, n, m, w, u)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        """Back-propagation through time: dh' to n, z and (through n) r, and on to h; weights in one product each.

        What dh' is multiplied with does not depend on it, so that it is laid out before the loop, for the four places
        it goes to: U_n h + c_n, the two gates, and W_n x + b_n. The first three are those of U, the last three of W.
        """
        x, keep, before, gates, n, m, w, u = ctx.saved_tensors
        T, B, H = n.shape
        r, z = gates[..., :H], gates[..., H:].contiguous()
        factor = x.new_empty(T, B, 4, H)
        to_n = torch.mul(1 - z, 1 - n * n, out=factor[:, :, 3])
        to_m = torch.mul(to_n, r, out=factor[:, :, 0])
        torch.mul(to_m * m, 1 - r, out=factor[:, :, 1])
        torch.mul((before - n) * z, 1 - z, out=factor[:, :, 2])
        at = torch.empty_like(factor)
        u_turned = torch.cat([u[2 * H :], u[: 2 * H]])
        dh = dy[T - 1]
        for t in reversed(range(T)):
            torch.mul(dh.unsqueeze(1), factor[t], out=at[t])
            dh = torch.addmm(dh * z[t], at[t, :, :3].view(B, 3 * H), u_turned)
            dh = torch.addcmul(dy[t - 1], dh, keep[t]) if t else dh * keep[t]
        flat = at.view(T * B, 4 * H)
        at_h, at_x = flat[:, : 3 * H], flat[:, H:]
        dx, dw, du = torch.empty_like(x).view(T * B, -1), torch.empty_like(w), torch.empty_like(u)
        products((dx, at_x, w), (dw, at_x.T, x.reshape(T * B, -1)), (du, at_h.T, before.view(T * B, H)))
        dc = at_h.sum(0)
        return dx.view_as(x), None, dh, dw, du.roll(-H, 0), at_x.sum(0), dc.roll(-H)
