"""The simple recurrent network."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segue.cells.base import Cell, CellState


class Elman(Cell):
    """Elman 1990 ("Finding structure in time"), with tanh for his logistic function.

        h' = tanh(W x + U h + b),    y = h'

    In `scan`, W x + b is one product over the whole window, and a start multiplies h by 0.
    """

    name = "elman"

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__(width_in, width)
        self.w = nn.Parameter(torch.empty(width, width_in))
        self.u = nn.Parameter(torch.empty(width, width))
        self.b = nn.Parameter(torch.zeros(width))
        nn.init.xavier_uniform_(self.w)
        nn.init.orthogonal_(self.u)

    def initial_state(self, batch_size: int) -> CellState:
        """Zero: h = 0."""
        return {"h": self.w.new_zeros(batch_size, self.width)}

    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """One event a row."""
        h = torch.tanh(F.linear(x, self.w, self.b) + F.linear(state["h"], self.u))
        return h, {"h": h}

    def scan(self, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """The inputs at once, the states one after another."""
        h, u, outputs = state["h"], self.u.T, []
        keep = (~starts).to(x.dtype).unsqueeze(-1)
        for from_x, keep_t in zip(F.linear(x, self.w, self.b), keep, strict=True):
            h = torch.tanh(torch.addmm(from_x, h * keep_t, u))
            outputs.append(h)
        return torch.stack(outputs), {"h": h}
