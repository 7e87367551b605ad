"""The items of a catalog by the words of their titles: a million are searched in milliseconds, in 30 MB."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from threading import Lock
from time import monotonic, sleep
from typing import NamedTuple

import numpy as np

from segue.data.ids import Ids
from segue.serving.browse.folding import folded
from segue.shapes import Array, Ints

READ = 10_000
"""So many characters of a title are searched."""

TOGETHER = 131_072
"""So many characters are folded, and searched, in one piece: other threads wait no longer than that takes."""

FREQUENT = 200
"""Where each of several words occurs more often in a piece, all of its lines are looked at: it is faster then."""


LONGEST = 1.0
"""Seconds after which one who searches gets the best of what was looked at."""


class Found(NamedTuple):
    """Items that were searched.

    Attributes:
        partial: whether the time was over before all titles were looked at.
    """

    items: list[int]
    partial: bool = False


class Block(NamedTuple):
    """The folded titles of neighbours in the order of frequency: a line each, and a space before each word.

    Attributes:
        first: how many items come before them.
        text: in UTF-8, between two ends of lines.
    """

    first: int
    text: bytes


class Titles:
    """The items by the words of their titles, of an item without one by its id.

    Args:
        ids: of N items.
        titles: N of them, None where there is none; None: no item has one.
        events: (N,) how frequent each item is; None: nothing is known, and the first in the catalog come first.
    """

    def __init__(self, ids: Ids, titles: Sequence[object] | None, events: Array | None) -> None:
        self._ids, self._titles, self._events = ids, titles, events
        self._made: tuple[Ints, list[Block]] | None = None
        self._making = Lock()

    @property
    def made(self) -> bool:
        """Whether they are folded: the first who searches does that."""
        return self._made is not None

    def found(self, text: str, k: int, *, seconds: float = LONGEST) -> Found:
        """At most k items that have all words of a text, whatever their case and accents.

        Those in which all begin a word come first, then more frequent ones. An item whose id is the text leads. Of a
        text without words, the most frequent.

        Args:
            seconds: after which no more titles are looked at; those of the most frequent items were.
        """
        over = monotonic() + seconds
        words = set(folded(text.replace("\n", " ")).split())
        order, blocks = self.folded()
        exact = self._ids.place_of(text)
        found = dict.fromkeys([exact] if exact >= 0 else [])
        if not words:
            found |= dict.fromkeys(order[: k + 1].tolist())
            return Found(list(found)[:k])
        wanted = [word.encode("utf-8", "replace") for word in words]
        beginning = [b" " + word for word in wanted]
        inside = dict[int, None]()  # the same, but not all words begin one
        for block in blocks:
            sleep(0)  # others go first, and do not wait until this is told to let them
            # once there are enough of those they are not looked at: they may be nearly all that there are
            for place, line in lines_with(block, wanted if len(inside) < k else beginning):
                begins = all(word in line for word in beginning)
                (found if begins else inside)[int(order[place])] = None
                if len(found) >= k:
                    return Found(list(found))
            if monotonic() >= over and block is not blocks[-1]:
                return Found(list(found | inside)[:k], partial=True)
        return Found(list(found | inside)[:k])

    def folded(self) -> tuple[Ints, list[Block]]:
        """(N,) the items in the order of frequency, and their folded titles. It takes a second a million, once."""
        if self._made is None:
            with self._making:  # whoever else wants them waits for what is left of it
                if self._made is None:
                    n_items = len(self._ids)
                    order = np.arange(n_items) if self._events is None else np.argsort(-self._events, kind="stable")
                    self._made = order.astype(np.int32), list(blocks_of(self._lines(order)))
        return self._made

    def _lines(self, order: Array) -> Iterator[str]:
        for place in order.tolist():
            title = None if self._titles is None else self._titles[place]
            yield str(title)[:READ] if title is not None and title != "" else self._ids[place]


def blocks_of(lines: Iterator[str]) -> Iterator[Block]:
    """Lines, folded and put together."""
    first, size, together = 0, 0, list[str]()
    for line in chain(lines, [None]):
        if line is None or size >= TOGETHER:
            if together:
                sleep(0)  # see above
                text = folded("\n".join(together)).replace("\n", "\n ")
                yield Block(first, f"\n {text}\n".encode("utf-8", "replace"))
            first, size, together = first + len(together), 0, []
        if line is not None:
            together.append(line.replace("\n", " "))
            size += len(line) + 1


def lines_with(block: Block, words: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that hold all words, each with its place."""
    text, place, counted = block.text, block.first - 1, 0
    for begin in beginnings(text, words):
        place, counted = place + text.count(b"\n", counted, begin), begin
        yield place, text[begin : text.find(b"\n", begin)]


def beginnings(text: bytes, words: Sequence[bytes]) -> Iterator[int]:
    """Where the lines that hold all words begin: each after a line's end."""
    counts = sorted((text.count(word), word) for word in words)
    (fewest, rarest), *others = counts
    if fewest > FREQUENT and others:
        together = b"".join(b"(?=[^\n]*%s)" % re.escape(word) for _, word in counts)
        yield from (found.end() for found in re.finditer(b"\n" + together, text))
        return
    at = text.find(rarest) if fewest else -1
    while at >= 0:
        begin, end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at)
        if all(text.find(word, begin, end) >= 0 for _, word in others):
            yield begin
        at = text.find(rarest, end)
