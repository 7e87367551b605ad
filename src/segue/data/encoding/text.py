"""A text, by the words and parts of words it shares with others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Self

from segue.data.encoding.base import Axes
from segue.data.encoding.latent import Latent
from segue.shapes import Array, Floats

GRAMS = (3, 4)
"""The lengths of parts of words, with a space at either end."""

WORD = re.compile(r"[^\W_]+")


class TextEncoder:
    """Words and their parts, see `Latent`."""

    kind: ClassVar[str] = "text"

    def __init__(self, latent: Latent) -> None:
        self._latent, self.width = latent, latent.width

    @classmethod
    def fitted(cls, values: Sequence[Any], *, where: str, axes: Axes) -> Self:
        """Learn the axes of some texts."""
        return cls(Latent.fitted(values, terms_of, axes))

    def encode(self, values: Sequence[Any], *, where: str) -> Floats:
        """(M, width)."""
        return self._latent.encode(values, terms_of)

    def plain(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def arrays(self) -> dict[str, Array]:
        """Those of `Latent`."""
        return self._latent.arrays()

    @classmethod
    def restored(cls, plain: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """As it was."""
        return cls(Latent(**arrays))


def terms_of(text: Any) -> list[str]:
    """The words of a text in lower case, and their parts."""
    words = () if text is None else WORD.findall(str(text).lower())
    return [part for word in words for part in parts_of(word)]


@lru_cache(maxsize=100_000)
def parts_of(word: str) -> tuple[str, ...]:
    """A word, and its parts.

    >>> parts_of("mugs")
    ('mugs', ' mu', 'mug', 'ugs', 'gs ', ' mug', 'mugs', 'ugs ')
    """
    spaced = f" {word} "
    return (word, *(spaced[at : at + size] for size in GRAMS for at in range(len(spaced) - size + 1)))
