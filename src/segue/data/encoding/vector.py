"""Vectors of the user's own, such as those of a language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from segue.data.encoding.base import Axes
from segue.errors import LogError
from segue.shapes import Array, Floats


class VectorEncoder:
    """Vectors of one width, less their mean.

    Args:
        mean: (width,).
    """

    kind: ClassVar[str] = "vector"

    def __init__(self, mean: Floats) -> None:
        self._mean, self.width = mean, len(mean)

    @classmethod
    def fitted(cls, values: Sequence[Any], *, where: str, axes: Axes | None) -> Self:
        """The mean of those that are known, whose width is that of the first."""
        width = next((len(value) for value in values if isinstance(value, list | tuple)), 0)
        known = [row for value in values if (row := vector_of(value, width, where)) is not None]
        return cls(np.mean(known, axis=0).astype(np.float32) if known else np.zeros(width, np.float32))

    def encode(self, values: Sequence[Any], *, where: str) -> Floats:
        """(M, width)."""
        encoded = np.zeros((len(values), self.width), np.float32)
        for row, value in enumerate(values):
            vector = vector_of(value, self.width, where)
            if vector is not None:
                encoded[row] = vector - self._mean
        return encoded

    def plain(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def arrays(self) -> dict[str, Array]:
        """The mean."""
        return {"mean": self._mean}

    @classmethod
    def restored(cls, plain: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """As it was."""
        return cls(arrays["mean"])


def vector_of(value: Any, width: int, where: str) -> Floats | None:
    """(width,) of one item; None where nothing is known. Raises LogError for anything but so many finite numbers."""
    if value is None:
        return None
    try:
        vector = np.asarray(value, np.float32)
    except (TypeError, ValueError):
        raise LogError(f"{where} is {str(value)[:60]!r}; expected a list of {width} numbers") from None
    if vector.shape != (width,):
        found = f"a vector of {len(vector)} numbers" if vector.ndim == 1 else f"{str(value)[:60]!r}"
        raise LogError(f"{where} is {found}; expected {width} numbers, as in the other rows and as learned")
    if not np.isfinite(vector).all():
        raise LogError(f"{where} has a number that is not finite: {vector[~np.isfinite(vector)][0]}")
    return vector
