"""Stretches of a log, one a prediction: what a user did before it, or what came in a basket."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from segue.shapes import Array, Longs

EVENTS_A_PIECE = 2**20


class Runs(NamedTuple):
    """A stretch of events for each of P predictions.

    Attributes:
        item: (E,) the items of a log laid out by user, -1 outside the catalog.
        begins, ends: (P,) a prediction's events are those from `begins` up to, and without, `ends`.
    """

    item: Array
    begins: Longs
    ends: Longs

    def part(self, block: slice) -> "Runs":
        """Those of some predictions."""
        return Runs(self.item, self.begins[block], self.ends[block])

    def pieces(self) -> Iterator[tuple[Longs, Array]]:
        """(row, item) of every event, stretch after stretch, some events at a time, however long a stretch is.

        >>> runs = Runs(np.array([5, 6, 7]), begins=np.array([0, 0]), ends=np.array([1, 3]))
        >>> [(row.tolist(), item.tolist()) for row, item in runs.pieces()]
        [([0, 1, 1, 1], [5, 5, 6, 7])]
        """
        after = np.cumsum(self.ends - self.begins)
        total = int(after[-1]) if len(after) else 0
        for left in range(0, total, EVENTS_A_PIECE):
            number = np.arange(left, min(left + EVENTS_A_PIECE, total))
            row = np.searchsorted(after, number, side="right")
            yield row, self.item[self.ends[row] - (after[row] - number)]
