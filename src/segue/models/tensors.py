"""Between the arrays of the Model contract and the tensors of a network."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from segue.cells import CellState
from segue.models.base import State
from segue.shapes import Array


def shared(array: Array) -> Tensor:
    """The array as a tensor on the same memory; a copy where that is read-only, which PyTorch has no word for."""
    return torch.from_numpy(np.require(array, requirements="W"))


def named(cells: list[CellState]) -> State:
    """The states of the cells under flat names: `cell0.h`, ..."""
    return {
        f"cell{number}.{part}": tensor.detach().cpu().numpy()
        for number, cell in enumerate(cells)
        for part, tensor in cell.items()
    }


def cells_of(state: State, count: int, device: torch.device) -> list[CellState]:
    """The states of so many cells out of flat names, as tensors: the way back from `named`."""
    cells: list[CellState] = [{} for _ in range(count)]
    for name, array in state.items():
        if name.startswith("cell"):
            number, _, part = name.removeprefix("cell").partition(".")
            cells[int(number)][part] = shared(array).to(device)
    return cells
