"""Long short-term memory."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segue.cells.base import Cell, CellState


class LSTM(Cell):
    """Hochreiter & Schmidhuber 1997, with the forget gate of Gers, Schmidhuber & Cummins 2000.

        i, f, o = sigmoid(W x + U h + b)
        n = tanh(W x + U h + b)
        c' = f * c + i * n
        h' = o * tanh(c'),    y = h'

    Each of i, f, o and n has its own W, U and b; no peepholes. The forget gate begins with a bias of 1 (Jozefowicz et
    al. 2015). In `scan`, W x + b is one product over the whole window, and a start multiplies h and c by 0.
    """

    name = "lstm"

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__(width_in, width)
        self.w = nn.Parameter(torch.empty(4 * width, width_in))
        self.u = nn.Parameter(torch.empty(4 * width, width))
        self.b = nn.Parameter(torch.cat([torch.zeros(width), torch.ones(width), torch.zeros(2 * width)]))
        for w, u in zip(self.w.chunk(4), self.u.chunk(4), strict=True):  # i, f, o, n
            nn.init.xavier_uniform_(w)
            nn.init.orthogonal_(u)

    def initial_state(self, batch_size: int) -> CellState:
        """Zero: h = 0 and c = 0."""
        return {name: self.w.new_zeros(batch_size, self.width) for name in ("h", "c")}

    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """One event a row."""
        h, c = self.advanced(F.linear(x, self.w, self.b), state["h"], state["c"])
        return h, {"h": h, "c": c}

    def scan(self, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """The inputs at once, the states one after another."""
        h, c, outputs = state["h"], state["c"], []
        keep = (~starts).to(x.dtype).unsqueeze(-1)
        for from_x, keep_t in zip(F.linear(x, self.w, self.b), keep, strict=True):
            h, c = self.advanced(from_x, h * keep_t, c * keep_t)
            outputs.append(h)
        return torch.stack(outputs), {"h": h, "c": c}

    def advanced(self, from_x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Give h' and c', from W x + b (B, 4 H), h and c (B, H)."""
        gates, n = torch.addmm(from_x, h, self.u.T).split_with_sizes([3 * self.width, self.width], -1)
        i, f, o = gates.sigmoid().chunk(3, -1)
        c = torch.addcmul(f * c, i, torch.tanh(n))
        return o * torch.tanh(c), c
