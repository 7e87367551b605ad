"""The candidates of a list with rules: few from the index, or all that may be answered, scored exactly."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from segue.models.base import Query
from segue.ranking.index import MOST_EXCLUDED
from segue.ranking.pool import Pool
from segue.ranking.rules import Bound, Limits
from segue.ranking.rules.placing import Kind
from segue.ranking.top_k import Exclusions, top_k
from segue.serving.bundle import Bundle
from segue.shapes import Doubles, Ints


class Candidates:
    """What may be answered to one query, with scores that boosts and buries have changed.

    Args:
        query: of one row.
        limits: what may be answered.
    """

    def __init__(self, bundle: Bundle, query: Query, limits: Limits, bound: Bound) -> None:
        self._bundle, self._query, self._limits, self._bound = bundle, query, limits, bound
        self._few: dict[int, float] = {}
        self._members: dict[Kind, Ints] = {}

    def pool(self, size: int, least: int) -> Pool:
        """The best so many: from an index, where that finds at least `least`, else of all."""
        found = self._found(size, least)
        if found is not None:
            return found
        items, scores = self.all
        if not len(items):
            return Pool(items, scores)
        places = top_k(scores[None], min(size, len(items)))[0][0]
        places = places[places >= 0]
        return Pool(items[places], scores[places])

    @cached_property
    def all(self) -> tuple[Ints, Doubles]:
        """All items that may be answered, ascending, and their scores."""
        items = self._limits.answerable
        if self._limits.among is None:
            scores = self._bundle.model.score(self._query)[0][items]
        else:
            scores = self._bundle.model.score(self._query, items)[0] if len(items) else np.zeros(0)
        scores = scores.astype(np.float64)
        return items, scores + self._shift_of(items)

    def answerable(self) -> int:
        """How many may be answered that the model gives a score."""
        return int(np.isfinite(self.all[1]).sum())

    def score_of(self, item: int) -> float:
        """The score of an item; -inf where it may not be answered."""
        if item in self._few:
            return self._few[item]
        items, scores = self.all
        place = int(np.searchsorted(items, item))
        return float(scores[place]) if place < len(items) and items[place] == item else -np.inf

    def beyond(self, taken: Sequence[int], kinds: Sequence[Kind]) -> int | None:
        """The best of those that are not taken and have none of the kinds; None: there is none."""
        items, scores = self.all
        if not len(items):
            return None
        left = scores.copy()
        left[self._places(np.asarray(taken, np.int32))] = -np.inf
        for kind in kinds:
            if kind not in self._members:
                self._members[kind] = self._places(self._bound.apart[kind[0]].members(kind[1]))
            left[self._members[kind]] = -np.inf
        best = int(np.argmax(left))
        return int(items[best]) if left[best] > -np.inf else None

    def _places(self, some: Ints) -> Ints:
        """Where some items stand in `all`, as far as they do."""
        items = self.all[0]
        place = np.minimum(np.searchsorted(items, some), len(items) - 1)
        return np.asarray(place[items[place] == some])

    def _found(self, size: int, least: int) -> Pool | None:
        """The best by an index, and among them those whose scores are changed; None: not exactly."""
        index, limits, bound = self._bundle.index, self._limits, self._bound
        own = np.union1d(bound.shifted, np.fromiter(bound.pins.values(), np.int32)).astype(np.int32)
        gone = limits.gone
        if index is None or limits.among is not None or max(len(own), len(gone)) > MOST_EXCLUDED:
            return None
        found, scores = index.search(self._query, [size], Exclusions(np.zeros(len(gone), np.int64), gone))
        plain = (found[0] >= 0) & ~np.isin(found[0], own)
        if plain.sum() < least:
            return None
        own = np.setdiff1d(own, gone)
        values = self._bundle.model.score(self._query, own)[0] if len(own) else np.zeros(0)
        items = np.concatenate([found[0][plain], own])
        total = np.concatenate([scores[0][plain], values]).astype(np.float64) + self._shift_of(items)
        self._few = dict(zip(items.tolist(), total.tolist(), strict=True))
        order = np.lexsort((items, -total))
        # below the last one found others may stand that were not
        order = order[total[order] >= scores[0][plain][-1]]
        return Pool(items[order], total[order])

    def _shift_of(self, items: Ints) -> Doubles:
        """(C,) what is added to the score of each."""
        bound, total = self._bound, np.zeros(len(items))
        if len(bound.shifted):
            place = np.minimum(np.searchsorted(bound.shifted, items), len(bound.shifted) - 1)
            known = bound.shifted[place] == items
            total[known] = bound.shift[place[known]]
        return total
