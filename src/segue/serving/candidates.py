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
from segue.serving.fallback import NOTHING, Filling, Order, Source
from segue.shapes import Doubles, Ints, Longs


class Candidates:
    """What may be answered to one query, with scores that boosts and buries have changed.

    Args:
        query: of one row; None: of someone of whom nothing is known, and the chain says what is best.
        limits: what may be answered.
        had: the last items of the user, the last one first: what others did next fills a list that is short.
    """

    def __init__(self, bundle: Bundle, query: Query | None, limits: Limits, bound: Bound, had: Ints) -> None:
        self._bundle, self._query, self._limits, self._bound, self._had = bundle, query, limits, bound, had
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
        if self._query is None:
            assert self._bundle.chain is not None
            scores = self._bundle.chain.by_item.scores[items]
        elif self._limits.among is None:
            scores = self._bundle.model.score(self._query)[0][items]
        else:
            scores = self._bundle.model.score(self._query, items)[0] if len(items) else np.zeros(0)
        scores = scores.astype(np.float64)
        return items, scores + self._shift_of(items)

    @cached_property
    def spare(self) -> Order:
        """What fills the places that the model leaves, best first: all that may be answered and has no score."""
        items, scores = self.all
        if self._bundle.chain is None:
            return Order(*NOTHING)
        free = np.zeros(self._bundle.model.n_items, bool)
        free[items[scores == -np.inf]] = True
        return self._bundle.chain.order(self._had, free, len(free))

    def spare_after(self, pool: Pool, k: int) -> list[int]:
        """So many of the spare items at most, where all that has a score is in the pool."""
        if self._few or len(pool.items) < self._scored:
            return []
        return [int(item) for item in self.spare.items[:k]]

    def answerable(self) -> int:
        """How many may be answered that have a score, or are spare."""
        return self._scored + len(self.spare.items)

    def score_of(self, item: int) -> float:
        """The score of an item, a spare one's that of its source; -inf where it may not be answered."""
        score = self._score_of(item)
        filling = self._filling_of(item) if score == -np.inf else None
        return score if filling is None else filling.score

    def source_of(self, item: int) -> Source | None:
        """Where an item comes from that has no score; None: it has one."""
        if self._query is None and self._bundle.chain is not None:
            return self._bundle.chain.by_item.filling(item).source
        if self._score_of(item) > -np.inf:
            return None
        filling = self._filling_of(item)
        return None if filling is None else filling.source

    def beyond(self, taken: Sequence[int], kinds: Sequence[Kind]) -> int | None:
        """The best of those that are not taken and have none of the kinds, spare ones last; None: there is none."""
        items, scores = self.all
        if not len(items):
            return None
        gone = np.zeros(len(items), bool)
        gone[self._places(np.asarray(taken, np.int32))] = True
        for kind in kinds:
            if kind not in self._members:
                self._members[kind] = self._places(self._bound.apart[kind[0]].members(kind[1]))
            gone[self._members[kind]] = True
        best = int(np.argmax(np.where(gone, -np.inf, scores)))
        if not gone[best] and scores[best] > -np.inf:
            return int(items[best])
        left = np.flatnonzero(~gone[self._spare_places])
        return int(self.spare.items[left[0]]) if len(left) else None

    @cached_property
    def _scored(self) -> int:
        return int((self.all[1] > -np.inf).sum())

    @cached_property
    def _spare_places(self) -> Ints:
        """(M,) where the spare items stand in `all`."""
        return self._places(self.spare.items)

    def _score_of(self, item: int) -> float:
        """What the model says, with boosts and buries."""
        if item in self._few:
            return self._few[item]
        items, scores = self.all
        place = int(np.searchsorted(items, item))
        return float(scores[place]) if place < len(items) and items[place] == item else -np.inf

    def _filling_of(self, item: int) -> Filling | None:
        place = int(self._place_among_spare[item])
        return self.spare.filling(place) if place >= 0 else None

    @cached_property
    def _place_among_spare(self) -> Longs:
        """(N,) where each item stands in `spare`; -1: it is none of them."""
        found = np.full(self._bundle.model.n_items, -1, np.int64)
        found[self.spare.items] = np.arange(len(self.spare.items))
        return found

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
        if index is None or self._query is None or limits.among is not None or max(len(own), len(gone)) > MOST_EXCLUDED:
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
