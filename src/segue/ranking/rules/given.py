"""Rules as they are written, in a request and in a file of scenarios alike. Contradictions in one set are refused."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated

from msgspec import Meta, Struct, field

from segue.errors import RequestError
from segue.moments import seconds_of_moment

MOST_PLACES = 1000

MOST_NAMES = 5000
"""So many items and categories are named in one set: to look them up takes time."""

Name = Annotated[str, Meta(min_length=1, max_length=1024)]
Items = Annotated[tuple[Name, ...], Meta(max_length=1000)]
Categories = Annotated[tuple[Name, ...], Meta(max_length=100)]
Place = Annotated[int, Meta(ge=1, le=MOST_PLACES)]
Factor = Annotated[float, Meta(ge=1, le=1e6)]
Shift = Annotated[float, Meta(ge=0, le=1e6)]


class Named(Struct, frozen=True, forbid_unknown_fields=True):
    """Items by id, and all items of some categories."""

    items: Items = ()
    categories: Categories = ()


class Weight(Struct, frozen=True, forbid_unknown_fields=True):
    """By how much some items are boosted or buried: a `factor`, or a `shift` of the score. Exactly one of the two."""

    items: Items = ()
    categories: Categories = ()
    factor: Factor | None = None
    shift: Shift | None = None

    @property
    def size(self) -> float:
        """What is added to the score in a boost, or taken from it."""
        return math.log(self.factor) if self.factor is not None else float(self.shift or 0.0)


class Pin(Struct, frozen=True, forbid_unknown_fields=True):
    """An item that stands at a place of the list, from 1."""

    item: Name
    place: Place


class Window(Struct, frozen=True, forbid_unknown_fields=True):
    """Some items may be answered from a moment on, until another: Unix seconds, or ISO 8601 in UTC."""

    items: Items = ()
    categories: Categories = ()
    begin: float | str | None = field(name="from", default=None)
    until: float | str | None = None


class Apart(Struct, frozen=True, forbid_unknown_fields=True):
    """Items of one kind do not stand within so many places of each other: 1: not side by side.

    A kind is a value of the column `by` of the catalog. With `categories` only those are kinds, each for itself;
    with `items`, these together are one.
    """

    within: Place
    by: Name = "categories"
    categories: Categories = ()
    items: Items = ()


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """What a list must and should look like.

    `deny`, `windows`, `allow`: what may be answered; `pin` and `apart`: where it stands; `boost` and `bury`: what is
    better or worse than the model says.
    """

    deny: Named | None = None
    allow: Named | None = None
    windows: Annotated[tuple[Window, ...], Meta(max_length=100)] = ()
    pin: Annotated[tuple[Pin, ...], Meta(max_length=100)] = ()
    apart: Annotated[tuple[Apart, ...], Meta(max_length=20)] = ()
    boost: Annotated[tuple[Weight, ...], Meta(max_length=100)] = ()
    bury: Annotated[tuple[Weight, ...], Meta(max_length=100)] = ()


def check_rules(rules: Rules, where: str) -> None:
    """Raise RequestError for a set that says nothing, or two things that cannot both be meant.

    Args:
        where: how the set is called in the message, such as `rules`.
    """
    for kind in ("boost", "bury"):
        for number, weight in enumerate(getattr(rules, kind)):
            if (weight.factor is None) == (weight.shift is None):
                found = "neither" if weight.factor is None else "both"
                refuse(f"{where}.{kind}[{number}]", f"{found} of `factor` and `shift` given; expected one of them")
            require_names(weight, f"{where}.{kind}[{number}]")
    for number, window in enumerate(rules.windows):
        require_names(window, f"{where}.windows[{number}]")
        if window.begin is None and window.until is None:
            refuse(f"{where}.windows[{number}]", "neither `from` nor `until` given; expected one at least")
        begin, end = bounds_of(window, f"{where}.windows[{number}]")
        if begin >= end:
            refuse(f"{where}.windows[{number}]", "it ends before it begins; expected `from` before `until`")
    for number, apart in enumerate(rules.apart):
        if (apart.by != "categories") + bool(apart.items) + bool(apart.categories) > 1:
            refuse(
                f"{where}.apart[{number}]", "more than one of `by`, `categories` and `items`; expected a rule for each"
            )
    check_pins(rules.pin, where)
    for name in ("items", "categories"):
        check_both(rules, name, where)
    if (named := sum(1 for _ in names_in(rules))) > MOST_NAMES:
        refuse(where, f"{named:,} items and categories are named in all; expected at most {MOST_NAMES:,}")


def check_pins(pins: Sequence[Pin], where: str) -> None:
    """Raise RequestError where two items are at one place, or one item is at two."""
    places: dict[int, int] = {}
    items: dict[str, int] = {}
    for number, pin in enumerate(pins):
        if (other := places.setdefault(pin.place, number)) != number:
            also = f"`{where}.pin[{other}]` is at place {pin.place} as well; expected one item a place"
            refuse(f"{where}.pin[{number}]", also)
        if (other := items.setdefault(pin.item, number)) != number:
            refuse(
                f"{where}.pin[{number}]", f"`{where}.pin[{other}]` is of item `{pin.item}` as well; give it one place"
            )


def check_both(rules: Rules, name: str, where: str) -> None:
    """Raise RequestError for items (or categories) of which the set says opposite things."""
    denied = set(getattr(rules.deny, name, ()))
    allowed = set(getattr(rules.allow, name, ()))
    boosted = {one for weight in rules.boost for one in getattr(weight, name)}
    buried = {one for weight in rules.bury for one in getattr(weight, name)}
    word = "item" if name == "items" else "category"
    for first, second, both in (("allow", "deny", allowed & denied), ("boost", "bury", boosted & buried)):
        if both:
            refuse(
                f"{where}.{first}", f"{word} `{min(both)}` is in `{where}.{second}` as well; expected one of the two"
            )


def require_names(given: Weight | Window, where: str) -> None:
    """Raise RequestError for a rule about nothing."""
    if not given.items and not given.categories:
        refuse(where, "neither `items` nor `categories` given; expected what it is about")


def bounds_of(window: Window, where: str) -> tuple[float, float]:
    """The Unix seconds from which on, and until which, a window is open. Raises RequestError for what is no moment."""
    found = []
    for name, value, unbounded in (("from", window.begin, -math.inf), ("until", window.until, math.inf)):
        try:
            found.append(unbounded if value is None else seconds_of_moment(value))
        except ValueError as error:
            refuse(f"{where}.{name}", str(error), colon="")
    begin, end = found
    return begin, end


def names_in(rules: Rules) -> Iterator[tuple[str, str]]:
    """Every id and category that a set names, after where it stands in it."""
    for kind in ("deny", "allow", "windows", "apart", "boost", "bury"):
        given = getattr(rules, kind)
        for number, named in enumerate(given if isinstance(given, tuple) else ()):
            yield from names_of(named, f"{kind}[{number}]")
        if isinstance(given, Named):
            yield from names_of(given, kind)
    for number, pin in enumerate(rules.pin):
        yield f"pin[{number}].item", pin.item
    for number, apart in enumerate(rules.apart):
        yield f"apart[{number}].by", apart.by


def names_of(named: Named | Weight | Window | Apart, where: str) -> Iterator[tuple[str, str]]:
    """The ids and categories of one rule."""
    for field_name in ("items", "categories"):
        for number, name in enumerate(getattr(named, field_name)):
            yield f"{where}.{field_name}[{number}]", name


def refuse(where: str, message: str, colon: str = ":") -> None:
    """Raise RequestError: what is wrong, and where it stands."""
    raise RequestError(f"`{where}`{colon} {message}")
