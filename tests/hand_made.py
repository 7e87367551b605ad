"""Weights, inputs and central differences for the tests of the cell by hand."""

from __future__ import annotations

from functools import cache

import numpy as np

from segue.by_hand import Weights, forward, loss
from segue.shapes import Doubles

# All unlike one another and unlike the four of the gates, so that no axis passes for another.
B, D, H, OUTPUTS = 2, 3, 6, 5
APART = 1e-5


def drawn(seed: int, T: int) -> tuple[Weights, Doubles, Doubles, Doubles]:
    """Weights, x, h_0 and target, with nothing at zero, which would hide its part in the equations."""
    rng = np.random.default_rng(seed)
    shapes = (4, H, D), (4, H, H), (4, H), (OUTPUTS, H), (OUTPUTS,)
    weights = Weights(*(rng.normal(scale=0.7, size=shape) for shape in shapes))
    return weights, rng.normal(size=(T, B, D)), rng.normal(size=(B, H)), rng.normal(size=(T, B, OUTPUTS))


def named(gradients: Weights, at_start: Doubles) -> dict[str, Doubles]:
    """What `backward` gives, under names."""
    return {**gradients._asdict(), "h_0": at_start}


@cache
def numerical(seed: int, T: int) -> dict[str, Doubles]:
    """The slopes of the loss by central differences, for each number in each weight, bias and h_0 of `drawn`."""
    weights, x, h_0, target = drawn(seed, T)

    def slope(part: Doubles, place: tuple[int, ...]) -> float:
        kept, losses = part[place], []
        for moved in (kept + APART, kept - APART):
            part[place] = moved
            losses.append(loss(forward(weights, x, h_0).p, target))
        part[place] = kept
        return (losses[0] - losses[1]) / (2 * APART)

    parts = named(weights, h_0)
    return {
        name: np.array([slope(part, place) for place in np.ndindex(part.shape)]).reshape(part.shape)
        for name, part in parts.items()
    }
