"""The candidates of a list with rules: few from an index or the chain, or all that may be answered, scored exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segue.lazy import lazy
from segue.models.base import Query
from segue.ranking.codes import RECALL_K
from segue.ranking.index import PICKED
from segue.ranking.pool import Pool, pool_of
from segue.ranking.rules import Bound, Limits
from segue.ranking.rules.placing import Kind
from segue.serving.bundle import Bundle
from segue.serving.lists.beyond import Beyond
from segue.serving.lists.fallback import NOTHING, Filling, Order, Source
from segue.serving.lists.front import Front
from segue.serving.lists.searched import Searched
from segue.shapes import Doubles, Ints, Longs

SEARCHES = 10
"""So many times an index is asked for what fits where nothing of the pool does; then all items are scored, once."""


class Candidates:
    """What may be answered to one query, with scores that boosts and buries have changed.

    Args:
        query: of one row; None: of someone of whom nothing is known, and the chain says what is best.
        limits: what may be answered.
        had: the last items of the user, the last one first: what others did next fills a list that is short.
    """

    def __init__(self, bundle: Bundle, query: Query | None, limits: Limits, bound: Bound, had: Ints) -> None:
        self._bundle, self._query, self._limits, self._bound, self._had = bundle, query, limits, bound, had
        self._members: dict[Kind, Ints] = {}
        self._reserves: dict[frozenset[Kind], Sequence[int]] = {}

    def pool(self, size: int) -> Pool:
        """The best so many, by an index or the order of the chain where that is worth it, else of all."""
        return pool_of(*self.all, size) if self._found is None else self._found.best(size)

    @lazy
    def all(self) -> tuple[Ints, Doubles]:
        """All items that may be answered, ascending, and their scores."""
        items, model = self._limits.answerable, self._bundle.model
        if self._query is None:
            assert self._bundle.chain is not None
            scores = self._bundle.chain.by_item.scores[items]
        elif len(items) * PICKED > model.n_items:
            scores = model.score(self._query)[0][items]
        else:
            scores = model.score(self._query, items)[0] if len(items) else np.zeros(0)
        return items, scores.astype(np.float64) + self._bound.shift_of(items)

    @lazy
    def _found(self) -> Searched | Front | None:
        """What tells the best without scoring all; None: nothing does."""
        index, chain = self._bundle.index, self._bundle.chain
        if self._query is None:
            return None if chain is None else Front.of(chain, self._limits, self._bound)
        if index is None:
            return None
        return Searched.of(index, self._query, self._limits, self._bound)

    @lazy
    def spare(self) -> Order:
        """What fills the places that the model leaves, best first: all that may be answered and has no score."""
        if self._bundle.chain is None or self._found is not None:  # what is found so has a score
            return Order(*NOTHING)
        items, scores = self.all
        if len(items) == self._scored:
            return Order(*NOTHING)
        free = np.zeros(self._bundle.model.n_items, bool)
        free[items[scores == -np.inf]] = True
        return self._bundle.chain.order(self._had, free, len(free))

    def spare_after(self, pool: Pool, k: int) -> list[int]:
        """So many of the spare items at most, where all that has a score is in the pool."""
        if self._found is not None or len(pool.items) < self._scored:
            return []
        return [int(item) for item in self.spare.items[:k]]

    def answerable(self) -> int:
        """How many may be answered that have a score, or are spare."""
        if isinstance(self._found, Searched) and self._bundle.index is not None:
            return self._bundle.index.scorable(self._limits.mask)
        if self._found is not None:
            return self._limits.n_items - int(np.count_nonzero(self._limits.mask))
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
        filling = self._filling_of(item)
        return None if filling is None else filling.source

    @lazy
    def _scored(self) -> int:
        return int((self.all[1] > -np.inf).sum())

    def _score_of(self, item: int) -> float:
        """What the model says, with boosts and buries."""
        if self._found is not None and (score := self._found.score_of(item)) is not None:
            return score
        items, scores = self.all
        place = int(np.searchsorted(items, item))
        return float(scores[place]) if place < len(items) and items[place] == item else -np.inf

    def _filling_of(self, item: int) -> Filling | None:
        if not len(self.spare.items):
            return None
        place = int(self._place_among_spare[item])
        return self.spare.filling(place) if place >= 0 else None

    @lazy
    def _place_among_spare(self) -> Longs:
        """(N,) where each item stands in `spare`; -1: it is none of them."""
        found = np.full(self._bundle.model.n_items, -1, np.int64)
        found[self.spare.items] = np.arange(len(self.spare.items))
        return found

    def beyond(self, taken: Sequence[int], kinds: Sequence[Kind]) -> int | None:
        """The best of those that are not taken and have none of the kinds, spare ones last; None: there is none."""
        best = self._reserve(frozenset(kinds))
        if best is not None:
            free = next((item for item in best if item not in taken), None)
            if free is not None or len(best) < RECALL_K:
                return free
        return self._beyond.best(taken, kinds)

    @lazy
    def _beyond(self) -> Beyond:
        items, scores = self.all
        order = np.concatenate([pool_of(items, scores, len(items)).items, self.spare.items])
        return Beyond(order, self._members_of, self._limits.n_items)

    def _reserve(self, kinds: frozenset[Kind]) -> Sequence[int] | None:
        """The best that have none of the kinds: as many as an index looks for anyway. None: that is of no use."""
        if kinds not in self._reserves:
            if self._found is None or len(self._reserves) == SEARCHES:
                return None
            also = np.zeros(self._limits.n_items, bool)
            for kind in kinds:
                also[self._members_of(kind)] = True
            self._reserves[kinds] = self._found.best(RECALL_K, also).items.tolist()
        return self._reserves[kinds]

    def _members_of(self, kind: Kind) -> Ints:
        if kind not in self._members:
            self._members[kind] = self._bound.apart[kind[0]].members(kind[1])
        return self._members[kind]
