"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from segue.cells.base import Cell, CellState


class GRU(Cell):
    """Cho et al. 2014, in the form with the reset gate after the product, as fused kernels compute it.

        r = sigmoid(W_r x + b_r + U_r h + c_r)
        z = sigmoid(W_z x + b_z + U_z h + c_z)
        n = tanh(W_n x + b_n + r * (U_n h + c_n))
        h' = (1 - z) * n + z * h,    y = h'

    `scan` has its gradients written out: what does not wait for the step before is one product over the whole window,
    and a start multiplies h by 0. Measured against the fused kernel with a reset step inserted at each start, and
    against `fold`, in docs/decisions/0001.
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
        T, B, _ = x.shape
        H = h.shape[1]
        from_x = torch.addmm(b, x.reshape(T * B, -1), w.T).view(T, B, 3 * H)
        y, before, n, m = (x.new_empty(T, B, H) for _ in range(4))
        gates = x.new_empty(T, B, 2 * H)
        for t in range(T):
            h = torch.mul(h, keep[t], out=before[t])
            from_h = torch.addmm(c, h, u.T)
            torch.sigmoid(from_x[t, :, : 2 * H].add_(from_h[:, : 2 * H]), out=gates[t])
            m[t] = from_h[:, 2 * H :]
            torch.tanh(torch.addcmul(from_x[t, :, 2 * H :], gates[t, :, :H], m[t]), out=n[t])
            h = torch.lerp(n[t], h, gates[t, :, H:], out=y[t])
        ctx.save_for_backward(x, keep, before, gates, n, m, w, u)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        """Back-propagation through time: dh' to n, z and (through n) r, and on to h; weights in one product each."""
        x, keep, before, gates, n, m, w, u = ctx.saved_tensors
        T, B, H = n.shape
        r, z = gates[..., :H], gates[..., H:]
        h_to_z, h_to_n, n_to_r = (before - n) * z * (1 - z), (1 - z) * (1 - n * n), m * r * (1 - r)
        at_h = x.new_empty(T, B, 3 * H)  # gradients of U h + c; those of W x + b differ only in n, which r scales
        at_n, dh = x.new_empty(T, B, H), torch.zeros_like(before[0])
        for t in reversed(range(T)):
            dh = dh + dy[t]
            dn = torch.mul(dh, h_to_n[t], out=at_n[t])
            torch.mul(dn, n_to_r[t], out=at_h[t, :, :H])
            torch.mul(dh, h_to_z[t], out=at_h[t, :, H : 2 * H])
            torch.mul(dn, r[t], out=at_h[t, :, 2 * H :])
            dh = torch.addmm(dh * z[t], at_h[t], u) * keep[t]
        at_x = torch.cat([at_h[..., : 2 * H], at_n], -1).view(T * B, 3 * H)
        at_h = at_h.view(T * B, 3 * H)
        dx, dw = (at_x @ w).view_as(x), at_x.T @ x.reshape(T * B, -1)
        return dx, None, dh, dw, at_h.T @ before.view(T * B, H), at_x.sum(0), at_h.sum(0)
