"""What an encoder of one column is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol, Self

from segue.shapes import Array, Floats, Ints, Longs


class Sparse(NamedTuple):
    """A matrix (M, W) of mostly zeros, row after row.

    Attributes:
        bounds: (M + 1,) where each row begins and ends.
        column: the columns that are not zero, 0..W-1.
        value: what stands there.
        width: W.
    """

    bounds: Longs
    column: Ints
    value: Floats
    width: int

    def __len__(self) -> int:
        return len(self.bounds) - 1


Axes = Callable[[Sparse, int], Floats]
"""From a matrix (M, W) and K to axes (W, K) along which it varies most: see `segue.training.axes`."""


class Encoder(Protocol):
    """A column as numbers: it learns from the items of a training log what it needs, and encodes any later ones alike.

    Attributes:
        kind: its name in settings.
        width: how many numbers a value becomes.
    """

    kind: ClassVar[str]
    width: int

    @classmethod
    def fitted(cls, values: Sequence[Any], *, where: str, axes: Axes) -> Self:
        """Learn from values, None where nothing is known. Raises LogError where they are not of this kind."""

    def encode(self, values: Sequence[Any], *, where: str) -> Floats:
        """(M, width); zeros where nothing is known. Raises LogError for a value that is not of this kind.

        Args:
            where: names the column in a message.
        """

    def plain(self) -> dict[str, Any]:
        """What it has learned and is no array."""

    def arrays(self) -> dict[str, Array]:
        """What it has learned, by name."""

    @classmethod
    def restored(cls, plain: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """From what `plain` and `arrays` gave. Raises KeyError, TypeError or ValueError where these do not fit."""
