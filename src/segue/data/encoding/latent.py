"""Sets of words, or of labels, as few numbers: by what they share with others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from zlib import crc32

import numpy as np

from segue.data.encoding.base import Axes, Sparse
from segue.shapes import Array, Floats, Ints

BUCKETS = 2**18
"""Terms are hashed into so many columns, of which those that occurred are kept."""

WIDTH, FEWEST_WIDTH = 256, 64
"""So many numbers are left, of large tables fewer: as many as keep a matrix of all within `MOST`."""

MOST = 2**26
"""Numbers: 256 MB."""

FEWEST = 2
"""A column that fewer values have says nothing of what is alike."""

ROWS = 512
"""So many rows are projected at a time: 30 MB."""

SAMPLE = 50_000
"""Axes are learned from at most about so many values, evenly from all."""

TERMS = 2**15
"""So many columns are kept, those that most values have: what is kept with a model has a row of axes for each."""

Terms = Callable[[Any], Iterable[str]]
"""The terms of a value, each as often as it occurs; none of None."""


class Latent:
    """Latent semantic indexing of hashed terms: tf-idf rows of length 1, on the axes along which they vary most.

    Source: Deerwester et al., Indexing by Latent Semantic Analysis (1990); Weinberger et al., Feature Hashing for Large
    Scale Multitask Learning (2009), without signs: with so many columns few terms share one.

    Args:
        columns: (W,) the hashed columns that are kept, ascending.
        idf: (W,) how much each counts: log((1 + M) / (1 + values that have it)) + 1.
        axes: (W, K).
    """

    def __init__(self, columns: Ints, idf: Floats, axes: Floats) -> None:
        if not len(columns) == len(idf) == len(axes) or axes.ndim != 2:
            raise ValueError(f"{len(columns)} columns have {len(idf)} weights and axes of shape {axes.shape}")
        self._columns, self._idf, self._axes = columns, idf, axes

    @property
    def width(self) -> int:
        """K."""
        return int(self._axes.shape[1])

    @classmethod
    def fitted(cls, values: Sequence[Any], terms: Terms, axes: Axes) -> Latent:
        """Learn the axes of some values."""
        width = min(WIDTH, max(FEWEST_WIDTH, MOST // max(len(values), 1)))
        values = values[:: -(-len(values) // SAMPLE) or 1]
        hashed = hashed_of(values, terms)
        having = np.bincount(hashed.column, minlength=BUCKETS)
        common = np.argsort(-having, kind="stable")[:TERMS]
        columns = np.sort(common[having[common] >= FEWEST]).astype(np.int32)
        idf = (np.log((1 + len(values)) / (1 + having[columns])) + 1).astype(np.float32)
        found = cls(columns, idf, np.zeros((len(columns), 0), np.float32))
        width = min(width, len(columns), len(values))
        return cls(columns, idf, axes(found._weighted(hashed), width)) if width else found

    def encode(self, values: Sequence[Any], terms: Terms) -> Floats:
        """(M, K); zeros where no term is known."""
        encoded = np.zeros((len(values), self.width), np.float32)
        for begin in range(0, len(values), ROWS):
            rows = self._weighted(hashed_of(values[begin : begin + ROWS], terms))
            some = np.flatnonzero(np.diff(rows.bounds))
            if len(some):
                weighted = self._axes[rows.column] * rows.value[:, None]
                encoded[begin + some] = np.add.reduceat(weighted, rows.bounds[some])
        return encoded

    def _weighted(self, hashed: Sparse) -> Sparse:
        """Counts (M, BUCKETS) as rows of length 1 over the kept columns."""
        place = np.searchsorted(self._columns, hashed.column).clip(max=max(len(self._columns) - 1, 0))
        kept = self._columns[place] == hashed.column if len(self._columns) else np.zeros(len(place), bool)
        row = np.repeat(np.arange(len(hashed)), np.diff(hashed.bounds))[kept]
        place = place[kept].astype(np.int32)
        value = (1 + np.log(hashed.value[kept])) * self._idf[place]
        length = np.sqrt(np.bincount(row, value * value, minlength=len(hashed)))
        bounds = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(hashed)))])
        return Sparse(bounds, place, (value / length[row]).astype(np.float32), len(self._columns))

    def arrays(self) -> dict[str, Array]:
        """The columns, their weights and the axes."""
        return {"columns": self._columns, "idf": self._idf, "axes": self._axes}


def hashed_of(values: Sequence[Any], terms: Terms) -> Sparse:
    """How often each column occurs in each value."""
    known: dict[str, int] = {}
    bounds, columns, counts = [0], list[Array](), list[Array]()
    for value in values:
        places = list[int]()
        for term in terms(value):
            if term not in known:
                known[term] = crc32(term.encode("utf-8", "surrogatepass")) % BUCKETS
            places.append(known[term])
        column, count = np.unique(np.array(places, np.int32), return_counts=True)
        columns.append(column)
        counts.append(count)
        bounds.append(bounds[-1] + len(column))
    flat = np.concatenate(columns) if columns else np.zeros(0, np.int32)
    times = np.concatenate(counts) if counts else np.zeros(0)
    return Sparse(np.array(bounds, np.int64), flat, times.astype(np.float32), BUCKETS)
