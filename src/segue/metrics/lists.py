"""The lists that a model answered with, and what is known about them: items, targets, users."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from segue.metrics.categories import Categories
from segue.metrics.runs import Runs
from segue.shapes import Array, Bools, Doubles, Floats, Ints, Longs

PREDICTIONS_A_BLOCK = 2048


class Lists(NamedTuple):
    """One list a prediction; P predictions, K places, N items. What is None is not known.

    Attributes:
        items: (P, K) item in each place, best first; -1 where the list has ended.
        n_items: N, the size of the catalog.
        counts: (N,) training events of each item.
        seen: (P, K) whether the item was in that prediction's history already.
        vectors: (N, D) unit vectors of the items, zero where nothing is known of one.
        target: (P,) the item that came, -1 for one outside the catalog.
        weight: (P,) what the event that came is worth, by the log's weight column.
        categories: of the N items.
        past: the events of the user before each prediction.
        expected: (P, K) the list that popularity gave in the same place.
        basket: the events of the basket that each list came before.
    """

    items: Array
    n_items: int
    counts: Array
    seen: Bools
    vectors: Floats | None = None
    target: Ints | None = None
    weight: Floats | None = None
    categories: Categories | None = None
    past: Runs | None = None
    expected: Ints | None = None
    basket: Runs | None = None

    @property
    def filled(self) -> Bools:
        """(P, K) where a place holds an item."""
        return np.asarray(self.items >= 0)

    def first(self, k: int) -> "Lists":
        """The same lists, cut to k places."""
        expected = None if self.expected is None else self.expected[:, :k]
        return self._replace(items=self.items[:, :k], seen=self.seen[:, :k], expected=expected)

    def part(self, rows: slice) -> "Lists":
        """The lists of some predictions."""
        cut: dict[str, Any] = {}
        for name in ("items", "seen", "target", "weight", "expected"):
            array = getattr(self, name)
            cut[name] = None if array is None else array[rows]
        for name in ("past", "basket"):
            runs = getattr(self, name)
            cut[name] = None if runs is None else runs.part(rows)
        return self._replace(**cut)

    def blocks(self, size: int = PREDICTIONS_A_BLOCK) -> Iterator["Lists"]:
        """The same lists, some predictions at a time, so that memory does not grow with P."""
        for start in range(0, len(self.items), size):
            yield self.part(slice(start, start + size))

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
