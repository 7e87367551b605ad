"""Which encoder a column takes, where nobody has said it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segue.data.encoding.base import Encoder
from segue.data.encoding.labels import LabelsEncoder, labels_of
from segue.data.encoding.number import NumberEncoder
from segue.data.encoding.text import WORD, TextEncoder
from segue.data.encoding.vector import VectorEncoder

KINDS: dict[str, type[Encoder]] = {one.kind: one for one in (NumberEncoder, LabelsEncoder, TextEncoder, VectorEncoder)}
"""By their names in settings."""

TEXTS = ("title",)
"""Columns that are texts, whatever is in them."""

SHARED = 2.0
"""A column of strings has labels if each of them is that of so many items, on average; else, words of a text."""

WORDY = 1.5
"""A column whose strings are nearly all different is a text if they have so many words on average; else it is ids."""

CODES = 12
"""A column of whole numbers with no more different ones than these has labels."""


def kind_for(name: str, values: Sequence[Any]) -> str | None:
    """The kind of a column; None where it tells nothing: it is empty, always the same, or ids.

    >>> kind_for("price", [1.5, 2.0, None]), kind_for("brand", ["a", "b", "a", "b"]), kind_for("sku", ["x1", "x2"])
    ('number', 'labels', None)
    >>> kind_for("genres", [["a", "b"], ["a"], ["b"]]), kind_for("note", ["a red mug", "a blue cup"])
    ('labels', 'text')
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    if all(isinstance(value, list | tuple) for value in known):
        return "vector" if are_vectors(known) else shared_labels(known)
    if all(isinstance(value, int | float) for value in known):
        different = set(known)
        if len(different) < 2 or are_ids(different, len(known)):
            return None
        return "labels" if len(different) <= CODES and all(isinstance(value, int) for value in different) else "number"
    if name in TEXTS:
        return "text"
    if (labels := shared_labels(known)) is not None:
        return labels
    words = sum(len(WORD.findall(str(value))) for value in known)
    return "text" if words >= WORDY * len(known) else None


def are_ids(different: set[Any], known: int) -> bool:
    """Whether numbers count items: whole, all different, and close together."""
    whole = len(different) == known > CODES and all(isinstance(value, int) for value in different)
    return whole and max(different) - min(different) < 2 * known


def shared_labels(known: Sequence[Any]) -> str | None:
    """`labels`, if items share them and not all have the same."""
    sets = [labels_of(value) for value in known]
    different = len(set().union(*sets))
    return "labels" if different > 1 and SHARED * different <= sum(map(len, sets)) else None


def are_vectors(known: Sequence[Any]) -> bool:
    """Whether lists are vectors: of one width above 1, with fractions among their numbers."""
    width = len(known[0])
    if width < 2 or any(len(value) != width for value in known):
        return False
    fractions = False
    for value in known:
        for one in value:
            try:
                fractions |= not float(one).is_integer()
            except (TypeError, ValueError):
                return False
    return fractions
