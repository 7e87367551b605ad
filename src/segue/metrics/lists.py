"""The lists that a model answered with, and what is known about the items in them."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from segue.shapes import Array, Bools, Doubles, Floats, Longs

PREDICTIONS_A_BLOCK = 2048


class Lists(NamedTuple):
    """One list a prediction; P predictions, K places, N items.

    Attributes:
        items: (P, K) item in each place, best first; -1 where the list has ended.
        n_items: N, the size of the catalog.
        counts: (N,) training events of each item.
        seen: (P, K) whether the item was in that prediction's history already.
        vectors: (N, D) unit vectors of the items, zero where nothing is known of one; None without any.
    """

    items: Array
    n_items: int
    counts: Array
    seen: Bools
    vectors: Floats | None = None

    @property
    def filled(self) -> Bools:
        """(P, K) where a place holds an item."""
        return np.asarray(self.items >= 0)

    def first(self, k: int) -> "Lists":
        """The same lists, cut to k places."""
        return self._replace(items=self.items[:, :k], seen=self.seen[:, :k])

    def blocks(self) -> Iterator["Lists"]:
        """The same lists, some predictions at a time, so that memory does not grow with P."""
        for start in range(0, len(self.items), PREDICTIONS_A_BLOCK):
            block = slice(start, start + PREDICTIONS_A_BLOCK)
            yield self._replace(items=self.items[block], seen=self.seen[block])

    def mean(self, values: Array) -> Doubles:
        """Mean of (P, K) values over the filled places of each list, NaN for an empty list."""
        filled = self.filled
        total = np.where(filled, values, 0.0).sum(axis=1)
        length = filled.sum(axis=1)
        mean = np.full(len(total), np.nan)
        np.divide(total, length, out=mean, where=length > 0)
        return mean

    def exposures(self) -> Longs:
        """(N,) how many lists hold each item."""
        total = np.zeros(self.n_items, dtype=np.int64)
        for block in self.blocks():
            total += np.bincount(block.items[block.filled], minlength=self.n_items)
        return total
