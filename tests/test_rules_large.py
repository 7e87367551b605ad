"""Lists with rules over a large catalog: those by an index are those of the product, whatever rules say."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import numpy as np
import pytest

from large_shop import CATEGORIES, IDS, NOW, N, engines_of
from segue.ranking.pool import pool_of
from segue.serving.engine import Engine, question_of
from segue.serving.lists.applied import rules_of
from segue.serving.lists.asks import Ask, Ranked

KINDS = sorted({name for names in CATEGORIES for name in names})


@cache
def shops(*, windows: bool) -> tuple[Engine, Engine]:
    """By an index and by the product; with windows, two of five are closed."""
    if not windows:
        return engines_of()
    return engines_of(available_from=[NOW + 1 if n % 5 in (0, 3) else None for n in range(N)])


def named(rng: random.Random, most: int, kinds: int) -> dict[str, Any]:
    """Some items, some categories, or both."""
    found: dict[str, Any] = {}
    if rng.random() < 0.6:
        found["items"] = rng.sample(IDS, rng.randrange(1, most))
    if rng.random() < 0.6 or not found:
        found["categories"] = rng.sample(KINDS, rng.randrange(1, kinds))
    return found


def weights(rng: random.Random) -> list[dict[str, Any]]:
    """Some boosts or buries, now and then so large that nothing else counts."""
    sizes = [{"factor": 1.5}, {"factor": 1e6}, {"shift": 0.25}, {"shift": 1.5}, {"shift": 1e6}]
    return [named(rng, 30, 4) | rng.choice(sizes) for _ in range(rng.randrange(1, 4))]


def request_of(rng: random.Random) -> dict[str, Any]:
    """A request with random rules, which do not contradict each other."""
    k = rng.choice([1, 5, 10, 20, 40])
    rules: dict[str, Any] = {}
    if rng.random() < 0.5:
        rules["deny"] = named(rng, 200, 12)
    if rng.random() < 0.3:
        rules["allow"] = named(rng, 400, 12)
    if rng.random() < 0.3:
        rules["windows"] = [named(rng, 20, 8) | {"from": rng.choice([NOW - 1, NOW + 1])} for _ in range(2)]
    for kind in ("boost", "bury"):
        if rng.random() < 0.4:
            rules[kind] = weights(rng)
    if rng.random() < 0.4:
        rules["apart"] = [{"by": rng.choice(["brand", "categories"]), "within": rng.choice([1, 3, 6, 20])}]
    if rng.random() < 0.4:
        places = rng.sample(range(1, k + 1), min(k, 3))
        rules["pin"] = [{"item": item, "place": at} for item, at in zip(rng.sample(IDS, 3), places, strict=False)]
    asked = {"items": rng.sample(IDS, rng.randrange(4)), "k": k, "rules": rules}
    return asked | rng.choice([{}, {}, {}, {"categories": rng.sample(KINDS, 9)}, {"candidates": IDS[:300]}])


def consistent(rules: dict[str, Any]) -> bool:
    """Whether a set of rules can be meant."""

    def about(given: dict[str, Any]) -> set[str]:
        kinds = {*given.get("categories", ())}
        return {*given.get("items", ())} | {i for i, of in zip(IDS, CATEGORIES, strict=True) if kinds & {*of}}

    def names(kinds: list[dict[str, Any]], field: str) -> set[str]:
        return {name for one in kinds for name in one.get(field, ())}

    for first, second in (("allow", "deny"), ("boost", "bury")):
        sets = [one if isinstance(one, list) else [one] for one in (rules.get(first, {}), rules.get(second, {}))]
        if any(names(sets[0], field) & names(sets[1], field) for field in ("items", "categories")):
            return False
    pins = {pin["item"] for pin in rules.get("pin", [])}
    return not pins & about(rules.get("deny", {})) and ("allow" not in rules or pins <= about(rules["allow"]))


def ask(engine: Engine, asked: dict[str, Any]) -> Ranked:
    """The answer to a request."""
    wish = {name: asked[name] for name in ("k", "candidates", "categories") if name in asked}
    applied = engine.applied(rules_of(asked["rules"]), None, asked["k"])
    task = question_of(None, asked["items"], Ask(**wish, rules=applied))
    engine.submit([task])
    ranked = task.result.result().ranked
    assert ranked is not None
    return ranked


def check_hard_rules(asked: dict[str, Any], ranked: Ranked, windows: bool) -> None:
    """Raise AssertionError where something is listed that may not be."""
    rules = asked["rules"]
    for item, _ in ranked.items:
        n = IDS.index(item)
        assert not (windows and n % 5 in (0, 3))
        for one in (rules.get("deny", {}), *(one for one in rules.get("windows", []) if one["from"] > NOW)):
            assert item not in one.get("items", ())
            assert not {*CATEGORIES[n]} & {*one.get("categories", ())}
        if "allow" in rules:
            of = {*CATEGORIES[n]} & {*rules["allow"].get("categories", ())}
            assert of or item in rules["allow"].get("items", ())
        assert item in asked.get("candidates", IDS)
        assert {*CATEGORIES[n]} & {*asked.get("categories", KINDS)}


@pytest.mark.parametrize("windows", [False, True])
def test_lists_by_an_index_are_those_of_the_product(windows: bool) -> None:
    rng, by_index, listed = random.Random(7 + windows), shops(windows=windows), 0
    for _ in range(80):
        asked = request_of(rng)
        if not consistent(asked["rules"]):
            continue
        found, exact = (ask(engine, asked) for engine in by_index)
        check_hard_rules(asked, found, windows)
        assert found.items == exact.items, asked
        assert found == exact
        listed += 1
    assert listed > 50


def products(asked: dict[str, Any], *, windows: bool = False) -> int:
    """How many products with all items a list takes that an index may make."""
    engine, exact = shops(windows=windows)
    model: Any = engine.bundle.model
    before = model.products
    found = engine.recommend(**asked)
    took = model.products - before
    assert found == exact.recommend(**asked)
    assert len(found.items) == asked["k"]
    return int(took)


EVEN = {"categories": ["even"]}
RULES: list[dict[str, Any]] = [
    {"deny": EVEN},
    {"allow": EVEN},
    {"windows": [EVEN | {"from": NOW + 1}]},
    {"boost": [EVEN | {"factor": 2}, {"categories": ["k5", "k6"], "factor": 3}]},
    {"bury": [EVEN | {"shift": 100}]},
    {"deny": {"categories": ["k5", "k6", "k7"]}, "boost": [EVEN | {"shift": 1}], "pin": [{"item": "i8", "place": 2}]},
    {"apart": [{"within": 9}]},
]


@pytest.mark.parametrize("rules", RULES)
def test_rules_about_much_of_the_catalog_take_no_product_with_all_of_it(rules: dict[str, Any]) -> None:
    assert products({"items": ["i5"], "k": 10, "rules": rules}, windows=True) == 0


@pytest.mark.parametrize(("within", "k", "expected"), [(4, 10, 0), (14, 40, 1)])
def test_for_what_is_kept_apart_an_index_is_asked_a_few_times_and_then_all_are_scored(
    within: int, k: int, expected: int
) -> None:
    kinds = [name for name in KINDS if name != "even"]
    assert (
        products({"items": ["i5"], "k": k, "rules": {"apart": [{"within": within, "categories": kinds}]}}) == expected
    )


def test_the_order_of_a_pool_is_that_of_the_scores_however_large_a_boost_is() -> None:
    rng = np.random.default_rng(5)
    scores = rng.standard_normal(500).astype(np.float32).astype(np.float64)
    shift = np.where(np.arange(500) < 300, 1e8, 0.0)
    pool = pool_of(np.arange(500, dtype=np.int32), scores + shift, 400)
    assert pool.items.tolist() == sorted(range(500), key=lambda item: (-shift[item], -scores[item], item))[:400]


FEW = {"items": [IDS[n] for n in range(0, N, 12)]}


@pytest.mark.parametrize("boosted", [EVEN, FEW])
@pytest.mark.parametrize("diverse", [{}, {"diversity": 0.3}, {"diversity": 0.2, "strategy": "rotation", "seed": 4}])
def test_items_that_are_all_boosted_by_much_stand_as_without(boosted: dict[str, Any], diverse: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"items": ["i5"], "k": 20, **diverse}
    for engine in shops(windows=False):
        high = engine.recommend(**asked, rules={"boost": [boosted | {"shift": 1e6}] * 20})
        alone = engine.recommend(**asked, rules={"allow": boosted})
        assert [item for item, _ in high.items] == [item for item, _ in alone.items]
        assert high.items[0][1] > 1.9e7
