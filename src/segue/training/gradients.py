"""Norms of gradients by parameter and epoch: what vanishes, what explodes, and what the clipping cuts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

Norms = dict[str, dict[str, list[float]]]
"""By parameter: `mean` and `max` over the steps of each epoch; not finite where a gradient is not."""


class GradientNorms:
    """The norms of a training so far.

    Args:
        names: of P parameters.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.steps = torch.zeros((), dtype=torch.int64)
        self.total = torch.zeros(len(names), dtype=torch.float64)
        self.most = torch.zeros_like(self.total)
        self.epochs = torch.zeros((0, 2, len(names)), dtype=torch.float64)

    @torch.no_grad()
    def note(self, gradients: Iterable[Tensor | None]) -> None:
        """Take in a step: the gradient of each parameter in the order of the names, None for one of zeros."""
        given = list(gradients)
        zero = torch.zeros((), device=next(of.device for of in given if of is not None))
        norms = [zero if of is None else torch.linalg.vector_norm(of) for of in given]
        found = torch.stack(norms).cpu().double()  # together: a GPU is waited for once
        self.steps, self.total, self.most = self.steps + 1, self.total + found, torch.maximum(self.most, found)

    def end_epoch(self) -> None:
        """Keep mean and largest of the epoch in hand, and begin another."""
        ended = torch.stack([self.total / self.steps.clamp(min=1), self.most])
        self.epochs = torch.cat([self.epochs, ended[None]])
        self.steps = torch.zeros_like(self.steps)
        self.total, self.most = torch.zeros_like(self.total), torch.zeros_like(self.total)

    def of_epochs(self) -> Norms:
        """Those of the epochs that are over."""
        by_name = self.epochs.permute(2, 1, 0).tolist()
        return {name: {"mean": mean, "max": most} for name, (mean, most) in zip(self.names, by_name, strict=True)}

    def tensors(self) -> dict[str, Tensor]:
        """All of it, by name."""
        return {"steps": self.steps, "total": self.total, "most": self.most, "epochs": self.epochs}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `tensors` gave."""
        self.steps, self.total, self.most, self.epochs = (tensors[name] for name in self.tensors())
