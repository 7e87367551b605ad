"""One or several labels of an item, such as a brand or genres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from segue.data.encoding.base import Axes
from segue.data.encoding.latent import Latent
from segue.shapes import Array, Floats

MOST = 64
"""More labels have no column each."""


class LabelsEncoder:
    """A column a label, where there are few, else few numbers by what labels go together, see `Latent`.

    Args:
        names: of the columns; an item's row has length 1, and is zero where none of them is known.
        latent: where there are too many names.

    >>> encoder = LabelsEncoder.fitted([["drama"], None, ["comedy", "drama"]], where="genres", axes=None)
    >>> encoder.encode([["drama"], None, ["comedy"], "western"], where="genres").tolist()
    [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]
    """

    kind: ClassVar[str] = "labels"

    def __init__(self, names: Sequence[str], latent: Latent | None = None) -> None:
        self._place = {name: place for place, name in enumerate(names)}
        self._latent, self.width = latent, len(names) if latent is None else latent.width

    @classmethod
    def fitted(cls, values: Sequence[Any], *, where: str, axes: Axes | None) -> Self:
        """The labels that occur, in the order of the alphabet."""
        names = sorted(set().union(*map(labels_of, values)))
        if len(names) <= MOST:
            return cls(names)
        assert axes is not None
        return cls((), Latent.fitted(values, labels_of, axes))

    def encode(self, values: Sequence[Any], *, where: str) -> Floats:
        """(M, width)."""
        if self._latent is not None:
            return self._latent.encode(values, labels_of)
        encoded = np.zeros((len(values), self.width), np.float32)
        for row, value in enumerate(values):
            places = [self._place[label] for label in labels_of(value) if label in self._place]
            if places:
                encoded[row, places] = 1 / np.sqrt(len(places))
        return encoded

    def plain(self) -> dict[str, Any]:
        """The labels."""
        return {"names": list(self._place)}

    def arrays(self) -> dict[str, Array]:
        """Those of `Latent`, if there are many."""
        return {} if self._latent is None else self._latent.arrays()

    @classmethod
    def restored(cls, plain: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """As it was."""
        return cls(tuple(map(str, plain["names"])), Latent(**arrays) if arrays else None)


def labels_of(value: Any) -> set[str]:
    """The labels of one item.

    >>> sorted(labels_of(["b", "a", "b"])), labels_of(7), labels_of(None)
    (['a', 'b'], {'7'}, set())
    """
    if value is None:
        return set()
    return {str(one) for one in value if one is not None} if isinstance(value, list | tuple | set) else {str(value)}
