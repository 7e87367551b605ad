"""The items a model knows, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from segue.data import spill
from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.shapes import Ints, Longs


@dataclass(frozen=True)
class ItemTable:
    """What is known of each item.

    Attributes:
        ids: the items, in the order of the table.
        columns: by name in lower case, a value an item: str, int, float, list of str, or None where nothing
            is known. `title` (str) and `categories` (list of str) are called so in any case.
        notes: what the reader decided and saw, one sentence each.
    """

    ids: Ids
    columns: dict[str, list[Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)


class CodedCategories(NamedTuple):
    """The categories of N items as numbers.

    Attributes:
        names: the G categories, in sorted order.
        bounds: (N + 1,) where the codes of each item begin and end.
        codes: places in `names`, item after item; those of one item differ from each other.
    """

    names: tuple[str, ...]
    bounds: Longs
    codes: Ints


@dataclass(frozen=True)
class Catalog:
    """N items in a fixed order; an item's index is its place.

    Attributes:
        ids: the user's own identifiers.
        columns: metadata by name, each a list of N values (None where unknown).
    """

    ids: Ids
    columns: dict[str, list[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, log: EventLog, items: ItemTable | None = None) -> Catalog:
        """The items that occur in a log, in order of first appearance, with their rows of the items table."""
        places = np.flatnonzero(spill.counted(log.item, len(log.items)))
        catalog = cls(log.items if len(places) == len(log.items) else Ids.of(log.items.take(places)))
        return catalog if items is None else catalog.with_items(items)

    def with_items(self, items: ItemTable) -> Catalog:
        """The same items in the same order, with their rows of an items table."""
        rows = items.ids.places_of(self.ids)
        columns = {name: [values[row] if row >= 0 else None for row in rows] for name, values in items.columns.items()}
        return Catalog(self.ids, columns)

    def items_of(self, log: EventLog) -> Ints:
        """(E,) the index of each event's item, -1 where it is not in the catalog."""
        if self.ids is log.items:
            return log.item
        place = self.ids.places_of(log.items)
        return spill.filled(len(log), place.dtype, lambda block: place[log.item[block]], log.item)

    @cached_property
    def categories(self) -> CodedCategories | None:
        """The categories of the items; None where nothing is known of any."""
        sets = [sorted(set(values or ())) for values in self.columns.get("categories", ())]
        if not any(sets):
            return None
        names = tuple(sorted(set().union(*sets)))
        code = {name: place for place, name in enumerate(names)}
        bounds = np.cumsum([0, *map(len, sets)], dtype=np.int64)
        return CodedCategories(names, bounds, np.fromiter((code[one] for of in sets for one in of), np.int32))

    def titles(self, items: Ints) -> list[str]:
        """A name for each item: its title where one is known, else its id."""
        title = self.columns.get("title")
        return [str((title and title[i]) or self.ids[i]) for i in map(int, items)]
