"""What the columns of an items table mean: title, categories, numbers, lists. Plain Python."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

Column = list[Any]

NAMES = {
    "title": (
        *(
            "title",
            "name",
            "product_name",
            "movie_title",
            "item_name",
            "prod_name",
            "track_name",
            "book_title",
        ),
        *("headline", "product_title", "description"),
    ),
    "categories": (
        *("categories", "category", "genres", "genre", "class", "tags", "category_name", "product_category"),
        *("main_category",),
    ),
}
SPACED = ("genres", "genre", "class")
INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
DECIMAL = re.compile(r"-?\d+\.\d*([eE][+-]?\d+)?|-?\d+[eE][+-]?\d+|-?(0|[1-9]\d*)")


def describe(columns: Mapping[str, Sequence[Any]]) -> tuple[dict[str, Column], list[str]]:
    """Give columns their names and types.

    Args:
        columns: values by the source's name, each a str, a list of str, or None.

    Returns:
        The columns by canonical name, title and categories first, and notes.
    """
    known = {name: name.split(":")[0].strip().lower().replace(" ", "_") for name in columns}
    described: dict[str, Column] = {}
    notes: list[str] = []
    taken: set[str] = set()
    for role, names in NAMES.items():
        found = sorted((c for c in columns if known[c] in names), key=lambda c: names.index(known[c]))
        if not found:
            continue
        taken.add(found[0])
        others = "".join(f", not `{other}`" for other in found[1:])
        notes.append(f"{role} from column `{found[0]}`{others}")
        values = columns[found[0]]
        described[role] = split(values, known[found[0]]) if role == "categories" else [as_text(v) for v in values]
    for name, values in columns.items():
        if name in taken:
            continue
        free = known[name] if known[name] not in described else name
        if free in described:
            notes.append(f"column `{name}` is left out: its name is taken")
            continue
        described[free] = typed(values)
    return described, notes


def split(values: Sequence[Any], name: str) -> Column:
    """Categories as lists: parted by `|`, else by `,`, else, in a column of genres, by spaces.

    >>> split(["Comedy|Drama", None], "genres")
    [['Comedy', 'Drama'], None]
    """
    lists = [value if isinstance(value, list) else listed(value) for value in values]
    plain = [value for value, many in zip(values, lists, strict=True) if many is None and value is not None]
    mark = next((mark for mark in "|," if any(mark in value for value in plain)), " " if name in SPACED else None)

    def parts(value: str) -> list[str]:
        pieces = value.split(mark) if mark else [value]
        return [piece.strip() for piece in pieces if piece.strip()]

    return [
        many if many is not None else None if value is None else parts(value)
        for value, many in zip(values, lists, strict=True)
    ]


def listed(value: str | None) -> list[str] | None:
    """The strings of a list written as JSON or as Python; None if it is none.

    >>> listed('["a", "b"]'), listed("['a']"), listed("[sic] a title")
    (['a', 'b'], ['a'], None)
    """
    if value is None or not (value.startswith("[") and value.endswith("]")):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(value)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, list) and not any(isinstance(part, list | dict) for part in found):
            return [str(part) for part in found if part is not None]
    return None


def as_text(value: Any) -> str | None:
    """A value as one string."""
    many = value if isinstance(value, list) else listed(value)
    return value if many is None else ", ".join(many)


def typed(values: Sequence[Any]) -> Column:
    """A column as int or float if all its values are written so, else as lists or strings."""
    strings = [value for value in values if isinstance(value, str)]
    if strings and not any(isinstance(value, list) for value in values):
        # An identifier such as 007 is no number.
        if all(INTEGER.fullmatch(value) for value in strings):
            return [None if value is None else int(value) for value in values]
        if all(DECIMAL.fullmatch(value) for value in strings):
            return [None if value is None else float(value) for value in values]
    return [
        value if not isinstance(value, str) else many if (many := listed(value)) is not None else value
        for value in values
    ]
