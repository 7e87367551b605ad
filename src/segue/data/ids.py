"""Identifiers of users, items and sessions: one buffer of bytes, so that millions of them stay small."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from segue.shapes import Array, Ints, Longs

TOGETHER = 65_536
"""So many ids are decoded at a time: a list of all of a large log would not be small."""


class Ids(Sequence[str]):
    """An immutable list of distinct strings with an index from string to place.

    Args:
        text: the UTF-8 bytes of all ids, one after another; of a packed log, a view of its file.
        ends: (n + 1,) where each id begins and ends in `text`; the first is 0.
    """

    def __init__(self, text: bytes | memoryview, ends: Longs) -> None:
        self.text = text
        self.ends = ends

    @classmethod
    def of(cls, strings: Iterable[str]) -> Ids:
        """Pack strings; the caller promises that they are distinct."""
        encoded = [s.encode("utf-8", "surrogatepass") for s in strings]
        ends = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=ends[1:])
        return cls(b"".join(encoded), ends)

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, place: int) -> str:  # type: ignore[override]
        if place < 0 or place >= len(self):
            raise IndexError(f"no id at place {place}: there are {len(self)}")
        return str(self.text[self.ends[place] : self.ends[place + 1]], "utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        for begin in range(0, len(self), TOGETHER):
            yield from self._run(begin, min(len(self), begin + TOGETHER))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ids) and self.text == other.text and np.array_equal(self.ends, other.ends)

    def __hash__(self) -> int:
        return hash((len(self), bytes(self.text[:4096])))

    def _run(self, begin: int, end: int) -> list[str]:
        """Neighbouring ids, decoded together."""
        ends = (self.ends[begin : end + 1] - self.ends[begin]).tolist()
        text = bytes(self.text[self.ends[begin] : self.ends[end]])
        if text.isascii():
            whole = text.decode("ascii")
            return [whole[left:right] for left, right in pairwise(ends)]
        return [str(text[left:right], "utf-8", "surrogatepass") for left, right in pairwise(ends)]

    def take(self, places: Array) -> list[str]:
        """The ids at `places`, in that order."""
        return [self[int(place)] for place in places]

    @cached_property
    def places(self) -> dict[str, int]:
        """From id to place."""
        return {string: place for place, string in enumerate(self)}

    @cached_property
    def strings(self) -> list[str]:
        """All of them as strings, those of `places`: for who takes many by place."""
        return list(self.places)

    def place_of(self, string: str) -> int:
        """The place of an id, -1 if it is not here."""
        return self.places.get(string, -1)

    def places_of(self, strings: Iterable[str]) -> Ints:
        """The places of many ids, -1 where one is not here."""
        places = self.places
        return np.fromiter((places.get(s, -1) for s in strings), np.int32)
