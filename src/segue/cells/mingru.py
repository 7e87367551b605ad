"""The minimal gated recurrent unit: a linear recurrence whose gate reads the input alone."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segue.cells.base import Cell, CellState
from segue.cells.dense import denses
from segue.cells.linear import linear_scan

FORGET = (1.0, 5.0)
"""The biases of the forget gates spread over this: memories of 4 to 150 events to begin with."""


class MinGRU(Cell):
    """Feng et al. 2024 ("Were RNNs all we needed?"), section 3.1, with f = 1 - z for the update gate z.

        f = sigmoid(W_f x + b_f)
        c = W_c x + b_c
        h' = f * h + (1 - f) * c,    y = h'

    Deviation: biases, those of f spread over 1..5, so that some units remember long from the start.
    """

    name = "mingru"

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__(width_in, width)
        self.w = nn.Parameter(torch.empty(2 * width, width_in))
        self.b = nn.Parameter(torch.cat([torch.linspace(*FORGET, width), torch.zeros(width)]))
        for part in self.w.chunk(2):
            nn.init.xavier_uniform_(part)

    def initial_state(self, batch_size: int) -> CellState:
        """Zero: h = 0."""
        return {"h": self.w.new_zeros(batch_size, self.width)}

    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """One event a row."""
        f, c = F.linear(x, self.w, self.b).chunk(2, -1)
        h = torch.lerp(c, state["h"], f.sigmoid())
        return h, {"h": h}

    def scan(self, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """The products for the whole window, then the linear recurrence; a start forgets by a factor of 0."""
        f, c = (part.to(x.dtype) for part in denses(x, 2, self.w, self.b))
        f = f.sigmoid()  # in full precision: a gate near 1 decides how long is remembered
        y = linear_scan(f * ~starts.unsqueeze(-1), c - f * c, state["h"])
        return y, {"h": y[-1]}
