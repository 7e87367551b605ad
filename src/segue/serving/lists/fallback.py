"""What fills a list that is short: what others did after the last items, what is popular of late, what is new."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from segue.models.log_counts import LogCounts
from segue.shapes import Array, Bools, Doubles, Ints, Longs

Source = Literal["neighbours", "trending", "newest"]
"""Where an item comes from, in the order in which they are asked."""

SOURCES: tuple[Source, ...] = ("neighbours", "trending", "newest")


NOTHING = np.zeros(0, np.int32), np.zeros(0), np.zeros(0, np.int32)


class Filling(NamedTuple):
    """An item that fills a place.

    Attributes:
        item: its index.
        score: comparable with those of the same source alone, see `Chain`.
        source: where it comes from.
    """

    item: int
    score: float
    source: Source


class Order(NamedTuple):
    """Items that fill places, best first.

    Attributes:
        items: (M,) distinct.
        scores: (M,) see `Filling`.
        sources: (M,) numbers in `SOURCES`.
    """

    items: Ints
    scores: Doubles
    sources: Ints

    def filling(self, place: int) -> Filling:
        """One of them."""
        return Filling(int(self.items[place]), float(self.scores[place]), SOURCES[self.sources[place]])


class Chain:
    """Every item of a catalog, in the order in which they fill the places that are left.

    `neighbours`: what came right after one of the items that the user had last. The score of j is the sum over these
    items i, the last one first, of (times j came right after i) / (times anything did) / (1, 2, 3, ...).
    `trending`: items that of late have at least the worth of one event; the score is the logarithm of that worth (see
    `RecentPopularity`); without times all items with events, and that of their number. So to boost an item by a factor
    is to say that it had so many times the events.
    `newest`: all others, those without events first, then by their first event, the latest first; the score falls from
    -1 to -2.

    Someone of whom nothing is known gets `trending` and `newest` in place of what a network says (`best`).
    """

    def __init__(self, counts: LogCounts) -> None:
        self.counts = counts

    def fill(self, had: Ints, k: int, *, left_out: Ints, allowed: Ints | None = None) -> list[Filling]:
        """Up to k items, best first; fewer only where no more may be answered.

        Args:
            had: (A,) the last items of the user, the last one first; -1 for one outside the catalog.
            k: so many places are to be filled.
            left_out: what may not be answered, or stands in the list already; -1 is skipped.
            allowed: (C,) of which alone may be answered; None: any.
        """
        free = np.ones(len(self.counts.events), bool)
        if allowed is not None:
            free[:] = False
            free[allowed] = True
        free[left_out[left_out >= 0]] = False
        order = self.order(had, free, k)
        return [order.filling(place) for place in range(len(order.items))]

    def order(self, had: Ints, free: Bools, k: int) -> Order:
        """The same as arrays.

        Args:
            free: (N,) what may be answered.
        """
        free, parts, missing = free.copy(), [Order(*NOTHING)], k
        for number, (_, items, scores) in enumerate(self.sources(had[had >= 0])):
            if missing <= 0:
                break
            places = np.flatnonzero(free[items])[:missing]
            free[items[places]] = False
            missing -= len(places)
            parts.append(Order(items[places], scores[places], np.full(len(places), number, np.int32)))
        return Order(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def sources(self, had: Ints) -> Iterator[tuple[Source, Ints, Array]]:
        """Each source with its items, best first, and their scores."""
        yield "neighbours", *self.neighbours(had)
        yield "trending", *self.trending
        yield "newest", *self.newest

    @cached_property
    def best(self) -> Order:
        """The whole catalog for someone of whom nothing is known."""
        n_items = len(self.counts.events)
        return self.order(NOTHING[0], np.ones(n_items, bool), n_items)

    @cached_property
    def by_item(self) -> Order:
        """The same with items 0 to N - 1 in their own order."""
        best, place = self.best, np.argsort(self.best.items)
        return Order(best.items[place], best.scores[place], best.sources[place])

    def first(self, k: int, left_out: Ints, shut: Bools | None = None) -> list[Filling]:
        """Its first k without some items; no more of it is looked at than it takes to find them.

        Args:
            left_out: what may not be answered.
            shut: (N,) true for what else may not be.
        """
        places = self.places(k, shut, left_out)
        return [self.best.filling(place) for place in places.tolist()]

    def places(self, k: int, shut: Bools | None, left_out: Ints = NOTHING[0]) -> Longs:
        """Where the first k stand in `best` that may be answered; see `first`."""
        items, size = self.best.items, k + len(left_out)
        while True:
            near = items[:size]
            free = np.ones(len(near), bool) if shut is None else ~shut[near]
            if len(left_out):
                free &= ~np.isin(near, left_out)
            places = np.flatnonzero(free)[:k]
            if len(places) == k or size >= len(items):
                return places
            size *= 4

    def neighbours(self, had: Ints) -> tuple[Ints, Array]:
        """What came right after some items, and how much each is worth."""
        lists = [(*self.counts.after(item), self.counts.left[item] * rank) for rank, item in enumerate(had.tolist(), 1)]
        if not lists:
            return np.zeros(0, np.int32), np.zeros(0)
        items, where = np.unique(np.concatenate([items for items, _, _ in lists]), return_inverse=True)
        worth = np.bincount(where, np.concatenate([times / of for _, times, of in lists]), minlength=len(items))
        order = np.argsort(-worth, kind="stable")
        return items[order], worth[order]

    @cached_property
    def trending(self) -> tuple[Ints, Array]:
        """The items with the worth of an event of late, and the logarithm of that worth."""
        counts = self.counts
        score = counts.recent * np.log(2.0) if counts.timed else np.log(np.maximum(counts.targets, 1))
        return ordered(score, np.flatnonzero((counts.targets > 0) & (score >= 0)))

    @cached_property
    def newest(self) -> tuple[Ints, Array]:
        """All items by when they came first, and a score that falls."""
        first = self.counts.first_seen
        if not self.counts.timed:
            first = np.where(self.counts.events > 0, 0.0, np.inf)
        order, _ = ordered(first, np.arange(len(first)))
        return order, -1 - np.arange(len(first)) / max(1, len(first))


def ordered(score: Array, items: Array) -> tuple[Ints, Array]:
    """Some items by score, the highest first; of equals the lower index."""
    order = items[np.argsort(-score[items], kind="stable")].astype(np.int32)
    return order, score[order]
