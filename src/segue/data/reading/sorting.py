"""The stable sort of columns that may not fit into memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segue.data import spill
from segue.data.reading.spool import Spool
from segue.shapes import Array

PART = 1 << 22
"""Events that are sorted at a time."""

SAMPLE = 256
"""Places looked at for each part: parts come out alike within a quarter."""


def rises(keys: Sequence[Spool]) -> bool:
    """Whether no event has smaller keys than the one before; of several keys the first counts, then the next."""
    length = len(keys[0])
    for block in spill.blocks(length):
        wider = slice(max(0, block.start - 1), block.stop)
        falls, level = False, np.ones(wider.stop - wider.start - 1, bool)
        for key in keys:
            values = key.read(wider)
            falls |= bool(np.any(level & (values[1:] < values[:-1])))
            level &= values[1:] == values[:-1]
        if falls:
            return False
    return True


class Order:
    """The stable order of a key (E,): equal values keep the order that they have.

    The range of the key is parted into values that are common, each a part of its own and in order as it stands, and
    the stretches between them, each of which is sorted in memory.

    Args:
        key: the values to sort by, none of them nan.
    """

    def __init__(self, key: Spool) -> None:
        self.length = len(key)
        bounds = quantiles(key)
        self.part = Spool(np.uint16)
        counts = np.zeros(2 * len(bounds) + 1, np.int64)
        padded = np.append(bounds, np.nan)
        for values in key.blocks() if len(bounds) else ():
            left = np.searchsorted(bounds, values)
            part = (2 * left + (padded[left] == values)).astype(np.uint16)
            self.part.append(part)
            counts += np.bincount(part, minlength=len(counts))
        if not len(bounds):
            counts[0] = self.length
        self.ends = np.append(0, np.cumsum(counts))
        self.places = Spool(np.int32)  # within the part
        spread = self._spread(key)
        for number, span in self._spans():
            if number % 2 == 0:
                self.places.put(span.start, np.argsort(spread.read(span), kind="stable"))

    def applied(self, column: Spool) -> Spool:
        """The values of a column (E,) in this order."""
        spread, out = self._spread(column), Spool(column.dtype)
        for number, span in self._spans():
            if number % 2 == 0:
                out.append(spread.read(span)[self.places.read(span)])
                continue
            for block in spill.blocks(span.stop - span.start):
                out.append(spread.read(slice(span.start + block.start, span.start + block.stop)))
        return out

    def _spans(self) -> list[tuple[int, slice]]:
        """The parts that hold events, in order: number (odd: of one value) and where it stands."""
        counts = np.diff(self.ends)
        return [(int(n), slice(int(self.ends[n]), int(self.ends[n + 1]))) for n in np.flatnonzero(counts)]

    def _spread(self, column: Spool) -> Spool:
        """The values of a column (E,) parted, in each part as they come."""
        if len(self.ends) == 2:
            return column
        out, at = Spool(column.dtype), self.ends[:-1].copy()
        for block in spill.blocks(self.length):
            part = self.part.read(block)
            values = column.read(block)[np.argsort(part, kind="stable")]
            counts = np.bincount(part, minlength=len(at))
            ends = np.cumsum(counts)
            for number in np.flatnonzero(counts):
                out.put(int(at[number]), values[ends[number] - counts[number] : ends[number]])
            at += counts
        return out


def quantiles(key: Spool) -> Array:
    """Distinct values of a key that part it into stretches of about `PART` events, none if it is short."""
    n_parts = min(-(-len(key) // PART), 1 << 14)
    if n_parts <= 1:
        return np.empty(0, key.dtype)
    # Not every n-th: a log may be periodic. The sample changes how long it takes, never the order.
    places = np.sort(np.random.default_rng(0).integers(0, len(key), SAMPLE * n_parts))
    ends = np.searchsorted(places, [block.stop for block in spill.blocks(len(key))])
    start, left, sample = 0, 0, []
    for values, right in zip(key.blocks(), ends, strict=True):
        sample.append(values[places[left:right] - start])
        start, left = start + len(values), int(right)
    ordered = np.sort(np.concatenate(sample))
    return np.unique(ordered[SAMPLE - 1 : -1 : SAMPLE])
