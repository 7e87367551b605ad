"""What a recurrent layer must offer, and the list of those that do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from segue.errors import ConfigError, UnknownCellError, did_you_mean

CellState = dict[str, Tensor]
"""What a cell remembers: named tensors, each (B, ...)."""

CELLS: dict[str, type[Cell]] = {}
"""Every cell by name: a file dropped into this folder adds its own."""


class Cell(nn.Module, ABC):
    """A recurrent layer from width D to width H: `(x, state) -> (y, state)` and an initial state.

    State goes in and comes out; nothing is changed in place. A session's start is not the business of `step`:
    `scan` puts the initial state where a session starts. A subclass names itself (`name = "gru"`) and is then known.
    """

    name: ClassVar[str]

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.width_in = width_in
        self.width = width

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        name, place = getattr(cls, "name", ""), (cls.__module__, cls.__qualname__)
        if not name:
            raise ConfigError(f'the cell {cls.__qualname__} has no name: give it one, such as `name = "mine"`')
        known = CELLS.get(name, cls)
        if (known.__module__, known.__qualname__) != place:  # the same place: a notebook defines its cell anew
            raise ConfigError(
                f"{cls.__qualname__}: `{name}` is the cell {known.__qualname__} already: choose another name"
            )
        CELLS[name] = cls

    @abstractmethod
    def initial_state(self, batch_size: int) -> CellState:
        """The state before any event, B rows."""

    @abstractmethod
    def step(self, x: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """One event a row: x (B, D) to y (B, H)."""

    def scan(self, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """`step` along time: x (T, B, D), starts (T, B) to y (T, B, H) and the last state.

        A faster form may stand in a subclass; a contract test holds it equal to `fold`, gradients included.
        """
        return fold(self, x, starts, state)


def fold(cell: Cell, x: Tensor, starts: Tensor, state: CellState) -> tuple[Tensor, CellState]:
    """The plain form of `scan`: one step after another, from the initial state where `starts` is true."""
    initial = cell.initial_state(x.shape[1])
    outputs = []
    for x_t, starts_t in zip(x, starts, strict=True):
        state = {
            name: torch.where(starts_t.view(-1, *[1] * (kept.ndim - 1)), initial[name], kept)
            for name, kept in state.items()
        }
        y, state = cell.step(x_t, state)
        outputs.append(y)
    return torch.stack(outputs), state


def cell_of(name: str) -> type[Cell]:
    """The cell of that name. Raises UnknownCellError, with the nearest name, if there is none."""
    try:
        return CELLS[name]
    except KeyError:
        raise UnknownCellError(f"`{name}` is not a cell{did_you_mean(name, CELLS)}") from None
