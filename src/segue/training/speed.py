"""How many threads to train with: measured, since a second one can cost more than it brings."""

from __future__ import annotations

import time

import numpy as np
import torch

from segue.cells import CELLS


def fastest_threads(cell: str, width: int, rows: int, *, window: int = 16, repeats: int = 3) -> int:
    """The number of PyTorch threads, 1 or all there are, that runs a small training step faster.

    On a machine whose cores are busy with other work two threads wait for each other.
    """
    most = torch.get_num_threads()
    if most == 1:
        return 1
    taken = {threads: step_seconds(threads, cell, width, rows, window, repeats) for threads in (1, most)}
    best = min(taken, key=taken.__getitem__)
    torch.set_num_threads(best)
    return best


def step_seconds(threads: int, cell: str, width: int, rows: int, window: int, repeats: int) -> float:
    """The median time of a forward and backward pass with an output layer of 2,048 items."""
    torch.set_num_threads(threads)
    generator = torch.Generator().manual_seed(0)
    layer = CELLS[cell](width, width)
    x = torch.randn(window, rows, width, generator=generator)
    table = torch.randn(2048, width, generator=generator)
    starts = torch.zeros(window, rows, dtype=torch.bool)
    seconds = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        y, _ = layer.scan(x, starts, layer.initial_state(rows))
        torch.autograd.backward((y.view(-1, width) @ table.T).logsumexp(1).mean())
        seconds.append(time.perf_counter() - begin)
    return float(np.median(seconds[1:]))
