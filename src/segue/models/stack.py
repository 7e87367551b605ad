"""Layers, one on another: what a network is between its items and its queries."""

from __future__ import annotations

from torch import Tensor, nn

from segue.cells import CellState, new_cell
from segue.cells.dropout import dropout as dropped
from segue.models.block import Block
from segue.models.convolution import Front


class Stack(nn.Module):
    """So many layers of one width, and a norm at the end where they are residual blocks; see `Network`."""

    def __init__(
        self,
        *,
        cell: str,
        block: str,
        width: int,
        layers: int,
        front: int,
        convolution: int,
        feed_forward: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.cell, self.block, self.width, self.layers = cell, block, width, layers
        self.front, self.convolution, self.feed_forward, self.dropout = front, convolution, feed_forward, dropout
        residual = block == "residual"
        self.cells = nn.ModuleList(
            Block(cell, width, dropout=dropout, convolution=convolution, feed_forward=feed_forward)
            if residual
            else new_cell(cell, width)
            for _ in range(layers)
        )
        if front:
            self.cells.insert(0, Front(width, front))
        self.norm = nn.LayerNorm(width) if residual else None

    def initial_cells(self, batch_size: int) -> list[CellState]:
        """The initial state of each layer."""
        return [cell.initial_state(batch_size) for cell in self.cells]  # type: ignore[operator]

    def step_through(self, x: Tensor, state: list[CellState]) -> tuple[Tensor, list[CellState]]:
        """One event a row: x (B, D) to (B, D), and the state of each layer."""
        after = []
        for cell, kept in zip(self.cells, state, strict=True):
            x, last = cell.step(x, kept)  # type: ignore[operator]
            after.append(last)
        return (x if self.norm is None else self.norm(x)), after

    def scan_through(self, x: Tensor, starts: Tensor, state: list[CellState]) -> tuple[Tensor, list[CellState]]:
        """`step_through` along time: x (T, B, D), starts (T, B), on one thread."""
        after = []
        for cell, kept in zip(self.cells, state, strict=True):
            x, last = cell.scan(x, starts, kept)  # type: ignore[operator]
            if self.norm is None:
                x = dropped(x, self.dropout, self.training)
            after.append(last)
        return (x if self.norm is None else self.norm(x)), after

    def weights(self) -> list[nn.Parameter]:
        """What the layers learn."""
        return [*self.cells.parameters(), *([] if self.norm is None else self.norm.parameters())]
