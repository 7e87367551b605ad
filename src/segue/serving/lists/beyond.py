"""What fits at a place where nothing of a pool does: looked for in all items, best first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from segue.ranking.rules.placing import Kind
from segue.shapes import Ints

LOOKED_AT = 4_096
"""So many of the best are looked at first, and then four times as many each time."""


class Beyond:
    """All items that may be answered in order, and which of them stand too near.

    From place to place few kinds change: only those are counted anew.

    Args:
        order: items, best first.
        members: the items of a kind.
        n_items: of the catalog.
    """

    def __init__(self, order: Ints, members: Callable[[Kind], Ints], n_items: int) -> None:
        self._order, self._members = order, members
        self._near = np.zeros(n_items, np.uint16)  # of how many of the kinds an item is
        self._kinds: set[Kind] = set()
        self._taken = np.zeros(n_items, bool)

    def best(self, taken: Sequence[int], kinds: Sequence[Kind]) -> int | None:
        """The best of those that are not taken and have none of the kinds; None: there is none."""
        now = set(kinds)
        for kind in now - self._kinds:
            self._near[self._members(kind)] += 1
        for kind in self._kinds - now:
            self._near[self._members(kind)] -= 1
        self._kinds = now
        self._taken[taken] = True
        found, begin, size = None, 0, LOOKED_AT
        while found is None and begin < len(self._order):
            some = self._order[begin : begin + size]
            free = (self._near[some] == 0) & ~self._taken[some]
            found = int(some[free.argmax()]) if free.any() else None
            begin, size = begin + size, 4 * size
        self._taken[taken] = False
        return found
