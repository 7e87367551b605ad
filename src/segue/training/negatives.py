"""Items drawn to stand against the targets, with the probability each was drawn with."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator, Tensor

from segue.config import TrainSettings
from segue.shapes import Array
from segue.training.losses.base import Drawn


class Negatives:
    """Draws items with replacement, in one of four ways.

    `uniform`: all alike. `popularity`: by how often each occurs, to a power. `mixed`: by the toss of a coin one or the
    other, so that rare items are seen and frequent ones are fought. `in-batch`: from the window's own targets, each as
    often as it is one, which on average is by popularity.

    Args:
        counts: (N,) how often each item occurs in training.
        settings: `sampling` and `popularity_power` are read from them.
    """

    def __init__(self, counts: Array, settings: TrainSettings) -> None:
        self.kind = settings.sampling
        self.n_items = len(counts)
        power = 1.0 if self.kind == "in-batch" else settings.popularity_power
        weight = np.maximum(np.asarray(counts, np.float64), 0)
        weight = np.where(weight > 0, weight**power, 0.0)
        total = weight.sum()
        share = weight / total if total else np.full(self.n_items, 1 / self.n_items)
        self.ends = torch.from_numpy(np.cumsum(share))
        self.uniform_part = {"uniform": 1.0, "mixed": 0.5}.get(self.kind, 0.0)
        probability = self.uniform_part / self.n_items + (1 - self.uniform_part) * share
        with np.errstate(divide="ignore"):  # what is never drawn has no logarithm, and is never asked for
            self.log_probability = torch.from_numpy(np.log(probability).astype(np.float32))

    def draw(self, count: int, generator: Generator, target: Tensor) -> Drawn:
        """K = `count` items.

        Args:
            count: K.
            generator: what to draw with.
            target: (P,) the window's targets, P >= 1.
        """
        if self.kind == "in-batch":
            item = target[torch.randint(len(target), (count,), generator=generator)]
        else:
            uniform = torch.randint(self.n_items, (count,), generator=generator)
            place = torch.rand(count, generator=generator, dtype=torch.float64) * self.ends[-1]
            popular = torch.searchsorted(self.ends, place, right=True).clamp(max=self.n_items - 1)
            item = torch.where(torch.rand(count, generator=generator) < self.uniform_part, uniform, popular)
        item = item.sort().values
        return Drawn(item, self.log_probability[item])
