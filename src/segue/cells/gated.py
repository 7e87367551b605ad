"""The gated cell whose state is h alone, and whose gates read it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segue.cells.base import Cell, CellState


class Gated(Cell):
    """The cell of the text that segue follows; each of i, f, o and n with its own W, U and b.

        i, f, o = sigmoid(W x + U h + b)
        n = tanh(W x + U h + b)
        h' = f * h + i * n,    y = o * tanh(h'),    h_0 = 0

    The state is h, and the gates read h: in the LSTM of Hochreiter & Schmidhuber 1997 they read y of the step before.
    Closest to it: peephole connections (Gers, Schraudolph & Schmidhuber 2002), in full matrices and without y.
    The forget gate begins with a bias of 1 (Jozefowicz et al. 2015), U small: what it reads, h, is no output of a tanh,
    and a large U makes h grow on itself (docs/memory.md says what that costs). `segue.by_hand` has the same cell with
    its gradients, in NumPy.
    """

    name = "gated"

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__(width_in, width)
        self.w = nn.Parameter(torch.empty(4 * width, width_in))
        self.u = nn.Parameter(torch.empty(4 * width, width))
        self.b = nn.Parameter(torch.cat([torch.zeros(width), torch.ones(width), torch.zeros(2 * width)]))
        for w, u in zip(self.w.chunk(4), self.u.chunk(4), strict=True):  # i, f, o, n
            nn.init.xavier_uniform_(w)
            nn.init.orthogonal_(u, gain=0.2)

    def initial_state(self, batch_size: int) -> CellState:
        """Zero: h = 0."""
        return {"h": self.w.new_zeros(batch_size, self.width)}

    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """One event a row."""
        o, h = self.advanced(F.linear(x, self.w, self.b), state["h"])
        return o * torch.tanh(h), {"h": h}

    def scan(self, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """W x + b and y at once, h one step after another; a start multiplies it by 0."""
        h, gates, states = state["h"], [], []
        keep = (~starts).to(x.dtype).unsqueeze(-1)
        for from_x, keep_t in zip(F.linear(x, self.w, self.b), keep, strict=True):
            o, h = self.advanced(from_x, h * keep_t)
            gates.append(o)
            states.append(h)
        return torch.stack(gates) * torch.tanh(torch.stack(states)), {"h": h}

    def advanced(self, from_x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Give o and h', from W x + b (B, 4 H) and h (B, H)."""
        gates, n = torch.addmm(from_x, h, self.u.T).split_with_sizes([3 * self.width, self.width], -1)
        i, f, o = gates.sigmoid().chunk(3, -1)
        return o, torch.addcmul(f * h, i, torch.tanh(n))
