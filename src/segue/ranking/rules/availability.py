"""What may not be answered at a time: the same for everyone, and from one opening or closing to the next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.shapes import Bools, Doubles, Ints

KEPT = 4
"""So many closed sets are kept, of the spans of time asked for last: of a million items a megabyte or more."""


class Closed(NamedTuple):
    """The items that may not be answered at a time; not to be changed.

    Attributes:
        items: ascending.
        mask: (N,) true for them.
    """

    items: Ints
    mask: Bools


class Availability:
    """When each item may be answered, by the catalog: begin <= time < end.

    Args:
        begin, end: (N,) Unix seconds, -inf and inf where nothing is said.
    """

    def __init__(self, begin: Doubles, end: Doubles) -> None:
        self.begin, self.end = begin, end
        edges = np.concatenate([begin, end])
        self._edges = np.unique(edges[np.isfinite(edges)])
        self._kept: dict[int, Closed] = {}

    def closed(self, at: float) -> Closed:
        """What may not be answered at a time: the very same object until an item opens or closes."""
        span = int(np.searchsorted(self._edges, at, side="right"))
        kept = self._kept
        found = kept.get(span)
        if found is None:
            mask = (at < self.begin) | (at >= self.end)
            mask.flags.writeable = False
            found = Closed(np.flatnonzero(mask).astype(np.int32), mask)
        elif span == next(reversed(kept)):
            return found
        # the last one asked for is last; put in place at once: shards share it, and at worst two of them make the same
        others = [(one, closed) for one, closed in kept.items() if one != span]
        self._kept = {**dict(others[1 - KEPT :]), span: found}
        return found
