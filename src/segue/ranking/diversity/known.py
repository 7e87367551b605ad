"""What is known of the whole catalog, and the pool of one list cut from it: the same offline and online."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from segue.ranking.diversity.pool import Pool, unit
from segue.shapes import Array, Bools, Doubles, Floats, Ints, Longs

MOST_KINDS = 512
"""Of more categories, the largest count: a pool has a column for each."""


class Kinds(NamedTuple):
    """The categories of N items, as lists one after another.

    Attributes:
        names: (G,) of the categories.
        bounds: (N + 1,) where each item's list begins and ends.
        members: the categories of the items, 0..G-1.
        left_out: how many smaller categories are not among them.
    """

    names: tuple[str, ...]
    bounds: Longs
    members: Ints
    left_out: int = 0

    @classmethod
    def of(cls, categories: Sequence[Collection[str] | None], *, most: int = MOST_KINDS) -> Kinds:
        """The largest categories of items; of equally large ones the first in the alphabet.

        >>> kinds = Kinds.of([["drama"], None, ["comedy", "drama"]])
        >>> kinds.names, kinds.table(np.array([2, 1])).tolist()
        (('comedy', 'drama'), [[True, True], [False, False]])
        """
        sizes: dict[str, int] = {}
        for values in categories:
            for value in set(values or ()):
                sizes[value] = sizes.get(value, 0) + 1
        names = sorted(sorted(sizes, key=lambda name: (-sizes[name], name))[:most])
        place = {name: number for number, name in enumerate(names)}
        lists = [sorted(place[value] for value in set(values or ()) if value in place) for values in categories]
        bounds = np.concatenate([[0], np.cumsum([len(one) for one in lists], dtype=np.int64)])
        members = np.fromiter((one for each in lists for one in each), dtype=np.int32, count=int(bounds[-1]))
        return cls(tuple(names), bounds, members, len(sizes) - len(names))

    def pairs(self, items: Array) -> tuple[Longs, Ints]:
        """The categories of items (C,) as pairs (place in `items`, category)."""
        lengths = self.bounds[items + 1] - self.bounds[items]
        row = np.repeat(np.arange(len(items)), lengths)
        within = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return row, self.members[self.bounds[items][row] + within]

    def table(self, items: Array) -> Bools:
        """(C, G) which categories each of the items (C,) is in."""
        table = np.zeros((len(items), len(self.names)), bool)
        table[self.pairs(items)] = True
        return table

    def taste(self, history: Array) -> Doubles:
        """(G,) the share of each category in a user's past, zero without one; see `tastes`."""
        return self.tastes(np.zeros(len(history), np.int64), history, 1).reshape(-1)

    def tastes(self, row: Array, history: Array, rows: int) -> Doubles:
        """(R, G) for R users at once the shares of the categories in their past items.

            p(g|u) = mean over the distinct items i of the past of p(g|i),    p(g|i) = 1 / |categories of i|

        Source: Steck, Calibrated Recommendations (2018), with equal weights. Deviation: items without a
        category are left out.

        Args:
            row: (M,) the user, 0..R-1, of each past item.
            history: (M,) the items; -1, an unknown one, is left out.
            rows: R.
        """
        n_items = len(self.bounds) - 1
        known = history >= 0
        user, item = np.divmod(np.unique(row[known].astype(np.int64) * n_items + history[known]), max(n_items, 1))
        place, kind = self.pairs(item)
        weight = 1.0 / np.bincount(place, minlength=len(item))[place] if len(place) else np.zeros(0)
        flat = np.bincount(user[place] * len(self.names) + kind, weight, minlength=rows * len(self.names))
        taste = flat.astype(np.float64).reshape(rows, len(self.names))
        total = taste.sum(axis=1, keepdims=True)
        np.divide(taste, total, out=taste, where=total > 0)
        return taste


class Known(NamedTuple):
    """What is known of the N items of a catalog; None where it is not.

    Attributes:
        vectors: (N, D) rows of any length, which a pool has as unit rows: no copy of a large table is made.
        space: what the vectors are made of, in words.
        kinds: the categories.
        shares: (N,) the share of all training events.
        new: (N,) which items are new.
        lengths: (N,) of the vectors, see `lengths_of`; None: they are measured in every pool.
    """

    vectors: Floats | None = None
    space: str = "nothing"
    kinds: Kinds | None = None
    shares: Array | None = None
    new: Bools | None = None
    lengths: Floats | None = None

    @property
    def fields(self) -> set[str]:
        """The fields that its pools have."""
        found = {name for name in ("vectors", "kinds", "shares", "new") if getattr(self, name) is not None}
        return found | {"taste"} if "kinds" in found else found

    def pool(
        self,
        items: Array,
        scores: Floats | Doubles,
        taste: Array | None = None,
        needs: Collection[str] = ("vectors", "kinds", "shares", "new"),
    ) -> Pool:
        """The pool of some items (C,), the best first, with the fields that are needed."""
        return Pool(
            items,
            scores,
            self.units(items) if "vectors" in needs else None,
            None if self.kinds is None or not {"kinds", "taste"} & set(needs) else self.kinds.table(items),
            None if self.shares is None or "shares" not in needs else self.shares[items],
            taste,
            None if self.new is None or "new" not in needs else self.new[items],
        )

    def units(self, items: Array) -> Floats | None:
        """(C, D) the vectors of items (C,), of length 1."""
        if self.vectors is None:
            return None
        if self.lengths is None:
            return unit(self.vectors[items])
        vectors = self.vectors[items].astype(np.float32, copy=False)  # the rows are a copy already
        vectors /= self.lengths[items, None]
        return vectors
