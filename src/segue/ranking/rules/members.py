"""Which items share a value of a column."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from segue.shapes import Ints


class Members(Mapping[Hashable, Ints]):
    """The items of each value of a column, ascending; of a column of lists, of each entry.

    All of them lie in one array: a column may have as many values as there are items.

    Args:
        column: what it says of each item.
    """

    def __init__(self, column: Iterable[Any]) -> None:
        self._numbers: dict[Hashable, int] = {}
        numbers, items = array("i"), array("i")
        for item, given in enumerate(column):
            for value in values_in(given):
                numbers.append(self._numbers.setdefault(value, len(self._numbers)))
                items.append(item)
        number = np.frombuffer(numbers, np.int32)
        self._items = np.frombuffer(items, np.int32)[np.argsort(number, kind="stable")]
        self._items.flags.writeable = False
        self._bounds = np.concatenate([[0], np.cumsum(np.bincount(number, minlength=len(self._numbers)))])

    def __getitem__(self, value: Hashable) -> Ints:
        number = self._numbers[value]
        return self._items[self._bounds[number] : self._bounds[number + 1]]

    def sizes(self) -> dict[Hashable, int]:
        """How many items each value has."""
        return dict(zip(self._numbers, np.diff(self._bounds).tolist(), strict=True))

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


def values_in(given: Any) -> Sequence[Hashable]:
    """What a cell of a column says: nothing, a value, or several."""
    return () if given is None else tuple(dict.fromkeys(given)) if isinstance(given, list | tuple) else (given,)
