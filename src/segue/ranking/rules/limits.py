"""What may be answered at all. Each of these holds for itself: none lifts what another forbids."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, reduce

import numpy as np

from segue.ranking.rules.bound import NONE
from segue.ranking.rules.reasons import Because, Short, Sieve
from segue.shapes import Ints


@dataclass(frozen=True)
class Limits:
    """The limits of one list over N items.

    Attributes:
        candidates: items of which alone may be answered, as the request says; None: any. Ascending, as all of these.
        allowed: the same, as rules say.
        denied, closed, excluded: items that may not be answered: denied, not available now, had by the user.
    """

    n_items: int
    candidates: Ints | None
    excluded: Ints
    allowed: Ints | None = None
    denied: Ints = field(default_factory=lambda: NONE)
    closed: Ints = field(default_factory=lambda: NONE)

    @cached_property
    def among(self) -> Ints | None:
        """Of which alone may be answered; None: any."""
        given = [one for one in (self.candidates, self.allowed) if one is not None]
        return reduce(np.intersect1d, given) if given else None

    @cached_property
    def gone(self) -> Ints:
        """What may not be answered."""
        return np.unique(np.concatenate([self.denied, self.closed, self.excluded]))

    @cached_property
    def answerable(self) -> Ints:
        """What may be answered."""
        if self.among is not None:
            return np.setdiff1d(self.among, self.gone, assume_unique=True)
        left = np.ones(self.n_items, bool)
        left[self.gone] = False
        return np.flatnonzero(left).astype(np.int32)

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
            if items is not None and (item in items) == forbidden:
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
