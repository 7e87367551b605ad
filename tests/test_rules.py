"""Rules as they are written: what is refused, what a moment is, and how a list is put together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_shop import IDS, shop
from segue.errors import ArtifactError, RequestError
from segue.moments import seconds_of_moment
from segue.ranking.pool import Pool, ordered
from segue.ranking.rules import Limits, arrange, bind, joined
from segue.ranking.rules.bound import Kinds
from segue.ranking.rules.facts import Facts
from segue.serving.lists.applied import rules_of

PIN = {"item": "i1", "place": 1}
NONE = np.zeros(0, np.int32)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"boots": []}, r"`rules`: object contains unknown field `boots`"),
        ({"boost": [{"items": ["i1"], "factor": math.nan}]}, r"`rules.boost\[0\].factor`: expected `float` >= 1"),
        ({"boost": [{"items": ["i1"], "factor": math.inf}]}, r"`rules.boost\[0\].factor`: expected `float` <= 1000000"),
        ({"bury": [{"items": ["i1"], "shift": -1}]}, r"`rules.bury\[0\].shift`: expected `float` >= 0"),
        ({"bury": [{"items": ["i1"], "factor": 0.5}]}, r"`rules.bury\[0\].factor`: expected `float` >= 1"),
        ({"boost": [{"items": ["i1"]}]}, r"`rules.boost\[0\]`: neither of `factor` and `shift` given"),
        ({"boost": [{"items": ["i1"], "factor": 2, "shift": 1}]}, r"`rules.boost\[0\]`: both of `factor` and `shift`"),
        (
            {"boost": [{"items": [f"i{n}" for n in range(900)], "factor": 2}] * 6},
            r"`rules`: 5,400 items and categories are named in all; expected at most 5,000",
        ),
        ({"boost": [{"factor": 2}]}, r"`rules.boost\[0\]`: neither `items` nor `categories` given"),
        (
            {"boost": [{"items": ["i1"], "shift": 1}], "bury": [{"items": ["i1"], "shift": 1}]},
            r"`i1` is in `rules.bury`",
        ),
        ({"allow": {"categories": ["war"]}, "deny": {"categories": ["war"]}}, r"`rules.allow`: category `war` is in"),
        ({"pin": [{"item": "i1", "place": 0}]}, r"`rules.pin\[0\].place`: expected `int` >= 1"),
        ({"pin": [{"item": "i1", "place": 6}]}, r"`rules.pin\[0\].place` is 6; expected a place of the list, 1 to 5"),
        ({"pin": [PIN, {"item": "i2", "place": 1}]}, r"`rules.pin\[1\]`: `rules.pin\[0\]` is at place 1 as well"),
        ({"pin": [PIN, {"item": "i1", "place": 2}]}, r"`rules.pin\[1\]`: `rules.pin\[0\]` is of item `i1` as well"),
        ({"pin": [{"item": "?", "place": 2}]}, r"`rules.pin\[0\]`: item `\?` is not in the catalog"),
        ({"pin": [PIN], "deny": {"items": ["i1"]}}, r"`rules.pin\[0\]`: item `i1` is denied by the same rules"),
        ({"pin": [PIN], "deny": {"categories": ["comedy"]}}, r"`rules.pin\[0\]`: item `i1` is denied by the same"),
        ({"pin": [PIN], "allow": {"items": ["i2"]}}, r"`rules.pin\[0\]`: item `i1` is not among what the same rules"),
        ({"apart": [{"within": 0}]}, r"`rules.apart\[0\].within`: expected `int` >= 1"),
        (
            {"apart": [{"within": 1, "by": "brnd"}]},
            r"`rules.apart\[0\].by`: .* no column `brnd` \(did you mean `brand`",
        ),
        ({"apart": [{"within": 1, "items": ["i1"], "categories": ["war"]}]}, r"`rules.apart\[0\]`: more than one of"),
        ({"windows": [{"items": ["i1"]}]}, r"`rules.windows\[0\]`: neither `from` nor `until` given"),
        ({"windows": [{"items": ["i1"], "from": 9, "until": 9}]}, r"`rules.windows\[0\]`: it ends before it begins"),
        (
            {"windows": [{"items": ["i1"], "from": "soon"}]},
            r"`rules.windows\[0\].from` is 'soon'; expected Unix seconds",
        ),
        ({"windows": [{"items": ["i1"], "until": 1.7e12}]}, r"`rules.windows\[0\].until` is '1700000000000.0'; exp"),
        ({"deny": {"items": ["i1", "a\0"]}}, r"`rules.deny.items\[1\]` is 'a\\x00'; expected text"),
        ({"deny": ["i1"]}, r"`rules.deny`: expected `object \| null`, got `array`"),
        ([], r"`rules`: expected `object`"),
    ],
    ids=str,
)
def test_rules_that_cannot_be_meant_are_refused_with_what_and_where(rules: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        shop().recommend(items=["i1"], k=5, rules=rules)


def test_what_the_catalog_does_not_have_is_named_and_is_no_error() -> None:
    rules = {
        "deny": {"items": ["x"], "categories": ["nowhere"]},
        "boost": [{"items": ["y", "i2"], "shift": 100}],
        "apart": [{"within": 1, "categories": ["neither"]}],
    }
    ranked = shop().recommend(items=["z"], k=2, rules=rules)
    assert ranked.items[0] == ("i2", 100.0)
    assert (ranked.unknown_items, ranked.unknown_categories) == (["z", "x", "y"], ["nowhere", "neither"])


def test_a_boost_of_two_adds_its_logarithm_and_boosts_add_up() -> None:
    weights = [{"items": ["i9"], "factor": 2}, {"items": ["i9"], "factor": 3}, {"items": ["i9", "i4"], "shift": 0.25}]
    ranked = shop().recommend(items=[], k=2, rules={"boost": weights})
    assert ranked.items == [("i9", pytest.approx(math.log(6) + 0.25)), ("i4", 0.25)]
    buried = shop().recommend(items=[], k=24, rules={"bury": [{"items": ["i0"], "factor": 2}]})
    assert buried.items[-1] == ("i0", pytest.approx(-math.log(2)))


@pytest.mark.parametrize("value", ["", "2026-13-01", "1969-12-31", "2200-01-01", math.nan, -1, True, None, [2026]])
def test_what_is_no_moment_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="expected Unix seconds below the year 2200, or a date in UTC"):
        seconds_of_moment(value)


def test_a_catalog_whose_window_is_no_moment_is_refused_with_its_item() -> None:
    facts = Facts(shop().bundle.item_ids, {"available_from": [None] * 3 + ["soon"] + [None] * 20})
    with pytest.raises(ArtifactError, match="`available_from` of item `i3` is 'soon'; expected Unix seconds"):
        _ = facts.availability


def test_pins_stand_at_their_places_and_the_list_closes_up_where_it_is_short() -> None:
    assert arrange([1, 2, 3, 4], 3, {2: 4}) == [1, 4, 2]
    assert arrange([1, 2, 3], 3, {5: 3}) == [1, 2, 3]  # beyond the list it is as any other
    assert arrange([1, 9, 8], 9, {4: 8, 7: 9}) == [1, 8, 9]
    assert arrange([], 3, {3: 5, 2: 7}) == [7, 5]


KINDS = ["aa", "ab", "b", "", "a", "b", "c", "c"]
FACTS = Facts(shop().bundle.item_ids, {"kind": [[*kinds] or None for kinds in KINDS]})


def fits(listed: list[int], place: int, item: int, pins: dict[int, int], within: int) -> bool:
    """Whether an item may stand at a place (from 1): by the rule in words."""
    standing = dict(enumerate(listed, 1)) | {at: one for at, one in pins.items() if at > len(listed)}
    near = [other for at, other in standing.items() if at != place and abs(at - place) <= within]
    return not any({*KINDS[item]} & {*KINDS[other]} for other in near)


@given(
    order=st.permutations(range(len(KINDS))),
    k=st.integers(1, 9),
    within=st.integers(1, 4),
    pins=st.dictionaries(st.integers(1, 9), st.integers(0, len(KINDS) - 1), max_size=3),
)
def test_each_place_has_the_first_that_fits_and_pins_stand_as_low_as_they_can(
    order: list[int], k: int, within: int, pins: dict[int, int]
) -> None:
    pins = {place: item for place, item in pins.items() if list(pins.values()).count(item) == 1}
    listed = arrange(order, k, pins, [Kinds(FACTS, within, "kind")])
    wanted = {place: item for place, item in pins.items() if place <= k}
    had = {listed.index(item) + 1: item for item in wanted.values()}
    assert all(listed.index(item) + 1 <= place for place, item in wanted.items())
    assert sorted(wanted.values(), key=listed.index) == [wanted[place] for place in sorted(wanted)]
    for place, item in enumerate(listed, 1):
        if place in had:
            continue
        left = [one for one in order if one not in listed[: place - 1] and one not in wanted.values()]
        assert item == next(one for one in left if fits(listed[: place - 1], place, one, had, within))
    if len(listed) < k:
        left = [one for one in order if one not in listed]
        assert not any(fits(listed, len(listed) + 1, one, {}, within) for one in left)


def test_apart_is_kept_with_more_kinds_than_one_and_by_items_together() -> None:
    facts = FACTS
    # 0 and 4 share a, 1 has a and b: nothing with a or b stands beside it
    assert arrange([0, 4, 1, 2, 6, 3], 6, {}, [Kinds(facts, 1, "kind")]) == [0, 2, 4, 6, 1, 3]
    together = Kinds(facts, 2, items=frozenset({0, 2, 6}))
    assert arrange([0, 2, 6, 3, 5], 5, {}, [together]) == [0, 3, 5, 2]
    chosen = Kinds(facts, 1, "kind", frozenset("c"))
    assert arrange([6, 7, 0, 1], 4, {}, [chosen]) == [6, 0, 7, 1]


def test_where_no_candidate_fits_the_best_of_all_others_is_asked_for() -> None:
    asked = []

    def beyond(taken: Any, kinds: Any) -> int | None:
        asked.append((sorted(taken), kinds))
        return 2 if len(asked) == 1 else None

    assert arrange([0, 4], 4, {}, [Kinds(FACTS, 1, "kind")], beyond) == [0, 2, 4]
    assert asked == [([0], [(0, "a")]), ([0, 2, 4], [(0, "a")])]


def test_the_chosen_of_a_pool_come_first_and_the_rest_follows() -> None:
    pool = Pool(np.array([5, 3, 9, 7], np.int32), np.array([4.0, 3.0, 2.0, 1.0]))
    places = ordered(pool, 2, lambda pool, k: np.array([3, 1]))
    assert pool.items[places].tolist() == [7, 3, 5, 9]


def test_each_reason_counts_what_none_before_it_did() -> None:
    items = [np.arange(*bounds, dtype=np.int32) for bounds in ((0, 20), (6, 24), (6, 9), (8, 10), (9, 12))]
    limits = Limits(24, items[0], items[4], items[1], items[2], items[3])
    assert limits.answerable.tolist() == list(range(12, 20))
    short = limits.short(30, 5, 7)
    assert [(one.reason, one.items) for one in short.because] == [
        ("catalog", 24),
        ("candidates", 4),
        ("allow", 6),
        ("deny", 3),
        ("windows", 1),
        ("exclude", 2),
        ("model", 1),
        ("apart", 2),
    ]
    assert short.because[3].message == "3 are denied by the rules"
    assert [limits.forbids(item) for item in (21, 3, 7, 8, 9, 11, 12)] == [
        "candidates",
        "allow",
        "deny",
        "deny",
        "windows",
        "exclude",
        None,
    ]


def test_a_request_does_not_lift_what_a_scenario_forbids_and_its_pins_count() -> None:
    facts = shop().bundle.facts
    scenario = {"deny": {"items": ["i1"]}, "pin": [{"item": "i3", "place": 1}, {"item": "i4", "place": 2}]}
    request = {"allow": {"items": ["i1", "i2"]}, "pin": [{"item": "i2", "place": 1}]}
    both = joined(*(bind(rules_of(one), facts) for one in (scenario, request)))
    assert both.denied.tolist() == [1]
    assert both.allowed is not None
    assert both.allowed.tolist() == [1, 2]
    assert {place: IDS[item] for place, item in both.pins.items()} == {1: "i2", 2: "i4"}
    narrow, wide = (bind(rules_of({"allow": {"items": items}}), facts) for items in (["i2"], ["i1", "i2"]))
    for first, second in ((narrow, wide), (wide, narrow)):
        assert joined(first, second).allowed.tolist() == [2]
    moved = joined(bind(rules_of(scenario), facts), bind(rules_of({"pin": [{"item": "i4", "place": 5}]}), facts))
    assert {place: IDS[item] for place, item in moved.pins.items()} == {1: "i3", 5: "i4"}
