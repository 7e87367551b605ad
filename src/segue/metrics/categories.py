"""Which categories each item has, as numbers."""

from typing import NamedTuple

import numpy as np

from segue.shapes import Array, Longs

CELLS_A_BLOCK = 2**20


class Categories(NamedTuple):
    """The categories of N items, item after item.

    Attributes:
        names: the G categories.
        bounds: (N + 1,) where the codes of each item begin and end.
        codes: places in `names`; those of one item differ from each other.
    """

    names: tuple[str, ...]
    bounds: Longs
    codes: Array

    def counts(self) -> Longs:
        """(N,) how many each item has."""
        return np.diff(self.bounds)

    def rows_within(self) -> int:
        """How many rows of G cells are formed at a time, so that memory does not grow with their product."""
        return max(1, CELLS_A_BLOCK // max(1, len(self.names)))

    def of(self, items: Array) -> tuple[Longs, Longs]:
        """All categories of some items (E,): the place of the item in E, and the category. -1 has none.

        >>> categories = Categories(("a", "b"), np.array([0, 2, 3]), np.array([0, 1, 1]))
        >>> [part.tolist() for part in categories.of(np.array([1, -1, 0]))]
        [[0, 2, 2], [1, 0, 1]]
        """
        known = np.flatnonzero(items >= 0)
        first, number = self.bounds[items[known]], self.counts()[items[known]]
        place = np.repeat(known, number)
        within = np.arange(len(place)) - np.repeat(np.cumsum(number) - number, number)
        return place, self.codes[np.repeat(first, number) + within].astype(np.int64)

    def mixes(self, rows: Array, items: Array, n_rows: int) -> tuple[Array, Array]:
        """What a set of items of each row is made of: each item's share goes in equal parts to its categories.

        Args:
            rows, items: (E,) pairs; -1, and an item without a category, adds nothing.
            n_rows: R.

        Returns:
            (R, G) sums of these parts, and (R,) how many items have a category.
        """
        place, code = self.of(items)
        number = self.counts()[items[place]]
        groups = len(self.names)
        cell = rows[place] * np.int64(groups) + code
        mix = np.bincount(cell, 1.0 / number, minlength=n_rows * groups).reshape(n_rows, groups)
        some = (items >= 0) & (self.counts()[np.maximum(items, 0)] > 0)
        return mix, np.bincount(rows[some], minlength=n_rows)
