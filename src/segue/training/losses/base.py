"""What a loss must offer, and the list of those that do."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Generator, Tensor

from segue.errors import ConfigError, did_you_mean
from segue.training.negatives import Negatives


class Outputs(NamedTuple):
    """What a loss compares, for the P places of a window that have a target.

    Attributes:
        query: (P, D).
        table, bias: (N, D) and (N,), the output layer.
        target: (P,) int64.
        negatives: where to draw from.
        draws: how many of them.
        generator: what to draw with.
    """

    query: Tensor
    table: Tensor
    bias: Tensor
    target: Tensor
    negatives: Negatives
    draws: int
    generator: Generator


Loss = Callable[[Outputs], Tensor]
"""From outputs to the mean loss over P, a scalar with gradients."""

LOSSES: dict[str, Loss] = {}


def loss(name: str) -> Callable[[Loss], Loss]:
    """Make a function known as a loss."""

    def register(function: Loss) -> Loss:
        LOSSES[name] = function
        return function

    return register


def loss_of(name: str) -> Loss:
    """The loss of that name. Raises ConfigError, with the nearest name, if there is none."""
    try:
        return LOSSES[name]
    except KeyError:
        raise ConfigError(f"`{name}` is not a loss{did_you_mean(name, LOSSES)}") from None
