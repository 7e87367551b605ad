"""Between the arrays of the Model contract and the tensors of a network."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from segue.cells import CellState
from segue.models.base import State
from segue.shapes import Array, Doubles

PAUSES = 40
"""How many sizes of pause the time input tells apart: powers of two of seconds, from none to 17,000 years."""


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


def pause_sizes(pause: Doubles) -> Array:
    """0 for no pause known, else 1 + the power of two of the seconds, int64."""
    seconds = np.nan_to_num(np.maximum(pause, 0), nan=-0.5)
    sizes: Array = np.minimum(np.ceil(np.log2(seconds + 1)) + 1, PAUSES - 1).astype(np.int64).clip(0)
    return sizes
