"""A number, by where it lies among those of the training items."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from segue.data.encoding.base import Axes
from segue.errors import LogError
from segue.shapes import Array, Doubles, Floats

KNOTS = 33


class NumberEncoder:
    """From -1 (the smallest number that was learned from) to 1 (the largest); and 1 where the number is known.

    Linear between quantiles, so that a price of a million, or one in cents, changes nothing for the others.

    Args:
        knots: the distinct quantiles, ascending.
        places: of each knot, from -1 to 1.

    >>> encoder = NumberEncoder.fitted([1, 2, 3, None], where="price", axes=None)
    >>> encoder.encode([1, 2.5, 99, None], where="price").tolist()
    [[-1.0, 1.0], [0.5, 1.0], [1.0, 1.0], [0.0, 0.0]]
    """

    kind: ClassVar[str] = "number"
    width = 2

    def __init__(self, knots: Doubles, places: Doubles) -> None:
        if len(knots) != len(places):
            raise ValueError(f"{len(knots)} knots have {len(places)} places")
        self._knots, self._places = knots, places

    @classmethod
    def fitted(cls, values: Sequence[Any], *, where: str, axes: Axes | None) -> Self:
        """The quantiles of those that are known."""
        found = numbers(values, where)
        return cls.learned(found[~np.isnan(found)])

    @classmethod
    def learned(cls, found: Doubles | Floats) -> Self:
        """The quantiles of finite numbers (M,)."""
        if not len(found):
            return cls(np.zeros(0), np.zeros(0))
        knots, first = np.unique(np.quantile(found.astype(np.float64), np.linspace(0, 1, KNOTS)), return_index=True)
        last = np.append(first[1:], KNOTS) - 1  # equal quantiles: the middle of their places
        return cls(knots, (first + last) / (KNOTS - 1) - 1 if len(knots) > 1 else np.zeros(1))

    def encode(self, values: Sequence[Any], *, where: str) -> Floats:
        """(M, 2)."""
        return self.encoded(numbers(values, where))

    def encoded(self, found: Doubles | Floats) -> Floats:
        """(..., 2) of numbers (...); nan where nothing is known."""
        known = np.isfinite(found)
        encoded = np.zeros((*found.shape, 2), np.float32)
        if len(self._knots):
            encoded[known, 0] = np.interp(found[known], self._knots, self._places)
        encoded[known, 1] = 1
        return encoded

    def plain(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def arrays(self) -> dict[str, Array]:
        """The knots and their places."""
        return {"knots": self._knots, "places": self._places}

    @classmethod
    def restored(cls, plain: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """As it was."""
        return cls(arrays["knots"], arrays["places"])


def numbers(values: Sequence[Any], where: str) -> Doubles:
    """(M,) nan where nothing is known. Raises LogError, with the first value, for what is no number."""
    found = np.full(len(values), np.nan)
    for place, value in enumerate(values):
        if value is None:
            continue
        try:
            found[place] = float(value)
        except (TypeError, ValueError):
            raise LogError(f"{where} is {value!r}; expected a number, as it was learned") from None
        if math.isinf(found[place]):
            raise LogError(f"{where} is {value!r}; expected a finite number")
    return found
