"""Lists with random rules: no hard rule is ever violated, and the order is what it should be."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rules_shop
from rules_shop import IDS, N, base_of, contradicts, kinds, legal, pins_of, request_of, shift_of, shop
from segue.data.events import log_of
from segue.data.sessions import lay_out
from segue.errors import RequestError
from segue.models.log_counts import LogCounts
from segue.serving.engine import Engine
from segue.serving.lists.applied import rules_of
from segue.serving.lists.asks import Ranked
from segue.serving.lists.fallback import SOURCES
from segue.serving.lists.scenarios import Scenarios
from serving_models import Fading


def check(asked: dict[str, Any], ranked: Ranked, sets: list[dict[str, Any]], *, windows: bool) -> None:
    """Raise AssertionError where a list is not what its rules say."""
    listed, k = [item for item, _ in ranked.items], asked["k"]
    may = legal(asked, sets, windows=windows)
    assert len(set(listed)) == len(listed) <= k
    assert set(listed) <= set(may)
    apart = [one for rules in sets for one in rules.get("apart", [])]
    pins = {place: item for place, item in pins_of(sets, k).items() if item in may}
    wanted = pins_of(sets, k)
    unmet = {pin.place: (pin.item_id, pin.because) for pin in ranked.unmet_pins}
    for place, item in wanted.items():
        if listed[place - 1 : place] == [item]:
            assert place not in unmet
            assert item in ranked.pinned
        elif item in may:  # nothing could be put before it
            assert unmet[place] == (item, "apart" if apart else "short")
            assert item in listed[: place - 1]
        else:
            assert unmet[place][0] == item
            assert unmet[place][1] in ("deny", "allow", "windows", "exclude")
    assert set(unmet) <= set(wanted)
    check_apart(listed, apart, pins)
    check_short(asked, listed, ranked, may, apart)
    base = base_of(asked["items"])
    scores = {item: base[item] + shift_of(item, sets) for item in may}
    for item, score in ranked.items:
        assert abs(score - scores[item]) < 1e-5
    if not apart:
        rest = [item for item in listed if item not in pins.values()]
        best = sorted((scores[item] for item in may if item not in pins.values()), reverse=True)
        assert all(abs(scores[item] - score) < 1e-5 for item, score in zip(rest, best, strict=False))


def check_apart(listed: list[str], apart: list[Any], pins: dict[int, str]) -> None:
    """Raise AssertionError where two of a kind stand too near to each other, and are not both pinned."""
    for rule in apart:
        for first, one in enumerate(listed):
            for second in range(first + 1, min(len(listed), first + rule["within"] + 1)):
                if kinds(one, rule) & kinds(listed[second], rule):
                    assert {one, listed[second]} <= set(pins.values())


def check_short(asked: Any, listed: list[str], ranked: Ranked, may: list[str], apart: list[Any]) -> None:
    if len(listed) == asked["k"]:
        assert ranked.short is None
        return
    short = ranked.short
    assert short is not None
    assert (short.wanted, short.given) == (asked["k"], len(listed))
    # all items are accounted for
    assert sum(one.items for one in short.because if one.reason != "catalog") + len(listed) == N
    for item in set(may) - set(listed):  # one that is left out would stand too near to one that is listed
        near = [
            other for rule in apart for other in listed[-rule["within"] :] if kinds(item, rule) & kinds(other, rule)
        ]
        assert near, item


def ask(
    engine: Engine, asked: dict[str, Any], *, windows: bool, scenario: dict[str, Any] | None = None, again: bool = True
) -> bool:
    """Ask, check, and maybe ask again; whether there was a list."""
    sets = [asked["rules"]] if scenario is None else [scenario, asked["rules"]]
    named = {} if scenario is None else {"scenario": "s"}
    if contradicts(asked["rules"], asked["k"]):
        with pytest.raises(RequestError, match="`rules"):
            engine.recommend(**asked, **named)
        return False
    ranked = engine.recommend(**asked, **named)
    check(asked, ranked, sets, windows=windows)
    if again:
        assert engine.recommend(**asked, **named) == ranked
    return True


@given(st.randoms(use_true_random=False), st.booleans())
def test_no_hard_rule_is_violated_and_the_order_is_that_of_the_scores(rng: random.Random, windows: bool) -> None:
    ask(shop(windows=windows), request_of(rng), windows=windows)


@given(st.randoms(use_true_random=False))
def test_a_scenario_and_a_request_hold_together(rng: random.Random) -> None:
    engine, scenario = shop(), rules_shop.rules_of(rng, 10)
    if not contradicts(scenario, 1000):
        engine.scenarios = Scenarios({"s": rules_of(scenario)})
        ask(engine, request_of(rng), windows=False, scenario=scenario)


class Silent(Fading):
    """Has a score for what the user had, and for the one after the last item alone."""

    def score(self, query: Any, candidates: Any = None) -> Any:
        scores = super().score(query)
        scores[scores <= 0] = -np.inf
        return scores if candidates is None else scores[:, candidates]


class Shy(Silent):
    """Leaves strangers to what is trending, as a network does."""

    knows_strangers = False


@cache
def counts() -> LogCounts:
    """What 40 users did; five of the items never came."""
    rng = random.Random(5)
    users = [f"u{n // 5}" for n in range(200)]
    log = log_of(users, [f"i{rng.randrange(N - 5)}" for _ in users], [1e5 + n for n in range(200)])
    item = np.array([IDS.index(log.items[n]) for n in log.item], np.int32)
    return LogCounts.of(lay_out(log, gap=None, at_session_start="reset", item=item), N)


def check_filled(asked: dict[str, Any], ranked: Ranked, sets: list[dict[str, Any]], *, windows: bool) -> None:
    """Raise AssertionError where what fills a list breaks a rule, or leaves a place empty that it could fill."""
    listed, k = [item for item, _ in ranked.items], asked["k"]
    may, wanted = legal(asked, sets, windows=windows), pins_of(sets, k)
    apart = [one for rules in sets for one in rules.get("apart", [])]
    assert len(set(listed)) == len(listed) <= k
    assert set(listed) <= set(may)
    pins = {place: item for place, item in wanted.items() if item in may}
    check_apart(listed, apart, pins)
    check_short(asked, listed, ranked, may, apart)
    unmet = {pin.place: pin.because for pin in ranked.unmet_pins}
    for place, item in wanted.items():
        assert (listed[place - 1 : place] == [item]) == (place not in unmet)
        assert place not in unmet or (item not in may) == (unmet[place] in ("deny", "allow", "windows", "exclude"))
    if not apart:
        assert len(listed) == min(k, len(may)), "no place stays empty as long as anything may be answered"
        assert len(may) < k or all(listed[place - 1] == item for place, item in pins.items())
    base, at = base_of(asked["items"]), ["state", *SOURCES]
    sources = [ranked.filled.get(item, "state") for item in listed if item not in wanted.values()]
    if not apart and asked["items"]:  # strangers get no scores of the model, and boosts move what they get
        assert sources == sorted(sources, key=at.index), "the model's own come first"
    for item in listed:
        assert item in ranked.pinned or (item in ranked.filled) == (base[item] <= 0)


@given(st.randoms(use_true_random=False), st.booleans())
def test_what_fills_a_list_breaks_no_hard_rule_and_leaves_no_place_empty(rng: random.Random, windows: bool) -> None:
    asked, scenario, model = request_of(rng), {}, rng.choice([Silent, Shy])
    engine = shop(windows=windows, model=model, counts=counts())
    if rng.random() < 0.5:
        found = rules_shop.rules_of(rng, 10)
        scenario = {} if contradicts(found, 1000) else found
    engine.scenarios = Scenarios({"s": rules_of(scenario)})
    if not contradicts(asked["rules"], asked["k"]):
        ranked = engine.recommend(**asked, scenario="s")
        check_filled(asked, ranked, [scenario, asked["rules"]], windows=windows)
        assert engine.recommend(**asked, scenario="s") == ranked


@pytest.mark.slow
@pytest.mark.no_cover  # which would take nearly as long again
@pytest.mark.parametrize("part", range(4))
def test_of_a_hundred_thousand_random_requests_none_violates_a_hard_rule(part: int) -> None:
    rng, lists, windows = random.Random(part), 0, part % 2 == 1
    engine = shop(windows=windows)
    for number in range(25_000):
        scenario = None
        if number % 3 == 0:
            scenario = rules_shop.rules_of(rng, 10)
            if contradicts(scenario, 1000):
                scenario = {}
            engine.scenarios = Scenarios({"s": rules_of(scenario)})
        lists += ask(engine, request_of(rng), windows=windows, scenario=scenario, again=number % 4 == 0)
    assert lists > 12_500
