"""A loss of one's own tried on a few made-up rows, so that it shows its mistakes before anything is read or trained."""

from __future__ import annotations

import torch
from torch import Tensor

from segue.config import TrainSettings
from segue.errors import ConfigError
from segue.own import line_in, own_file
from segue.training.losses.base import Drawn, Outputs, loss_of

P, D, N = 3, 4, 6


def try_out(name: str, settings: TrainSettings) -> None:
    """Take the value and the gradients of a loss that is one's own; those of segue are tested.

    Raises:
        ConfigError: it fails, or gives no finite scalar, or none that can be differentiated.
    """
    loss = loss_of(name)
    file = own_file(loss.value)
    if not file:
        return
    outputs = made_up(settings, samples=loss.samples)
    try:
        value = loss(outputs)
        wrong = fault(value)
        if not wrong:
            torch.autograd.backward(value)
            if not all(leaf.grad is None or bool(torch.isfinite(leaf.grad).all()) for leaf in outputs[:3]):
                wrong = "has gradients that are no numbers"
    except Exception as error:
        where = line_in(error, loss.value)
        raise ConfigError(f"loss `{name}` of {file}{where}: {type(error).__name__}: {error}") from error
    if wrong:
        raise ConfigError(
            f"loss `{name}` of {file} {wrong}, on {P} made-up rows; expected the mean over the rows as a tensor with "
            "one number, made from `outputs.query`, `outputs.table` and `outputs.bias`"
        )


def fault(value: Tensor) -> str:
    """What is wrong with the value of a loss; empty where nothing is."""
    if not isinstance(value, Tensor):
        return f"gave a {type(value).__name__}"
    if value.shape != ():
        return f"gave a tensor of shape {tuple(value.shape)}"
    if not bool(torch.isfinite(value)):
        return f"gave {float(value.detach())}"
    return "" if value.requires_grad else "gave a number without gradients"


def made_up(settings: TrainSettings, *, samples: bool) -> Outputs:
    """Rows of a network that has just begun."""
    draw = torch.Generator().manual_seed(1)
    query, table, bias = (0.1 * torch.randn(shape, generator=draw) for shape in ((P, D), (N, D), (N,)))
    drawn = Drawn(torch.tensor([0, 2, 3, 5]), torch.full((4,), 1 / N).log()) if samples else None
    for leaf in (query, table, bias):
        leaf.requires_grad_()
    return Outputs(query, table, bias, torch.tensor([0, 1, 4]), drawn, N, settings)
