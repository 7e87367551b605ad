"""The few rows of a large table that a window touches, and an Adam that leaves the others alone."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from segue.cells.parallel import parts, run
from segue.models.network import Network
from segue.shapes import Ints, Longs
from segue.training.losses import Drawn

BETAS = 0.9, 0.999
TINY = 1e-8


class RowAdamW:
    """AdamW (Loshchilov & Hutter 2019) row by row: each row sees the Adam of its own gradients, and of no others.

    A row's averages, their correction and its decay count the steps in which the row was touched, not all steps: a
    window costs what it touches, whatever N is. Where every step touches every row it is AdamW.

    Args:
        table: (N, ...) changed in place.
        weight_decay: per step that touches the row, times the learning rate.
    """

    def __init__(self, table: Tensor, *, weight_decay: float) -> None:
        self.table, self.weight_decay = table, weight_decay
        self.mean, self.square = torch.zeros_like(table), torch.zeros_like(table)
        self.steps = torch.zeros(len(table), dtype=torch.int32, device=table.device)

    @torch.no_grad()
    def step(self, rows: Tensor, gradient: Tensor, learning_rate: float) -> None:
        """Move some rows.

        Args:
            rows: (R,) distinct.
            gradient: (R, ...).
            learning_rate: of this step.
        """
        steps = self.steps[rows] + 1
        self.steps[rows] = steps
        count = steps.to(gradient.dtype).view(-1, *[1] * (gradient.ndim - 1))
        run([partial(self._move, rows[p], gradient[p], count[p], learning_rate) for p in parts(len(rows))])

    def _move(self, rows: Tensor, gradient: Tensor, count: Tensor, learning_rate: float) -> None:
        mean = self.mean.index_select(0, rows).lerp_(gradient, 1 - BETAS[0])
        square = self.square.index_select(0, rows).mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        self.mean.index_copy_(0, rows, mean)
        self.square.index_copy_(0, rows, square)
        scale = square.div_(1 - BETAS[1] ** count).sqrt_().add_(TINY)
        values = self.table.index_select(0, rows)
        if self.weight_decay:
            values.mul_(1 - learning_rate * self.weight_decay)
        values.addcdiv_(mean.div_(1 - BETAS[0] ** count), scale, value=-learning_rate)
        self.table.index_copy_(0, rows, values)

    def tensors(self) -> dict[str, Tensor]:
        """What it remembers, by name."""
        return {"mean": self.mean, "square": self.square, "steps": self.steps}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `tensors` gave."""
        for name, kept in self.tensors().items():
            kept.copy_(tensors[name])


class InPlay(NamedTuple):
    """The rows of the item table that a window reads or compares, as a table of their own.

    Attributes:
        rows: (R,) their items, ascending.
        table, bias: (R, D) and (R,), leaves that gather the gradients.
        item: (T, B) the window's events by row, -1 for none.
        target: (P,) by row.
        drawn: by row.
    """

    rows: Tensor
    table: Tensor
    bias: Tensor
    item: Tensor
    target: Tensor
    drawn: Drawn


def in_play(network: Network, item: Ints, target: Longs, drawn: Drawn) -> InPlay:
    """The table of a window.

    Args:
        network: whose rows are taken.
        item: (T, B) items, -1 for none.
        target: (P,) items.
        drawn: items.
    """
    known = item >= 0
    everything = np.concatenate([item[known], target, drawn.item.numpy()]).astype(np.int64)
    rows, place = np.unique(everything, return_inverse=True)
    ends = np.cumsum([known.sum(), len(target)])
    read, wanted, compared = (torch.from_numpy(part).to(network.device) for part in np.split(place, ends))
    own = torch.full(item.shape, -1, dtype=torch.int64, device=network.device)
    own[torch.from_numpy(known).to(network.device)] = read
    chosen = torch.from_numpy(rows).to(network.device)
    return InPlay(
        rows=chosen,
        table=network.table.detach()[chosen].requires_grad_(),
        bias=network.bias.detach()[chosen].requires_grad_(),
        item=own,
        target=wanted,
        drawn=Drawn(compared, drawn.log_probability.to(network.device)),
    )
