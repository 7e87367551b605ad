"""Why a list is shorter than it was asked for."""

from __future__ import annotations

from typing import Literal

import numpy as np
from msgspec import Struct

from segue.ranking.rules.bound import NONE, are_in, united
from segue.shapes import Ints

Because = Literal["catalog", "candidates", "allow", "deny", "windows", "exclude", "model", "apart"]

WORDS: dict[Because, str] = {
    "catalog": "the model knows {items} items",
    "candidates": "{items} are not among the `candidates` and `categories` asked for",
    "allow": "{items} are not among what the rules allow",
    "deny": "{items} are denied by the rules",
    "windows": "{items} are not available at the time of the request",
    "exclude": "{items} are excluded, since the user had them",
    "model": "{items} are never answered by the model",
    "apart": "{items} would stand too near to others of their kind",
}


class Reason(Struct, frozen=True):
    """Why so many more items are not in the list, and the same in words; `catalog`: so many there are."""

    reason: Because
    items: int
    message: str


class Short(Struct, frozen=True):
    """The list has fewer items than were asked for; why, in the order in which rules hold."""

    wanted: int
    given: int
    because: list[Reason]


class UnmetPin(Struct, frozen=True):
    """A pin that could not be had: what forbids its item; `apart` or `short`: it moved up, nothing fits before it."""

    item_id: str
    place: int
    because: Because | Literal["short"]


class Sieve:
    """N items, of which one reason after another takes some away."""

    def __init__(self, n_items: int) -> None:
        self._n_items, self.left = n_items, n_items
        self._among: Ints | None = None
        self._gone: Ints = NONE
        self.found: list[Reason] = []

    def keep(self, reason: Because, items: Ints | None) -> None:
        """Only these stay; None: all do."""
        if items is not None:
            self._among = items if self._among is None else np.intersect1d(self._among, items, assume_unique=True)
            self._count(reason)

    def drop(self, reason: Because, items: Ints) -> None:
        """These go, ascending; after all that `keep` keeps."""
        if self._among is not None:
            self._among = self._among[~are_in(items, self._among)]
        else:
            self._gone = united([self._gone, items])
        self._count(reason)

    def add(self, reason: Because, items: int) -> None:
        """So many are concerned."""
        if items > 0:
            self.found.append(Reason(reason, items, WORDS[reason].format(items=f"{items:,}")))

    def _count(self, reason: Because) -> None:
        before = self.left
        self.left = self._n_items - len(self._gone) if self._among is None else len(self._among)
        self.add(reason, before - self.left)
