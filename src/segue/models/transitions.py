"""What came right after what in a training log, within a session."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.grouping import distinct, whole_rows
from segue.models.counts import Known, Lists
from segue.shapes import Bools, Longs


class Transitions(NamedTuple):
    """For each item those that came right after it.

    Attributes:
        next: a list of items for each item.
        times: how often each of `next.values` came right after.
    """

    next: Lists
    times: Longs

    @classmethod
    def of(cls, known: Known, n_items: int) -> Transitions:
        """Count all that lead to what is to be predicted; an item's list rises."""
        item, session = known.item, known.session
        before, after = slice(None, -1), slice(1, None)
        wanted = None if known.wanted is None else known.wanted[after]

        def follow(b: slice) -> Bools:
            same = session[after][b] == session[before][b]
            return np.asarray(same if wanted is None else same & wanted[b])

        together = spill.filled(len(item) - 1, bool, follow, session)
        left, came = spill.taken(item[before], together), spill.taken(item[after], together)
        first, second, times = distinct(spill.counted(left, n_items), left, came, n_items)
        return cls(Lists.grouped(first, second, n_items), times)

    def most_frequent(self, most: int) -> Transitions:
        """Of each item's list so many at most, the most frequent first; of equals the one of the lower index."""
        bounds, lengths = self.next.bounds, np.diff(self.next.bounds)
        items, times = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
        for left, right in whole_rows(bounds, spill.BLOCK):
            some = slice(int(bounds[left]), int(bounds[right]))
            row = np.repeat(np.arange(left, right), lengths[left:right])
            order = np.lexsort((-self.times[some], row))
            kept = order[np.arange(len(row)) + some.start - bounds[row] < most]
            items.append(self.next.values[some][kept])
            times.append(self.times[some][kept])
            spill.release(self.next.values)
            spill.release(self.times)
        bounds = np.concatenate([[0], np.cumsum(np.minimum(lengths, most))]).astype(np.int64)
        return Transitions(Lists(bounds, np.concatenate(items)), np.concatenate(times))

    def totals(self) -> Longs:
        """(N,) how often anything came right after each item."""
        bounds, found = self.next.bounds, np.zeros(len(self.next.bounds) - 1, np.int64)
        for left, right in whole_rows(bounds, spill.BLOCK):
            ends = np.concatenate([[0], np.cumsum(self.times[bounds[left] : bounds[right]])])
            found[left:right] = np.diff(ends[bounds[left : right + 1] - bounds[left]])
            spill.release(self.times)
        return found
