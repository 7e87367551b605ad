"""Items drawn to stand against the targets, with the probability each was drawn with."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator, Tensor

from segue.shapes import Array


class Negatives:
    """By the toss of a coin uniform or by popularity: rare items are seen, and frequent ones are fought.

    Args:
        counts: (N,) how often each item occurs in training.
    """

    def __init__(self, counts: Array) -> None:
        weight = np.maximum(np.asarray(counts, np.float64), 0)
        total = weight.sum()
        share = weight / total if total else np.full(len(weight), 1 / len(weight))
        self.n_items = len(weight)
        self.ends = torch.from_numpy(np.cumsum(share))
        self.log_probability = torch.from_numpy(np.log(0.5 / len(weight) + 0.5 * share).astype(np.float32))

    def draw(self, count: int, generator: Generator) -> Tensor:
        """(count,) int64 items, drawn with replacement."""
        uniform = torch.randint(self.n_items, (count,), generator=generator)
        place = torch.rand(count, generator=generator, dtype=torch.float64) * self.ends[-1]
        popular = torch.searchsorted(self.ends, place, right=True).clamp(max=self.n_items - 1)
        return torch.where(torch.rand(count, generator=generator) < 0.5, uniform, popular)
