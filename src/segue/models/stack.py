"""Layers, one on another: what a network is between its items and its queries."""

from __future__ import annotations

from torch import Tensor, nn

from segue.cells import CellState, new_cell
from segue.cells.dropout import dropout as dropped
from segue.models.block import Block
from segue.models.convolution import Front


class Stack(nn.Module):
    """Layers of one width, and a norm at the end where they are residual blocks. Its state: that of each layer.

    Args:
        cell, block, width, layers, front, convolution, feed_forward, dropout: see `Network`.
    """

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
        self.dropout = dropout
        residual = block == "residual"
        self.layers = nn.ModuleList(
            Block(cell, width, dropout=dropout, convolution=convolution, feed_forward=feed_forward)
            if residual
            else new_cell(cell, width)
            for _ in range(layers)
        )
        if front:
            self.layers.insert(0, Front(width, front))
        self.norm = nn.LayerNorm(width) if residual else None

    def initial_state(self, batch_size: int) -> list[CellState]:
        """The state before any event, B rows."""
        return [layer.initial_state(batch_size) for layer in self.layers]  # type: ignore[operator]

    def step(self, x: Tensor, state: list[CellState]) -> tuple[Tensor, list[CellState]]:
        """One event a row: x (B, D) to (B, D)."""
        after = []
        for layer, kept in zip(self.layers, state, strict=True):
            x, last = layer.step(x, kept)  # type: ignore[operator]
            after.append(last)
        return (x if self.norm is None else self.norm(x)), after

    def scan(self, x: Tensor, starts: Tensor, state: list[CellState]) -> tuple[Tensor, list[CellState]]:
        """`step` along time: x (T, B, D), starts (T, B)."""
        after = []
        for layer, kept in zip(self.layers, state, strict=True):
            x, last = layer.scan(x, starts, kept)  # type: ignore[operator]
            if self.norm is None:
                x = dropped(x, self.dropout, self.training)
            after.append(last)
        return (x if self.norm is None else self.norm(x)), after
