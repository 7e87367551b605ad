"""The rules of a request and of its scenario, as one set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from segue.errors import RequestError
from segue.ranking.rules import Bound, Rules, bind, check_rules, joined, names_in
from segue.serving.bundle import Bundle
from segue.serving.events import check_id


class Applied(NamedTuple):
    """Rules for the bundle that served when they came.

    Attributes:
        bundle: another one may serve by the time the list is made.
        bound: both sets for its items.
        scenario, rules: as they are written; None: there are none.
    """

    bundle: Bundle
    bound: Bound
    scenario: Rules | None
    rules: Rules | None

    def on(self, bundle: Bundle) -> Bound:
        """The same for what serves now. What another catalog does not have is passed over."""
        if bundle is self.bundle:
            return self.bound
        bound = [None if one is None else bind(one, bundle.facts, strict=False) for one in (self.scenario, self.rules)]
        return as_one(*bound)


def applied(
    bundle: Bundle, rules: Rules | None, k: int, scenario: Rules | None = None, bound_scenario: Bound | None = None
) -> Applied:
    """The rules of a request, checked, and those of its scenario, which were.

    Raises:
        RequestError: rules that contradict each other, or pins that cannot be.
    """
    bound = None
    if rules is not None:
        check_all(rules, "rules")
        for number, pin in enumerate(rules.pin):
            if pin.place > k:
                raise RequestError(
                    f"`rules.pin[{number}].place` is {pin.place}; expected a place of the list, 1 to {k}"
                )
        bound = bind(rules, bundle.facts)
    return Applied(bundle, as_one(bound_scenario, bound), scenario, rules)


def as_one(scenario: Bound | None, rules: Bound | None) -> Bound:
    """Both sets. What is unknown in a scenario was said when that was read."""
    first = Bound() if scenario is None else replace(scenario, unknown_items=(), unknown_categories=())
    return first if rules is None else joined(first, rules)


def check_all(rules: Rules, where: str) -> None:
    """Raise RequestError for a set that cannot be meant, whatever the catalog."""
    for place, name in names_in(rules):
        check_id(name, f"{where}.{place}")
    check_rules(rules, where)


def rules_of(given: Rules | Mapping[str, Any]) -> Rules:
    """Rules that were given in Python, checked as those of a request. Raises RequestError."""
    try:
        return msgspec.convert(msgspec.to_builtins(given), Rules)
    except (msgspec.ValidationError, TypeError) as error:
        what, _, path = str(error).partition(" - at `$")
        raise RequestError(f"`rules{path.removesuffix('`')}`: {what[:1].lower()}{what[1:]}") from None
