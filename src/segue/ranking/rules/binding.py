"""From rules as they are written to rules in terms of a catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from segue.errors import did_you_mean
from segue.ranking.rules.bound import NONE, Bound, Kinds, summed, united
from segue.ranking.rules.facts import Facts
from segue.ranking.rules.given import Apart, Named, Rules, Weight, Window, bounds_of, refuse
from segue.shapes import Doubles, Ints

Missing = Callable[[str, str], None]
"""Told of a pin or a column that the catalog does not have: where it stands, and what is wrong."""


class Binding:
    """Looks names up, and notes which the catalog does not have.

    Args:
        missing: see `bind`.
    """

    def __init__(self, facts: Facts, missing: Missing) -> None:
        self.facts, self.missing = facts, missing
        self.unknown_items: dict[str, None] = {}
        self.unknown_categories: dict[str, None] = {}

    def items(self, ids: Iterable[str]) -> Ints:
        """Items by their ids, ascending."""
        ids = list(ids)
        places = self.facts.ids.places_of(ids)
        self.unknown_items |= {name: None for name, place in zip(ids, places.tolist(), strict=True) if place < 0}
        return np.unique(places[places >= 0]).astype(np.int32)

    def categories(self, names: Iterable[str]) -> list[str]:
        """Those of the categories that an item has."""
        known = self.facts.members("categories")
        names = list(dict.fromkeys(names))
        self.unknown_categories |= {name: None for name in names if name not in known}
        return [name for name in names if name in known]

    def named(self, given: Named | Weight | Window) -> Ints:
        """The items that a rule is about, ascending."""
        items = self.items(given.items)
        if not given.categories:
            return items
        members = self.facts.members("categories")
        return united([items, *(members[name] for name in self.categories(given.categories))])

    def weighted(self, weights: Iterable[Weight], sign: float) -> list[tuple[Ints, Doubles]]:
        """The items that each weight is about, and what it adds to their scores."""
        found = [(self.named(weight), sign * weight.size) for weight in weights]
        return [(items, np.full(len(items), size)) for items, size in found]

    def kinds(self, apart: Apart, where: str) -> Kinds | None:
        """The kinds that are kept apart; None where the catalog has no such column."""
        if apart.items:
            return Kinds(self.facts, apart.within, items=frozenset(self.items(apart.items).tolist()))
        by = "categories" if apart.categories else apart.by
        if by not in self.facts.columns:
            if not apart.categories:
                known = did_you_mean(apart.by, self.facts.columns)
                self.missing(f"{where}.by", f"the catalog has no column `{apart.by}`{known}")
            self.categories(apart.categories)
            return None
        chosen = frozenset(self.categories(apart.categories)) if apart.categories else None
        return Kinds(self.facts, apart.within, by, chosen)


def bind(rules: Rules, facts: Facts, where: str = "rules", *, strict: bool = True, missing: Missing = refuse) -> Bound:
    """Rules in terms of a catalog. Names that it does not have are noted.

    Args:
        rules: checked by `check_rules`.
        where: how the set is called in messages.
        strict: without, what this catalog does not have, and what contradicts itself in it, is passed over: it was
            another one when the rules were checked.
        missing: told of a pin of an item, and of a column, that the catalog does not have; where it returns, that is
            passed over.

    Raises:
        RequestError: a pin of an item that the same set forbids; and what `missing` raises.
    """
    names = Binding(facts, missing if strict else pass_over)
    denied = NONE if rules.deny is None else names.named(rules.deny)
    allowed = None if rules.allow is None else names.named(rules.allow)
    windows = [(names.named(one), *bounds_of(one, f"{where}.windows[{n}]")) for n, one in enumerate(rules.windows)]
    shifted, shift = summed([*names.weighted(rules.boost, 1.0), *names.weighted(rules.bury, -1.0)])
    apart = [names.kinds(one, f"{where}.apart[{number}]") for number, one in enumerate(rules.apart)]
    pins = {}
    for number, pin in enumerate(rules.pin):
        item = facts.ids.place_of(pin.item)
        at = f"{where}.pin[{number}]"
        if item < 0:
            names.missing(at, f"item `{pin.item}` is not in the catalog; expected an item that is")
            continue
        if strict:
            check_pin(item, pin.item, at, denied, allowed)
        pins[pin.place] = item
    return Bound(
        denied,
        allowed,
        windows,
        shifted.astype(np.int32),
        shift,
        pins,
        [one for one in apart if one is not None],
        list(names.unknown_items),
        list(names.unknown_categories),
    )


def check_pin(item: int, item_id: str, where: str, denied: Ints, allowed: Ints | None) -> None:
    """Raise RequestError for a pin that the same set forbids."""
    if item in denied:
        refuse(where, f"item `{item_id}` is denied by the same rules; expected one of the two")
    if allowed is not None and item not in allowed:
        refuse(where, f"item `{item_id}` is not among what the same rules allow; expected one of the two")


def pass_over(where: str, message: str) -> None:
    """Say nothing of what the catalog does not have."""
