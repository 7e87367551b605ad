"""Why a list is shorter than it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from segue.ranking.rules.bound import NONE
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


class Reason(NamedTuple):
    """One reason: how many items it concerns that none before it did, and the same in words."""

    reason: Because
    items: int
    message: str


class Short(NamedTuple):
    """That a list is short.

    Attributes:
        wanted, given: its length.
        because: why, in the order in which rules hold.
    """

    wanted: int
    given: int
    because: Sequence[Reason]


class UnmetPin(NamedTuple):
    """A pin that could not be had.

    Attributes:
        because: what forbids the item; or `apart` or `short`: it moved up, for no item could be put before it.
    """

    item_id: str
    place: int
    because: str


class Sieve:
    """N items, of which one reason after another takes some away. What it costs depends on the reasons, not on N."""

    def __init__(self, n_items: int) -> None:
        self._n_items, self.left = n_items, n_items
        self._among: Ints | None = None
        self._gone: Ints = NONE
        self.found: list[Reason] = []

    def keep(self, reason: Because, items: Ints | None) -> None:
        """Only these stay; None: all do."""
        if items is not None:
            self._among = items if self._among is None else np.intersect1d(self._among, items)
            self._count(reason)

    def drop(self, reason: Because, items: Ints) -> None:
        """These go."""
        self._gone = np.union1d(self._gone, items)
        self._count(reason)

    def add(self, reason: Because, items: int) -> None:
        """So many are concerned."""
        if items > 0:
            self.found.append(Reason(reason, items, WORDS[reason].format(items=f"{items:,}")))

    def _count(self, reason: Because) -> None:
        among, before = self._among, self.left
        self.left = self._n_items - len(self._gone) if among is None else len(np.setdiff1d(among, self._gone))
        self.add(reason, before - self.left)
