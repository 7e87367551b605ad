"""What rules are told of the items: their places in the catalog, and who shares a value of a column."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import Any, Protocol

import numpy as np

from segue.errors import ArtifactError
from segue.moments import seconds_of_moment
from segue.ranking.rules.availability import Availability
from segue.ranking.rules.members import Members, values_in
from segue.shapes import Doubles, Ints

FROM, UNTIL = "available_from", "available_until"
"""Columns of the catalog that say when an item may be answered."""


class Places(Protocol):
    """The ids of the items, in the order of the catalog."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: int) -> str: ...

    def place_of(self, string: str) -> int:
        """The place of an id, -1 if it is not here."""

    def places_of(self, strings: Iterable[str]) -> Ints:
        """The places of many, -1 where one is not here."""


class Facts:
    """What is known of N items.

    Args:
        ids: of the items.
        columns: metadata by name, N values each.
    """

    def __init__(self, ids: Places, columns: Mapping[str, Sequence[Any]]) -> None:
        self.ids, self.columns = ids, columns
        self._members: dict[str, Members] = {}
        self._gathering = Lock()

    def __len__(self) -> int:
        return len(self.ids)

    def members(self, column: str) -> Members:
        """The items of each value of a column, ascending; of a column of lists, of each entry."""
        found = self._members.get(column)
        if found is not None:
            return found
        # of a large catalog it takes more than a second: whoever else wants it waits for what is left of it
        with self._gathering:
            if column not in self._members:
                self._members[column] = Members(self.columns.get(column, ()))
            return self._members[column]

    def values(self, column: str, item: int) -> Sequence[Hashable]:
        """What a column says of an item: nothing, a value, or several."""
        return values_in(self.columns[column][item])

    @cached_property
    def availability(self) -> Availability | None:
        """When items may be answered, if the catalog says so. Raises ArtifactError for what is no moment."""
        if FROM not in self.columns and UNTIL not in self.columns:
            return None
        return Availability(self._moments(FROM, -math.inf), self._moments(UNTIL, math.inf))

    def _moments(self, column: str, unbounded: float) -> Doubles:
        moments = np.full(len(self), unbounded)
        for item, value in enumerate(self.columns.get(column, ())):
            if value is None or value == "":
                continue
            try:
                moments[item] = seconds_of_moment(value)
            except ValueError as error:
                where = f"the catalog's column `{column}` of item `{self.ids[item]}`"
                raise ArtifactError(f"{where} {error}") from None
        return moments
