"""Along which axes sparse rows vary most."""

from __future__ import annotations

import numpy as np
import torch

from segue.data.encoding import Sparse
from segue.shapes import Floats

FURTHER = 10
"""So many more axes are looked for than are wanted: the last ones are found less exactly."""

ROUNDS = 3


def axes_of(rows: Sparse, width: int, *, seed: int = 1) -> Floats:
    """(W, width) the first right singular vectors of rows (M, W), by random projection.

    Source: Halko, Martinsson and Tropp, Finding Structure with Randomness (2011), by PyTorch. The sign of an axis is
    that with which its largest number is positive.

    Raises:
        ValueError: `width` is more than M or W.
    """
    if width > min(len(rows), rows.width):
        raise ValueError(f"{width} axes of {len(rows)} rows of width {rows.width}")
    row = np.repeat(np.arange(len(rows)), np.diff(rows.bounds))
    places = torch.from_numpy(np.stack([row, rows.column.astype(np.int64)]))
    size = (len(rows), rows.width)
    matrix = torch.sparse_coo_tensor(
        places, torch.from_numpy(rows.value), size, check_invariants=False, is_coalesced=True
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        looked = min(width + FURTHER, len(rows), rows.width)
        _, _, axes = torch.svd_lowrank(matrix, q=looked, niter=ROUNDS)
    axes = axes[:, :width]
    largest = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True))
    found: Floats = (axes * torch.where(largest < 0, -1.0, 1.0)).numpy()
    return found
