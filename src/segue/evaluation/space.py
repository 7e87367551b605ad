"""What is known of a catalog for the diversity of its lists: which items are alike, their categories, what is new."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np

from segue.data import spill
from segue.data.catalog import Catalog
from segue.data.sessions import Sequences
from segue.errors import ConfigError
from segue.evaluation.item_vectors import item_vectors
from segue.evaluation.phase import Phase
from segue.metrics import attribute_vectors
from segue.models.base import Model
from segue.ranking.diversity import Kinds, Known
from segue.rng import stream
from segue.shapes import Array, Bools, Doubles, Floats

Similarity = Literal["attributes", "vectors", "auto"]
SIMILARITIES = ("attributes", "vectors", "auto")

NEW_SHARE = 0.1
"""An item is new if its first event lies in the last tenth of the time that was learned from."""

WORD = re.compile(r"[^\W_]{2,}")


def known_of(
    catalog: Catalog,
    model: Model,
    *,
    similarity: Similarity = "auto",
    seed: int = 1,
    counts: Array | None = None,
    new: Bools | None = None,
) -> Known:
    """What is known of a catalog.

    Args:
        catalog: the items with their metadata.
        model: for its item vectors.
        similarity: how alike two items are: by `attributes` (categories; where there are none, the words of titles), by
            the model's own `vectors`, or `auto`: the first of the two that there is.
        seed: of a projection, where attributes are many.
        counts: (N,) training events of each item.
        new: (N,) which items are new.

    Raises:
        ConfigError: there is nothing to tell by what was asked for.
    """
    vectors, space = alike_by(catalog, model, similarity, seed)
    categories = catalog.columns.get("categories")
    return Known(
        vectors=vectors,
        space=space,
        kinds=Kinds.of(categories) if categories is not None and any(categories) else None,
        shares=None if counts is None or not counts.sum() else counts / counts.sum(),
        new=new if new is not None and new.any() else None,
    )


def alike_by(catalog: Catalog, model: Model, similarity: Similarity, seed: int) -> tuple[Floats | None, str]:
    """Unit vectors of the items and what they are made of; None where nothing is known and `auto` was asked for."""
    if similarity not in SIMILARITIES:
        raise ConfigError(f"`similarity` is {similarity!r}; expected one of {', '.join(SIMILARITIES)}")
    by_attributes = None if similarity == "vectors" else attributes_of(catalog, seed)
    if by_attributes is not None:
        return by_attributes
    if similarity == "attributes":
        raise ConfigError(
            "similarity `attributes`: the items of this model have neither categories nor titles; train it with "
            "--items, or ask for similarity `vectors`"
        )
    table = getattr(model, "item_vectors", None)
    if table is not None:
        return unit(table()), "the model's item vectors"
    if similarity == "vectors":
        raise ConfigError(
            f"similarity `vectors`: a model of the kind `{model.kind}` has no item vectors; ask for `attributes`"
        )
    return None, "nothing"


def attributes_of(catalog: Catalog, seed: int) -> tuple[Floats, str] | None:
    """Vectors of the items' categories, else of the words of their titles; None where neither is known."""
    rng = stream(seed, "item vectors")
    categories = catalog.columns.get("categories")
    if categories is not None and any(categories):
        return attribute_vectors(categories, rng=rng), "the items' categories"
    words = [words_of(title) for title in catalog.columns.get("title", ())]
    return (attribute_vectors(words, rng=rng), "the words of the items' titles") if any(words) else None


def measured_by(phase: Phase, seed: int) -> tuple[Floats, str]:
    """The space that diversity is measured in, never the model's own: attributes, else sessions in common."""
    return attributes_of(phase.catalog, seed) or item_vectors(phase, seed)


def words_of(title: object) -> set[str]:
    """The words of a title, in lower case.

    >>> sorted(words_of("Toy Story (1995)")), words_of(None)
    (['1995', 'story', 'toy'], set())
    """
    return set() if title is None else set(WORD.findall(str(title).lower()))


def unit(table: Array) -> Floats:
    """Rows of length 1; a row of zeros stays as it is."""
    vectors = np.array(table, np.float32)
    length = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))[:, None]
    np.divide(vectors, length, out=vectors, where=length > 0)
    return vectors


def new_items(learned: Sequences, n_items: int) -> Bools | None:
    """(N,) which items have their first event in the last tenth of the time learned from; None without times."""
    if not learned.timed or not len(learned):
        return None
    first = np.full(n_items, np.inf)
    low, high = np.inf, -np.inf
    for block in spill.blocks(len(learned)):
        item, time = learned.item[block], learned.time[block]
        low, high = min(low, float(time.min())), max(high, float(time.max()))
        np.minimum.at(first, item[item >= 0], time[item >= 0])
    return new_since(first, high, low)


def new_since(first: Doubles, high: float, low: float | None = None) -> Bools:
    """(N,) the same from the first event of each item, and the times of the last and the first event of the log."""
    low = float(first.min()) if low is None else low
    return np.asarray((first > high - NEW_SHARE * (high - low)) & (first <= high))
