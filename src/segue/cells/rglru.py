"""The real-gated linear recurrent unit."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segue.cells.base import Cell, CellState
from segue.cells.dense import denses
from segue.cells.linear import linear_scan

SHARPNESS = 8.0
KEPT = (0.9, 0.999)
"""What a unit keeps of its state in a step to begin with, where its gate is open."""


class RGLRU(Cell):
    """De et al. 2024 (Griffin), section 2.4.

        r = sigmoid(W_r x + b_r)
        i = sigmoid(W_i x + b_i)
        a = exp(-8 softplus(l) r)
        h' = a * h + sqrt(1 - a^2) * (i * (W x + b)),    y = h'

    Deviations: the linear layer that stands before it in their block is W, and the gates read x, not W x, in full
    matrices; no first step of its own (theirs takes i * W x whole where a sequence starts).
    """

    name = "rglru"

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__(width_in, width)
        self.w = nn.Parameter(torch.empty(3 * width, width_in))
        self.b = nn.Parameter(torch.zeros(3 * width))
        # a = kept where r = 1: softplus(l) = -log(kept) / 8
        self.l = nn.Parameter(torch.expm1(-torch.linspace(*KEPT, width).log() / SHARPNESS).log())
        for part in self.w.chunk(3):
            nn.init.xavier_uniform_(part)

    def initial_state(self, batch_size: int) -> CellState:
        """Zero: h = 0."""
        return {"h": self.w.new_zeros(batch_size, self.width)}

    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """One event a row."""
        a, b = self.parts(x)
        h = torch.addcmul(b, a, state["h"])
        return h, {"h": h}

    def scan(self, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """The products for the whole window, then the linear recurrence; a start forgets by a factor of 0."""
        a, b = self.parts(x)
        y = linear_scan(a * ~starts.unsqueeze(-1), b, state["h"])
        return y, {"h": y[-1]}

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """a, and what is added: (..., H) each."""
        r, i, c = (part.to(x.dtype) for part in denses(x, 3, self.w, self.b))
        r, i = r.sigmoid(), i.sigmoid()
        log_a = -SHARPNESS * F.softplus(self.l) * r
        return log_a.exp(), (-torch.expm1(2 * log_a)).clamp(min=1e-12).sqrt() * i * c
