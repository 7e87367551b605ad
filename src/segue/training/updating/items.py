"""The catalog after an update: known items keep their places, new ones follow, and the items table says what is new."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from segue.data.catalog import Catalog, ItemTable
from segue.data.ids import Ids
from segue.errors import ConfigError, LogError, did_you_mean
from segue.ranking.rules.facts import UNTIL

KINDS = {int: "numbers", float: "numbers", bool: "true or false", str: "text", list: "text"}
"""What the values of a column are, in words: a list and a text are parts of one another's columns."""


def enlarged(catalog: Catalog, ids: Iterable[str], table: ItemTable | None) -> tuple[Catalog, list[str]]:
    """A catalog with more items, the new ones last, and with what an items table says of them.

    The table replaces what is known of the items that it names, in the columns that it has; all else stays.

    Args:
        catalog: the items so far.
        ids: items of a log, in the order in which they came.
        table: of known items and new ones, in any order; those that are not in the log come after those that are.

    Returns:
        The catalog, and notes.

    Raises:
        LogError: the table says of a column what does not go with what the catalog has there.
    """
    known = catalog.ids.places
    fresh = dict.fromkeys(one for one in ids if one not in known)
    listed = 0
    if table is not None:
        before = len(fresh)
        fresh |= dict.fromkeys(one for one in table.ids if one not in known)
        listed = len(fresh) - before
    whole = Ids.of([*catalog.ids, *fresh]) if fresh else catalog.ids
    notes = []
    if fresh:
        among = f", {listed:,} of them from the items table alone" if listed else ""
        new = "1 item is new" if len(fresh) == 1 else f"{len(fresh):,} items are new"
        notes.append(f"{new}{among}: the catalog has {len(whole):,}")
    columns = {name: [*values, *[None] * len(fresh)] for name, values in catalog.columns.items()}
    if table is not None:
        notes += [*table.notes, *told_by(catalog, table, columns, whole)]
    return Catalog(whole, columns), notes


def told_by(catalog: Catalog, table: ItemTable, columns: dict[str, list[Any]], whole: Ids) -> list[str]:
    """Put what a table says into the columns, in place; what does not fit, one sentence each."""
    places, notes = whole.places_of(table.ids), []
    for name, given in table.columns.items():
        values = as_before(given, columns.get(name, ()))
        check_kind(name, values, columns.get(name, ()), table.ids)
        column = columns.setdefault(name, [None] * len(whole))
        for place, value in zip(places.tolist(), values, strict=True):
            if value is not None:  # a blank says nothing: what is known stays, and what was withdrawn
                column[place] = value
    silent = len(catalog) - int((places < len(catalog)).sum())
    if silent:
        notes.append(
            f"{silent:,} of {len(catalog):,} known items are not in the items table: what is known of them stays"
        )
    lacking = [name for name in catalog.columns if name not in table.columns]
    if lacking:
        notes.append(
            f"the items table lacks {', '.join(f'`{name}`' for name in lacking)}, which the model has of its items: "
            "known ones keep what they had there, new ones have nothing"
        )
    spare = [name for name in table.columns if name not in catalog.columns]
    if spare and catalog.columns:
        notes.append(
            f"the items table has {', '.join(spare)}, which the model did not have: only the items it names do"
        )
    return notes


def as_before(values: Sequence[Any], before: Sequence[Any]) -> Sequence[Any]:
    """Numbers as text where the column has text: of brands, a table may hold none but `7` and `42`."""
    had = next((type(value) for value in before if value is not None), None)
    if had is not str:
        return values
    return [str(value) if isinstance(value, int | float) else value for value in values]


def check_kind(name: str, values: Sequence[Any], before: Sequence[Any], ids: Ids) -> None:
    """Raise LogError where a column has values of another kind than it had."""
    had = next((KINDS.get(type(value)) for value in before if value is not None), None)
    if had is None:
        return
    for item_id, value in zip(ids, values, strict=True):
        found = KINDS.get(type(value))
        if value is not None and found != had:
            raise LogError(
                f"the items table's column `{name}` has {value!r} for the item `{item_id}`, where the model's catalog "
                f"has {had}: correct the column, leave it out, or train a model anew on the table as it is now"
            )


def withdrawn(catalog: Catalog, ids: Iterable[str], at: float) -> Catalog:
    """A catalog whose items may not be answered any more from a time on: `available_until` says so.

    Args:
        ids: of the items to withdraw.
        at: Unix seconds.

    Raises:
        ConfigError: none of the ids is in the catalog.
    """
    chosen = list(ids)
    if not chosen:
        return catalog
    column = list(catalog.columns.get(UNTIL, [None] * len(catalog)))
    as_text = any(isinstance(value, str) and value for value in column)
    moment: Any = datetime.fromtimestamp(int(at), UTC).isoformat() if as_text else int(at)
    places = catalog.ids.places_of(chosen).tolist()
    if max(places) < 0:
        raise ConfigError(
            f"`{chosen[0]}` is to be withdrawn, and is no item of the model{did_you_mean(chosen[0], catalog.ids)}"
        )
    for place in places:
        if place >= 0:
            column[place] = moment
    return Catalog(catalog.ids, {**catalog.columns, UNTIL: column})
