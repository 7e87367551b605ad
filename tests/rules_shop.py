"""A catalog of 24 items with kinds, brands and windows, requests with random rules, and what such a list may be.

The checks are written from docs/rules.md, by ids, and share nothing with the code under test.
"""

from __future__ import annotations

import math
import random
from typing import Any

from segue.data.ids import Ids
from segue.models.base import SessionRule
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.store.memory import MemoryStore
from serving_models import NOW, Fading

N = 24
IDS = [f"i{place}" for place in range(N)]
CATEGORIES: list[list[str] | None] = [
    None if n % 7 == 6 else [["drama", "comedy", "war"][n % 3]] + (["new"] if n % 5 == 0 else []) for n in range(N)
]
BRANDS = [None if n % 11 == 3 else f"b{n % 4}" for n in range(N)]
NAMES = ["drama", "comedy", "war", "new", "of no item"]
DAY = 86_400.0


def shop(*, windows: bool = False, model: type[Fading] = Fading, **bundle: Any) -> Engine:
    """An engine over the catalog; maybe with windows in its columns."""
    columns: dict[str, list[Any]] = {"categories": CATEGORIES, "brand": BRANDS}
    if windows:
        columns["available_from"] = [NOW + DAY if n % 8 == 1 else None for n in range(N)]
        columns["available_until"] = ["1970-01-12" if n % 8 == 2 else "" for n in range(N)]
    given = {"item_ids": Ids.of(IDS), "version": "v1", "name": "shop", "columns": columns} | bundle
    served = model(len(given["item_ids"]), rule=SessionRule(None))
    return Engine(Bundle(served, **given), MemoryStore(), clock=lambda: NOW)


def base_of(items: list[str]) -> dict[str, float]:
    """What the model says after some items, by its definition."""
    scores = {item: float(items.count(item)) for item in IDS}
    if items:
        scores["i0"] += 0.001
        scores[IDS[(IDS.index(items[-1]) + 1) % N]] += 10
    return scores


def some(rng: random.Random, most: int) -> list[str]:
    """Item ids, now and then one that nobody knows."""
    return [rng.choice(IDS) if rng.random() < 0.95 else "nobody knows" for _ in range(rng.randrange(most + 1))]


def named(rng: random.Random, most: int = 4) -> dict[str, Any]:
    """Items, categories, or both."""
    found: dict[str, Any] = {}
    if rng.random() < 0.7:
        found["items"] = some(rng, most)
    if rng.random() < 0.5:
        found["categories"] = rng.sample(NAMES, rng.randrange(1, 3))
    return found


def rules_of(rng: random.Random, k: int) -> dict[str, Any]:
    """Random rules, some of which contradict each other."""
    rules: dict[str, Any] = {}
    if rng.random() < 0.4:
        rules["deny"] = named(rng)
    if rng.random() < 0.25:
        rules["allow"] = named(rng, 14)
    if rng.random() < 0.4:
        places = rng.sample(range(1, max(k, 2) + 1), min(max(k, 2), rng.randrange(1, 4)))
        rules["pin"] = [{"item": item, "place": place} for item, place in zip(rng.sample(IDS, 3), places, strict=False)]
    for kind in ("boost", "bury"):
        if rng.random() < 0.4:
            size = (
                {"factor": rng.choice([1, 1.5, 2, 1e6])} if rng.random() < 0.6 else {"shift": rng.choice([0, 0.5, 3])}
            )
            rules[kind] = [named(rng) | size for _ in range(rng.randrange(1, 3))]
    if rng.random() < 0.4:
        kinds = [{}, {"by": "brand"}, {"categories": ["drama", "new"]}, {"items": some(rng, 5)}]
        rules["apart"] = [rng.choice(kinds) | {"within": rng.choice([1, 2, 3, 30])} for _ in range(rng.randrange(1, 3))]
    if rng.random() < 0.3:
        moments = [0, NOW - 1, NOW, NOW + 1, "1970-01-12T13:46:40Z", "1980-01-01"]
        windows = [
            named(rng) | {rng.choice(["from", "until"]): rng.choice(moments)} for _ in range(rng.randrange(1, 3))
        ]
        rules["windows"] = windows
    return rules


