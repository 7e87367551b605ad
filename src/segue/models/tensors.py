"""Between the arrays of the Model contract and the tensors of a network."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from segue.cells import CellState
from segue.errors import ArtifactError
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


def checked(arrays: Mapping[str, Array], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Arrays as tensors. Raises ArtifactError where one that is wanted is missing, or has another shape."""
    for name, tensor in wanted.items():
        if name not in arrays or arrays[name].shape != tuple(tensor.shape):
            found = arrays[name].shape if name in arrays else "nothing"
            raise ArtifactError(f"weight `{name}`: found {found}, expected shape {tuple(tensor.shape)}")
    return {name: torch.from_numpy(np.array(arrays[name])) for name in wanted}
