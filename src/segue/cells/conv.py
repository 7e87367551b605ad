"""A causal convolution over the last inputs, as a layer of its own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segue.cells.base import Cell, CellState


class Conv(Cell):
    """One causal layer of Yuan et al. 2019 (NextItNet): it remembers K - 1 = 3 inputs, no more.

        y_t = tanh(sum over k < K of W_k x_{t-k} + b)

    Deviations: not dilated; tanh for their norm and ReLU, as norm and residual sum are those of the block around the
    cell. What lies before a start counts as zero. The state is `inputs` (B, K - 1, D), the oldest first.

    Args:
        width_in: D.
        width: H.
        size: K, the present input included.
    """

    name = "conv"

    def __init__(self, width_in: int, width: int, *, size: int = 4) -> None:
        super().__init__(width_in, width)
        self.w = nn.Parameter(torch.empty(size, width, width_in))
        self.b = nn.Parameter(torch.zeros(width))
        for w in self.w:  # as large together as one matrix would be
            nn.init.xavier_uniform_(w, gain=size**-0.5)

    def initial_state(self, batch_size: int) -> CellState:
        """Zeros: no input yet."""
        return {"inputs": self.w.new_zeros(batch_size, len(self.w) - 1, self.width_in)}

    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """One event a row."""
        inputs = torch.cat([state["inputs"], x.unsqueeze(1)], 1)
        y = torch.tanh(torch.einsum("bkd,khd->bh", inputs.flip(1), self.w) + self.b)
        return y, {"inputs": inputs[:, 1:]}

    def scan(self, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """K products, each over the whole window, shifted by k."""
        T, before = len(x), len(self.w) - 1
        inputs = torch.cat([state["inputs"].transpose(0, 1), x])  # x_t is at the place t + before
        place = torch.arange(T + before, device=x.device).unsqueeze(1)
        since = torch.where(starts, place[before:], 0).cummax(0).values  # where each row last started
        inner = F.linear(x, self.w[0], self.b)
        for k in range(1, len(self.w)):
            first = before - k
            kept = inputs[first : first + T] * (place[first : first + T] >= since).unsqueeze(-1)
            inner = inner + F.linear(kept, self.w[k])
        last = inputs[T:] * (place[T:] >= since[-1]).unsqueeze(-1)
        return torch.tanh(inner), {"inputs": last.transpose(0, 1)}
