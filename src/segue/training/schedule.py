"""How fast to learn when, and which weights decay."""

from __future__ import annotations

import math
from typing import Any

from torch import nn

LOWEST = 0.02
"""The last learning rate, as a part of the highest."""


def schedule(share: float, warmup: float) -> float:
    """The part of the learning rate at a share of the whole training: up in a line, down as half a cosine.

    >>> [round(schedule(share, 0.1), 2) for share in (0.05, 0.1, 0.55, 1.0)]
    [0.5, 1.0, 0.51, 0.02]
    """
    if share < warmup:
        return max(share, 1e-3) / warmup
    return LOWEST + (1 - LOWEST) * 0.5 * (1 + math.cos(math.pi * (share - warmup) / (1 - warmup)))


def grouped(parameters: list[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Parameters with decay (matrices) and without (vectors), as an optimiser takes them."""
    matrices = [p for p in parameters if p.ndim > 1]
    vectors = [p for p in parameters if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
