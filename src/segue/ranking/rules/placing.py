"""From candidates, best first, to a list in which pins and distances hold."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence

from segue.ranking.rules.bound import Kinds

Kind = tuple[int, Hashable]
"""The number of a rule, and a kind of it."""

Beyond = Callable[[Sequence[int], Sequence[Kind]], int | None]
"""From what is listed already and the kinds that do not fit to the best item of all others; None: there is none."""


class Arrangement:
    """One try to fill a list from its first place on.

    Args:
        order: candidates, best first, without those that are pinned.
        pins: items by their places.
        apart: what is kept apart. An item that is not pinned keeps its distance to those that are.
        beyond: asked where none of the candidates fits.
    """

    def __init__(self, order: Sequence[int], pins: Mapping[int, int], apart: Sequence[Kinds], beyond: Beyond) -> None:
        self.order, self.pins, self.apart, self._beyond = list(order), dict(pins), apart, beyond
        self._kinds: dict[int, tuple[Kind, ...]] = {}
        self._last: dict[Kind, int] = {}
        self._coming: dict[Kind, list[int]] = defaultdict(list)
        for place in sorted(pins):
            for kind in self.kinds(pins[place]):
                self._coming[kind].append(place)

    def filled(self, k: int) -> list[int]:
        """Items from the first place on, up to k or to the first place where nothing can be without moving others."""
        listed: list[int] = []
        for place in range(1, k + 1):
            item = self.pins.get(place)
            if item is None:
                item = self._first_that_fits(place)
            if item is None and self.apart:
                item = self._beyond([*listed, *self.pins.values()], self._too_near(place))
            if item is None:
                item = self._moved_up(place, listed)
            if item is None:
                break
            listed.append(item)
            for kind in self.kinds(item):
                self._last[kind] = place
        return listed

    def next_pin(self, place: int) -> int | None:
        """The first place after this one where an item is pinned."""
        return min((one for one in self.pins if one > place), default=None)

    def _moved_up(self, place: int, listed: Sequence[int]) -> int | None:
        """The next pinned item, pinned here from now on; None where one that is listed would stand too near to it."""
        after = self.next_pin(place)
        if after is None:
            return None
        kinds = set(self.kinds(self.pins[after]))
        for before in range(max(1, place - max((rule.within for rule in self.apart), default=0)), place):
            near = (kind for kind in self.kinds(listed[before - 1]) if place - before <= self.apart[kind[0]].within)
            if before not in self.pins and not kinds.isdisjoint(near):
                return None
        # what was refused before it stays so: it comes nearer
        for kind in kinds:
            self._coming[kind].remove(after)
        self.pins[place] = self.pins.pop(after)
        return self.pins[place]

    def kinds(self, item: int) -> tuple[Kind, ...]:
        """The kinds of an item, by all rules."""
        if item not in self._kinds:
            found = ((number, kind) for number, rule in enumerate(self.apart) for kind in rule.of(item))
            self._kinds[item] = tuple(found)
        return self._kinds[item]

    def _first_that_fits(self, place: int) -> int | None:
        refused: set[tuple[Kind, ...]] = set()
        for number, item in enumerate(self.order):
            kinds = self.kinds(item)
            if kinds in refused:
                continue
            if any(self._is_near(kind, place) for kind in kinds):
                refused.add(kinds)
                continue
            return self.order.pop(number)
        return None

    def _is_near(self, kind: Kind, place: int) -> bool:
        """Whether one of this kind stands too near to a place, before it or pinned after it."""
        within = self.apart[kind[0]].within
        if place - self._last.get(kind, -math.inf) <= within:
            return True
        coming = self._coming.get(kind, ())
        after = bisect_right(coming, place)
        return after < len(coming) and coming[after] - place <= within

    def _too_near(self, place: int) -> list[Kind]:
        return [kind for kind in {**self._last, **self._coming} if self._is_near(kind, place)]


def arrange(
    order: Sequence[int], k: int, pins: Mapping[int, int], apart: Sequence[Kinds] = (), beyond: Beyond = lambda *_: None
) -> list[int]:
    """A list of at most k items: pins at their places, the others in order where their distances allow it.

    A list has no holes: where no item fits at a place, the next pin after it moves up to there.

    Args:
        order: candidates, best first; distinct.
        pins: items by their places, from 1; those after k are left out.
        apart: what is kept apart; only items that are pinned may stand near each other.
        beyond: see `Beyond`.
    """
    standing = {place: item for place, item in pins.items() if place <= k}
    pinned = set(standing.values())
    others = [item for item in order if item not in pinned]
    while True:
        arrangement = Arrangement(others, standing, apart, beyond)
        listed = arrangement.filled(k)
        hole, standing = len(listed) + 1, arrangement.pins
        after = arrangement.next_pin(hole)
        if after is None:
            return listed
        # others must make room for it
        standing[hole] = standing.pop(after)