def request_of(rng: random.Random) -> dict[str, Any]:
    """A request for a list with rules of its own."""
    k = rng.choice([1, 2, 5, 5, 10, 24, 40])
    return {
        "items": [rng.choice(IDS) for _ in range(rng.randrange(4))],
        "k": k,
        "exclude": rng.choice(["none", "current", "seen"]),
        "rules": rules_of(rng, k),
    }


def in_named(item: str, given: dict[str, Any] | None) -> bool:
    """Whether a rule is about an item."""
    of = CATEGORIES[IDS.index(item)] or []
    return given is not None and (item in given.get("items", ()) or bool({*of} & {*given.get("categories", ())}))


def seconds(moment: float | str) -> float:
    return {"1970-01-12T13:46:40Z": NOW, "1980-01-01": 315_532_800.0}[moment] if isinstance(moment, str) else moment


def is_open(item: str, windows: list[dict[str, Any]]) -> bool:
    """Whether all windows about an item are open at NOW."""
    about = [one for one in windows if in_named(item, one)]
    return all(seconds(one.get("from", 0)) <= NOW < seconds(one.get("until", math.inf)) for one in about)


def legal(asked: dict[str, Any], sets: list[dict[str, Any]], *, windows: bool) -> list[str]:
    """What may be answered."""
    gone = {"none": [], "current": asked["items"][-1:], "seen": asked["items"]}[asked["exclude"]]
    if windows:
        gone = [*gone, *(IDS[n] for n in range(N) if n % 8 in (1, 2))]
    return [
        item
        for item in IDS
        if item not in gone
        and not any(in_named(item, rules.get("deny")) for rules in sets)
        and all(in_named(item, rules["allow"]) for rules in sets if "allow" in rules)
        and all(is_open(item, rules.get("windows", [])) for rules in sets)
    ]


def pins_of(sets: list[dict[str, Any]], k: int) -> dict[int, str]:
    """Items by their places: of two about one place or one item the later set's counts."""
    pins: dict[int, str] = {}
    for rules in sets:
        for pin in rules.get("pin", []):
            pins = {place: item for place, item in pins.items() if item != pin["item"]}
            pins[pin["place"]] = pin["item"]
    return {place: item for place, item in pins.items() if place <= k}


def kinds(item: str, apart: dict[str, Any]) -> set[Any]:
    """The kinds of an item, by a rule."""
    place = IDS.index(item)
    if apart.get("items"):
        return {"these"} if item in apart["items"] else set()
    if apart.get("by") == "brand":
        return {BRANDS[place]} - {None}
    return {*(CATEGORIES[place] or [])} & ({*apart["categories"]} if apart.get("categories") else {*NAMES})


def shift_of(item: str, sets: list[dict[str, Any]]) -> float:
    """What boosts and buries add to a score."""
    total = 0.0
    for rules in sets:
        for sign, kind in ((1, "boost"), (-1, "bury")):
            for weight in rules.get(kind, []):
                if in_named(item, weight):
                    total += sign * (math.log(weight["factor"]) if "factor" in weight else weight["shift"])
    return total


def contradicts(rules: dict[str, Any], k: int) -> bool:
    """Whether one set cannot be meant."""
    for first, second in (("allow", "deny"), ("boost", "bury")):
        one, other = ({name: set() for name in ("items", "categories")} for _ in range(2))
        for gathered, kind in ((one, first), (other, second)):
            for given in rules.get(kind, []) if kind in ("boost", "bury") else [rules.get(kind, {})]:
                for name, found in gathered.items():
                    found |= {*given.get(name, ())}
        if one["items"] & other["items"] or one["categories"] & other["categories"]:
            return True
    weights = [*rules.get("boost", []), *rules.get("bury", []), *rules.get("windows", [])]
    if any(not one.get("items") and not one.get("categories") for one in weights):
        return True
    for pin in rules.get("pin", []):
        denied = in_named(pin["item"], rules.get("deny"))
        outside = "allow" in rules and not in_named(pin["item"], rules["allow"])
        if denied or outside or pin["place"] > k:
            return True
    return False
