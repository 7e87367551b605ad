"""What may be answered at all. Each of these holds for itself: none lifts what another forbids."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial, reduce

import numpy as np

from segue.lazy import lazy
from segue.ranking.rules.bound import NONE, are_in
from segue.ranking.rules.reasons import Because, Short, Sieve
from segue.shapes import Bools, Ints


@dataclass(frozen=True)
class Limits:
    """The limits of one list over N items.

    Attributes:
        candidates: items of which alone may be answered, as the request says; None: any. Ascending, as all of these.
        allowed: the same, as rules say.
        denied, closed, excluded: items that may not be answered: denied, not available now, had by the user.
        shut: (N,) true for what is closed, where that is at hand.
    """

    n_items: int
    candidates: Ints | None
    excluded: Ints
    allowed: Ints | None = None
    denied: Ints = field(default_factory=lambda: NONE)
    closed: Ints = field(default_factory=lambda: NONE)
    shut: Bools | None = None

    @lazy
    def among(self) -> Ints | None:
        """Of which alone may be answered; None: any."""
        given = [one for one in (self.candidates, self.allowed) if one is not None]
        return reduce(partial(np.intersect1d, assume_unique=True), given) if given else None

    @lazy
    def mask(self) -> Bools:
        """(N,) true for what may not be answered. It takes no sorting, which of many items takes long."""
        mask = np.zeros(self.n_items, bool) if self.shut is None else self.shut.copy()
        for items in (self.denied, self.closed if self.shut is None else NONE, self.excluded):
            mask[items] = True
        if self.among is not None:
            left = self.among[~mask[self.among]]
            mask[:] = True
            mask[left] = False
        return mask

    @lazy
    def answerable(self) -> Ints:
        """What may be answered."""
        if self.among is None:
            return np.flatnonzero(~self.mask).astype(np.int32)
        return np.asarray(self.among[~self.mask[self.among]], np.int32)

    def forbids(self, item: int) -> Because | None:
        """What forbids an item; None: nothing does."""
        checks: list[tuple[Because, Ints | None, bool]] = [
            ("candidates", self.candidates, False),
            ("allow", self.allowed, False),
            ("deny", self.denied, True),
            ("windows", self.closed, True),
            ("exclude", self.excluded, True),
        ]
        for reason, items, forbidden in checks:
            if items is not None and bool(are_in(items, np.array([item]))[0]) == forbidden:
                return reason
        return None

    def short(self, k: int, given: int, scored: int | None = None) -> Short:
        """Why a list of k has so few items.

        Args:
            scored: to how many of those that may be answered the model gives a score, where others were kept apart.
        """
        sieve = Sieve(self.n_items)
        if self.n_items < k:
            sieve.add("catalog", self.n_items)
        sieve.keep("candidates", self.candidates)
        sieve.keep("allow", self.allowed)
        sieve.drop("deny", self.denied)
        sieve.drop("windows", self.closed)
        sieve.drop("exclude", self.excluded)
        sieve.add("model", sieve.left - (given if scored is None else scored))
        sieve.add("apart", 0 if scored is None else scored - given)
        return Short(k, given, sieve.found)
