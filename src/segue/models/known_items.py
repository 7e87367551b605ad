"""What strategies of diversity are told of the items, offline and online: which are alike, their kinds, what is new."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import Any, Literal

from segue.errors import ConfigError, did_you_mean
from segue.metrics import attribute_vectors
from segue.models.base import Model
from segue.ranking.diversity import Kinds, Known
from segue.ranking.diversity.pool import lengths_of
from segue.rng import stream
from segue.shapes import Array, Bools, Doubles, Floats

Similarity = Literal["attributes", "vectors", "auto"]
"""How alike two items are: by their categories (where there are none, the words of their titles), by the model's own
vectors, or by the first of the two that there is."""

SIMILARITIES: tuple[Similarity, ...] = ("attributes", "vectors", "auto")

NEW_SHARE = 0.1
"""An item is new if its first event lies in the last tenth of the time that was learned from."""

WORD = re.compile(r"[^\W_]{2,}")


class KnownItems:
    """What is known of a catalog, made when it is first asked for: what can be told is told at once.

    Args:
        columns: metadata of the items by name, N values each.
        model: for its item vectors.
        seed: of a projection, where attributes are many.
        counts: (N,) training events of each item; None: that is not known.
        new: (N,) which items are new; None: that is not known.
    """

    def __init__(
        self,
        columns: Mapping[str, Sequence[Any]],
        model: Model,
        *,
        seed: int = 1,
        counts: Array | None = None,
        new: Bools | None = None,
    ) -> None:
        self._columns, self._model, self._seed = columns, model, seed
        self._shares = None if counts is None or not counts.any() else counts / counts.sum()
        self._new = new if new is not None and new.any() else None
        self._made: dict[Similarity | None, Known] = {}
        self._making = Lock()

    def fields(self, similarity: Similarity = "auto") -> set[str]:
        """What `known` will have, without making it: one who asks in an event loop must not wait."""
        found = {"vectors"} if self.space_of(similarity) else set()
        if self._has_categories:
            found |= {"kinds", "taste"}
        return found | {name for name, value in (("shares", self._shares), ("new", self._new)) if value is not None}

    def known(self, similarity: Similarity = "auto") -> Known:
        """What is known of the items. Raises ConfigError where there is nothing to tell by what was asked for."""
        space = self.space_of(similarity)
        found = self._made.get(space)
        if found is not None:
            return found
        # it takes seconds and much memory of a large catalog: whoever else wants it waits for what is left of it
        with self._making:
            if space not in self._made:
                vectors, words = self._vectors(space)
                lengths = None if vectors is None else lengths_of(vectors)
                self._made[space] = Known(vectors, words, self._kinds, self._shares, self._new, lengths)
            return self._made[space]

    def space_of(self, similarity: Similarity) -> Similarity | None:
        """`attributes` or `vectors`, by which of them items are alike; None: nothing tells, and `auto` was asked for.

        Raises:
            ConfigError: no such similarity, or these items cannot be told by it.
        """
        if similarity not in SIMILARITIES:
            raise ConfigError(
                f"`similarity` is {similarity!r}; expected one of these{did_you_mean(similarity, SIMILARITIES)}"
            )
        if similarity != "vectors" and (self._has_categories or self._has_words):
            return "attributes"
        if similarity == "attributes":
            raise ConfigError(
                "similarity `attributes`: the items of this model have neither categories nor titles; train it with "
                "--items, or ask for similarity `vectors`"
            )
        if hasattr(self._model, "item_vectors"):
            return "vectors"
        if similarity == "vectors":
            raise ConfigError(
                f"similarity `vectors`: a model of the kind `{self._model.kind}` has no item vectors; ask for "
                "`attributes`"
            )
        return None

    def _vectors(self, space: Similarity | None) -> tuple[Floats | None, str]:
        if space == "attributes":
            return attributes_of(self._columns, self._seed) or (None, "nothing")
        table = getattr(self._model, "item_vectors", None)
        return (None, "nothing") if space is None or table is None else (table(), "the model's item vectors")

    @cached_property
    def _has_categories(self) -> bool:
        return any(self._columns.get("categories", ()))

    @cached_property
    def _has_words(self) -> bool:
        return any(words_of(title) for title in self._columns.get("title", ()))

    @cached_property
    def _kinds(self) -> Kinds | None:
        return Kinds.of(self._columns["categories"]) if self._has_categories else None


def attributes_of(columns: Mapping[str, Sequence[Any]], seed: int) -> tuple[Floats, str] | None:
    """Vectors of the items' categories, else of the words of their titles; None where neither is known."""
    rng = stream(seed, "item vectors")
    categories = columns.get("categories")
    if categories is not None and any(categories):
        return attribute_vectors(categories, rng=rng), "the items' categories"
    words = [words_of(title) for title in columns.get("title", ())]
    return (attribute_vectors(words, rng=rng), "the words of the items' titles") if any(words) else None


def words_of(title: object) -> set[str]:
    """The words of a title, in lower case.

    >>> sorted(words_of("Toy Story (1995)")), words_of(None)
    (['1995', 'story', 'toy'], set())
    """
    return set() if title is None else set(WORD.findall(str(title).lower()))


def new_since(first: Doubles, high: float, low: float | None = None) -> Bools:
    """(N,) which items are new, from the first event of each, and the times of the last and the first of the log."""
    low = float(first.min()) if low is None else low
    return (first > high - NEW_SHARE * (high - low)) & (first <= high)
