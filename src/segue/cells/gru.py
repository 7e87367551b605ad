"""The gated recurrent unit."""

from __future__ import annotations

import torch
import torch._VF as _VF  # where torch.nn.GRU itself finds the fused kernel
from torch import Tensor, nn

from segue.cells.base import Cell, CellState

SHUT = -60.0
"""A gate's input at which it is closed to the last bit of float32: sigmoid(-60) = 9e-27."""


class GRU(Cell):
    """Cho et al. 2014, in the form with the reset gate after the product, as fused kernels compute it.

        r = sigmoid(W_r x + b_r + U_r h + c_r)
        z = sigmoid(W_z x + b_z + U_z h + c_z)
        n = tanh(W_n x + b_n + r * (U_n h + c_n))
        h' = (1 - z) * n + z * h,    y = h'

    `scan` keeps the fused kernel although sessions start anywhere: before each start it inserts a step that
    makes h zero. On that step x is 0 and a further input channel is 1, whose weights shut both gates and cancel
    b_n, so that h' = tanh(0) = 0. The inserted steps cost as many steps as the row with the most starts has.
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
        """H = 0."""
        return {"h": self.w.new_zeros(batch_size, self.width)}

    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """One event a row."""
        h = torch.gru_cell(x, state["h"], self.w, self.u, self.b, self.c)
        return h, {"h": h}

    def scan(self, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """The fused kernel over the window, with a resetting step inserted at each start."""
        T, B, D = x.shape
        place = torch.arange(T, device=x.device).unsqueeze(1) + starts.cumsum(0)  # (T, B) in the longer window
        length = int(place[-1].max()) + 1
        row = torch.arange(B, device=x.device)
        flat = (place * B + row).view(-1)
        channel = x.new_ones(length * B, 1).index_fill(0, flat, 0.0)
        longer = x.new_zeros(length * B, D).index_copy(0, flat, x.reshape(T * B, D))
        inputs = torch.cat([longer, channel], 1).view(length, B, D + 1)
        reset = torch.cat([self.b.new_full((2 * self.width,), SHUT), -self.b[2 * self.width :]])
        weights = [torch.cat([self.w, reset.unsqueeze(1)], 1), self.u, self.b, self.c]
        h, _ = _VF.gru(inputs, state["h"].unsqueeze(0), weights, True, 1, 0.0, self.training, False, False)
        y = h.reshape(length * B, self.width).index_select(0, flat).view(T, B, self.width)
        return y, {"h": y[-1]}
