"""The residual block: a gated recurrence and a feed-forward part, each after a norm and added to what came in."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from segue.cells import CellState, new_cell
from segue.cells.dense import dense, denses, lowered
from segue.cells.dropout import dropout
from segue.errors import ConfigError
from segue.models.convolution import Convolution


class Block(nn.Module):
    """De et al. 2024 (Griffin), section 2, around any cell.

        u = norm(x);  x = x + W_o (silu(W_g u) * cell(conv(u)))
        u = norm(x);  x = x + W_2 (silu(W_1 u) * V_1 u)

    Deviations: layer norm with a learned scale and shift; SiLU for GeLU; the linear layer before the recurrence is
    that of the cell. The feed-forward part has about as many weights as one without a gate of the width that is set:
    its own is two thirds of that, to the nearest multiple of 8, and at least 8.

    Args:
        cell: the name of the recurrent layer.
        width: D, in and out.
        dropout: on what each of the two parts adds, in training.
        convolution: how many inputs the causal convolution before the cell sees; 0: there is none.
        feed_forward: the width of the feed-forward part without a gate, in multiples of D; 0: there is none.
    """

    def __init__(self, cell: str, width: int, *, dropout: float, convolution: int, feed_forward: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.norm = nn.LayerNorm(width)
        self.convolution = Convolution(width, convolution) if convolution else None
        self.cell = new_cell(cell, width)
        if self.convolution is not None and "before" in self.cell.initial_state(1):
            raise ConfigError(f"the cell `{cell}` has a state `before`, as the convolution of a block has: rename it")
        self.gate = nn.Linear(width, width)
        self.out = nn.Linear(width, width, bias=False)
        hidden = max(8, 8 * round(feed_forward * width * 2 / 3 / 8)) if feed_forward else 0
        self.ff_norm = nn.LayerNorm(width) if hidden else None
        self.ff_in = nn.Linear(width, 2 * hidden) if hidden else None
        self.ff_out = nn.Linear(hidden, width, bias=False) if hidden else None

    def initial_state(self, batch_size: int) -> CellState:
        """The cell's, and the convolution's inputs, B rows."""
        state = self.cell.initial_state(batch_size)
        return state if self.convolution is None else {**state, **self.convolution.initial_state(batch_size)}

    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """One event a row: x (B, D) to (B, D)."""
        v = u = self.norm(x)
        after: CellState = {}
        if self.convolution is not None:
            v, after = self.convolution.step(u, state)
        h, last = self.cell.step(v, {name: kept for name, kept in state.items() if name not in after})
        return self.added(x, u, h), {**last, **after}

    def scan(self, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """`step` along time: x (T, B, D), starts (T, B)."""
        v = u = self.norm(x)
        after: CellState = {}
        if self.convolution is not None:
            v, after = self.convolution.scan(u, starts, state)
        h, last = self.cell.scan(v, starts, {name: kept for name, kept in state.items() if name not in after})
        return self.added(x, u, h), {**last, **after}

    def added(self, x: Tensor, u: Tensor, h: Tensor) -> Tensor:
        """What came in, with what the recurrence and the feed-forward part add to it."""
        gated = F.silu(dense(u, self.gate.weight, self.gate.bias)) * lowered(h)
        x = x + dropout(dense(gated, self.out.weight), self.dropout, self.training)
        if self.ff_norm is None or self.ff_in is None or self.ff_out is None:
            return x
        gate, value = denses(self.ff_norm(x), 2, self.ff_in.weight, self.ff_in.bias)
        return x + dropout(dense(F.silu(gate) * value, self.ff_out.weight), self.dropout, self.training)
