"""What a loss must offer, and the list of those that do."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from segue.config import TrainSettings
from segue.errors import ConfigError, did_you_mean
from segue.own import same_place


class Drawn(NamedTuple):
    """K items that stand against the targets.

    Attributes:
        item: (K,) int64, ascending; an item may be there more than once.
        log_probability: (K,) of one draw giving that item.
    """

    item: Tensor
    log_probability: Tensor


class Outputs(NamedTuple):
    """What a loss compares, for the P places of a window that have a target.

    Attributes:
        query: (P, D).
        table, bias: (R, D) and (R,), the rows of the output layer in play: all N, or those that a window touches.
        target: (P,) int64, rows of `table`.
        drawn: rows of `table` to compare with; None for a loss that compares with all.
        n_items: N.
        settings: the loss's own settings are read from them.
        dtype: of the products.
        worth: (P,) how much each place counts in the mean; None: all count alike.
    """

    query: Tensor
    table: Tensor
    bias: Tensor
    target: Tensor
    drawn: Drawn | None
    n_items: int
    settings: TrainSettings = TrainSettings()
    dtype: torch.dtype = torch.float32
    worth: Tensor | None = None


class Loss(NamedTuple):
    """A function from outputs to the mean loss over P, each by its worth, a scalar with gradients; and what it needs.

    `samples`: drawn items. `base`: the score that items should begin with, from N and the settings; None: zero.
    """

    value: Callable[[Outputs], Tensor]
    samples: bool
    base: Callable[[int, TrainSettings], float] | None = None

    def __call__(self, outputs: Outputs) -> Tensor:  # noqa: D102  (the class says it)
        return self.value(outputs)


LOSSES: dict[str, Loss] = {}


def loss(
    name: str, *, samples: bool = False, base: Callable[[int, TrainSettings], float] | None = None
) -> Callable[[Callable[[Outputs], Tensor]], Callable[[Outputs], Tensor]]:
    """Make a function known as a loss; for `samples` and `base` see `Loss`."""

    def make_known(function: Callable[[Outputs], Tensor]) -> Callable[[Outputs], Tensor]:
        register(name, Loss(function, samples, base))
        return function

    return make_known


def register(name: str, made: Loss) -> None:
    """Add a loss to the list. Raises ConfigError for a name that is taken."""
    taken = LOSSES.get(name)
    if taken is not None and not same_place(made.value, taken.value):
        raise ConfigError(
            f"loss `{name}` of {made.value.__module__} is already registered by {taken.value.__module__}; "
            "give one of the two another name"
        )
    LOSSES[name] = made


def loss_of(name: str) -> Loss:
    """The loss of that name. Raises ConfigError, with the nearest name, if there is none."""
    try:
        return LOSSES[name]
    except KeyError:
        raise ConfigError(f"`{name}` is not a loss{did_you_mean(name, LOSSES)}") from None
