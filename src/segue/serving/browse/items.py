"""What is known of items, short enough to be shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from segue.serving.bundle import Bundle

LONGEST_TITLE, LONGEST_TEXT = 300, 120
"""So many characters of a title, and of another text, are shown."""

MOST_CATEGORIES, MOST_COLUMNS = 20, 30
"""So many categories of an item, and other columns, are shown."""

APART = ("title", "categories")
"""Columns that have a place of their own."""


class Described(NamedTuple):
    """What is known of an item.

    Attributes:
        known: whether it is in the catalog; of one that is not, nothing else is known.
        columns: what else the items table says, each a text or a number; empty cells are left out.
        withdrawn: whether the catalog says that it is not available.
    """

    item_id: str
    known: bool
    title: str | None = None
    categories: Sequence[str] = ()
    columns: dict[str, str | float | int] = {}  # noqa: RUF012  # never changed
    withdrawn: bool = False


def searched(bundle: Bundle, text: str, k: int, *, at: float) -> tuple[list[Described], bool]:
    """At most k items that have all words of a text in their titles, and whether not all were looked at, see `Titles`.

    `at`: the present.
    """
    items, partial = bundle.titles.found(text, k)
    return described(bundle, [bundle.item_ids[item] for item in items], at=at), partial


def described(bundle: Bundle, item_ids: Iterable[str], *, at: float) -> list[Described]:
    """What is known of each of some items. `at`: the present in Unix seconds."""
    return [of_item(bundle, item_id, at) for item_id in item_ids]


def of_item(bundle: Bundle, item_id: str, at: float) -> Described:
    """What is known of an item."""
    item, availability = bundle.item_ids.place_of(item_id), bundle.facts.availability
    if item < 0:
        return Described(item_id, False)
    others = [name for name in bundle.columns if name not in APART][:MOST_COLUMNS]
    cells = {name: shown(bundle.columns[name][item]) for name in others}
    categories = bundle.columns["categories"][item] if "categories" in bundle.columns else None
    return Described(
        item_id,
        True,
        shortened_title(bundle, item_id),
        [shortened(str(one), LONGEST_TEXT) for one in (categories or ())[:MOST_CATEGORIES]],
        {name: value for name, value in cells.items() if value is not None},
        availability is not None and not availability.begin[item] <= at < availability.end[item],
    )


def shortened_title(bundle: Bundle, item_id: str) -> str | None:
    """The title of an item as it is shown; None if it has none."""
    title = bundle.title_of(item_id)
    return None if title is None else shortened(title, LONGEST_TITLE)


def shown(value: Any) -> str | float | int | None:
    """What a cell of the items table says as a text or a number; None where it says nothing."""
    if isinstance(value, list | tuple):
        value = ", ".join(shortened(str(one), LONGEST_TEXT) for one in value[:MOST_CATEGORIES])
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or value == "" or isinstance(value, int | float):
        return None if value == "" else value
    return shortened(str(value), LONGEST_TEXT)


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters; what is missing is marked.

    >>> shortened("a short text", 12), shortened("a text that is long", 12)
    ('a short text', 'a text that…')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"
