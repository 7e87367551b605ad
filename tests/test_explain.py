"""Reasons: what an event is worth is what its history is worth without it, whatever else that changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from baseline_logs import laid
from segue.cells import CELLS
from segue.data.ids import Ids
from segue.errors import RequestError
from segue.models.base import SessionRule, at_request
from segue.models.build import kind_of, restore
from segue.models.log_counts import LogCounts
from segue.models.network import Network
from segue.serving.bundle import Bundle
from segue.serving.events import LiveEvent
from segue.serving.fold import refold
from segue.serving.lists.explain import Followed, Reason, differences, explain
from segue.serving.lists.without import beginning
from segue.serving.policy import Policy
from segue.serving.store.base import StoredEvent
from segue.shapes import Doubles
from serving_models import ITEMS, engine_of, fading_bundle, store_of

RULES = [SessionRule(100.0, "reset"), SessionRule(100.0, "mark"), SessionRule(None, "reset")]
ALL = np.arange(len(ITEMS), dtype=np.int32)


def history(*events: tuple[Any, ...]) -> list[StoredEvent]:
    """Items, times, and session ids where there are some."""
    return [
        StoredEvent(seq, item, float(time), session_id=rest[0] if rest else None)
        for seq, (item, time, *rest) in enumerate(events, 1)
    ]


# late events, pauses on both sides of 100 seconds, an unknown item, an item twice
MIXED = history(
    *[("i1", 0), ("i2", 30), ("i3", 500), ("i4", 20), ("nothing", 520), ("i4", 690), ("i5", 700), ("i6", 650)],
)


def by_hand(bundle: Bundle, events: Sequence[StoredEvent], now: float | None) -> Doubles:
    """(N,) scores after folding a history alone."""
    state = refold(bundle, events).state
    moment = state["time"] if now is None else np.array([now])
    query = bundle.model.query(at_request(bundle.model, state, moment), moment)
    return np.asarray(bundle.model.score(query)[0], np.float64)


def assert_by_hand(bundle: Bundle, events: Sequence[StoredEvent], now: float | None, last: int = 50) -> None:
    left, found = differences(bundle, events, ALL, now, last)
    worth = dict(zip(left.tolist(), found, strict=True))
    whole = by_hand(bundle, events, now)
    assert set(worth) <= set(range(len(events))[-last:])
    for place in range(len(events))[-last:]:
        expected = whole - by_hand(bundle, [*events[:place], *events[place + 1 :]], now)
        np.testing.assert_allclose(worth.get(place, np.zeros(len(ITEMS))), expected, atol=2e-5)


def network(rule: SessionRule, **settings: Any) -> Network:
    """One of which no weight is zero, which would hide its part."""
    torch.manual_seed(3)
    made = Network(len(ITEMS), rule=rule, width=6, time_gap=True, **settings).eval()
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.7)
    made.settle()
    return made


def bundle_of(model: Any) -> Bundle:
    return Bundle(model, Ids.of(ITEMS), "v", "m")


@pytest.mark.parametrize("rule", RULES, ids=["reset", "mark", "never"])
@pytest.mark.parametrize("cell", CELLS)
def test_what_an_event_is_worth_to_a_network_is_what_folding_without_it_says(cell: str, rule: SessionRule) -> None:
    bundle = bundle_of(network(rule, cell=cell))
    for now in (None, 720.0, 790.0, 2000.0):
        assert_by_hand(bundle, MIXED, now)


@pytest.mark.slow
def test_the_exported_step_says_the_same() -> None:
    rule = RULES[1]
    model = network(rule)
    twin = restore("network", len(ITEMS), rule, model.settings(), model.arrays(), model.exported())
    assert_by_hand(bundle_of(twin), MIXED, 710.0)
    said = [explain(bundle_of(one), MIXED, ["i7", "i1"], 710.0) for one in (model, twin)]
    assert [[event.seq for event in one.events] for one in said[0]] == [
        [event.seq for event in one.events] for one in said[1]
    ]


@pytest.mark.parametrize("rule", RULES[:2], ids=["reset", "mark"])
@pytest.mark.parametrize("kind", ["popularity", "recent_popularity", "markov", "sknn"])
def test_baselines_are_explained_too(kind: str, rule: SessionRule) -> None:
    model = kind_of(kind)(len(ITEMS), rule=rule).fit(laid(["abcab", "bcdef", "gfh"]))
    assert_by_hand(bundle_of(model), MIXED, 710.0)


def test_a_mix_is_explained_too() -> None:
    rule = RULES[1]
    neighbours = kind_of("sknn")(len(ITEMS), rule=rule).fit(laid(["abcab", "bcdef", "gfh"]))
    model = kind_of("mix")(len(ITEMS), rule=rule, network=network(rule), neighbours=neighbours)
    assert_by_hand(bundle_of(model), MIXED, 710.0)


@given(
    events=st.lists(
        st.tuples(
            st.sampled_from([*ITEMS, "nothing"]), st.integers(0, 300), st.none() | st.sampled_from(["a", "b", "c"])
        ),
        max_size=12,
    ),
    rule=st.sampled_from([(None, "reset"), (50, "reset"), (50, "mark")]),
    now=st.none() | st.integers(0, 400).map(float),
    last=st.integers(1, 12),
)
def test_any_history_late_or_in_named_sessions_is_worth_what_folding_says(
    events: list[Any], rule: tuple[Any, str], now: float | None, last: int
) -> None:
    assert_by_hand(fading_bundle(gap=rule[0], at_session_start=rule[1]), history(*events), now, last)


def test_a_score_worked_out_by_hand() -> None:
    # i2 at 0 and 100, i5 at 100: without the first i2 has 1 less the fading e^-1, without the second a whole 1
    events = history(("i2", 0), ("i2", 100), ("i5", 100))
    (two, six) = explain(fading_bundle(gap=1000), events, ["i2", "i6"], 100.0)
    assert [(one.seq, one.difference) for one in two.events] == [
        (2, pytest.approx(1)),
        (1, pytest.approx(np.exp(-1))),
    ]
    # the last event alone brought the ten of the next in the ring
    assert [(one.item_id, one.time, one.difference) for one in six.events] == [("i5", 100.0, pytest.approx(10))]


def test_an_event_that_lowered_a_score_counts_by_its_strength() -> None:
    # without the last one the ten would be i3's
    (three,) = explain(fading_bundle(gap=1000), history(("i2", 0), ("i5", 0)), ["i3"], 0.0)
    assert [(one.item_id, one.difference) for one in three.events] == [("i5", pytest.approx(-10))]


def test_a_session_that_is_over_moved_nothing_where_sessions_begin_anew() -> None:
    events = history(("i1", 0), ("i2", 10), ("i3", 500), ("i1", 510))
    for rule, moved in (("reset", [4]), ("mark", [4, 1])):
        (one,) = explain(fading_bundle(gap=100, at_session_start=rule), events, ["i1"], 510.0)
        assert [event.seq for event in one.events] == moved
    (one,) = explain(fading_bundle(gap=100), events, ["i1"], 900.0)
    assert one.events == []


def test_without_the_event_between_them_two_parts_of_a_session_are_one() -> None:
    events = history(("i1", 0, "a"), ("i5", 10, "b"), ("i1", 20, "a"))
    left, found = differences(fading_bundle(gap=100), events, ALL, 20.0, 50)
    # the first is gone with its session either way; without the second it still counts
    worth = dict(zip(left.tolist(), found[:, 1].tolist(), strict=True))
    assert worth == {1: pytest.approx(-np.exp(-0.2)), 2: pytest.approx(1)}


def test_a_late_event_that_opens_a_session_is_as_late_as_what_came_before_it() -> None:
    events = history(("i1", 100, "a"), ("i2", 50, "b"), ("i3", 120, "b"))
    # without the first the second happened at 50 and fades longer by the third
    left, found = differences(fading_bundle(gap=100), events, ALL, 120.0, 50)
    assert found[list(left).index(0), 2] == pytest.approx(np.exp(-0.2) - np.exp(-0.7))
    for last in range(1, 4):
        assert_by_hand(fading_bundle(gap=100), events, 120.0, last)


def test_only_the_last_events_are_named_and_all_are_folded() -> None:
    events = history(("i1", 0), ("i1", 0), ("i1", 0), ("i4", 0))
    (one,) = explain(fading_bundle(gap=None), events, ["i1"], last=2)
    assert [event.seq for event in one.events] == [3]
    (one,) = explain(fading_bundle(gap=None), events, ["i1"], most=2)
    assert [event.seq for event in one.events] == [3, 2]


def test_what_came_before_the_session_is_not_folded_unless_it_matters() -> None:
    events = history(("i1", 0), ("i2", 500), ("i3", 900, "a"), ("i4", 950, "b"), ("i5", 960, "a"), ("i6", 970))
    for rule in ("reset", "mark"):
        bundle = fading_bundle(gap=100, at_session_start=rule)
        expected = [0, 0, 1, 2, 3, 4] if rule == "reset" else [0] * 6
        assert [beginning(bundle, events, first)[0] for first in range(6)] == expected
        for last in range(1, 7):
            assert_by_hand(bundle, events, None, last)


def test_of_equals_the_latest_is_named_first() -> None:
    (one,) = explain(fading_bundle(gap=None), history(("i1", 0), ("i1", 0), ("i1", 0), ("i4", 0)), ["i1"])
    assert [event.seq for event in one.events] == [3, 2, 1]


def counted() -> Bundle:
    """What followed: i0 to i1 three times and to i2 once, i1 to i2 once."""
    return replace(fading_bundle(), counts=LogCounts.of(laid(["aba", "ab", "abc", "ac"]), len(ITEMS)))


def test_what_people_did_after_the_last_items_is_counted() -> None:
    events = history(("i0", 0), ("i1", 1), ("nothing", 2))
    one, two, three = explain(counted(), events, ["i1", "i2", "i3"])
    assert one.followed == [Followed("i0", 3, 4)]
    # of equals the one that the user had later comes first
    assert two.followed == [Followed("i1", 1, 2), Followed("i0", 1, 4)]
    assert three.followed == []
    assert [len(found.followed) for found in explain(counted(), events, ["i2"], most=1)] == [1]


def test_only_what_the_user_had_last_is_looked_at() -> None:
    events = history(("i0", 0), *((f"i{n}", n) for n in range(2, 7)))
    assert explain(counted(), events[:-1], ["i1"])[0].followed == [Followed("i0", 3, 4)]
    assert explain(counted(), events, ["i1"])[0].followed == []


def test_a_model_that_was_saved_without_counts_says_nothing_of_others() -> None:
    (one,) = explain(fading_bundle(), history(("i0", 0)), ["i1"])
    assert one.followed == []
    assert [event.item_id for event in one.events] == ["i0"]


def test_the_rank_before_rules_is_the_place_in_what_they_were_given() -> None:
    found = explain(fading_bundle(), [], ["i3", "i1"], before_rules=["i2", "i3"])
    assert [one.rank_without_rules for one in found] == [2, None]


def test_someone_of_whom_nothing_is_known_has_no_events_to_name() -> None:
    for now in (None, 5.0):
        assert explain(counted(), [], ["i3"], now) == [Reason("i3", [], [], None)]
    assert explain(counted(), history(("i0", 0)), []) == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"ranked_items": ["i1", "i9"]}, "item `i9` is not in the catalog of 8 items"),
        ({"most": 0}, "`most` is 0; expected at least 1"),
        ({"last": -1}, "`last` is -1; expected at least 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(RequestError, match=told):
        explain(fading_bundle(), history(("i0", 0)), **{"ranked_items": ["i1"], **asked})


@pytest.mark.parametrize("late", ["append", "refold"])
def test_served_scores_differ_by_what_is_told(late: Any) -> None:
    live = [LiveEvent("u", item, time) for item, time in (("i2", 0.0), ("i5", 80.0), ("i5", 40.0), ("i3", 90.0))]

    def served(events: Sequence[LiveEvent]) -> tuple[Any, dict[str, float]]:
        engine = engine_of(policy=Policy(late=late), gap=1000)
        engine.observe(events)
        ranked = engine.recommend(user_id="u", k=len(ITEMS), timestamp=100.0)
        return engine, dict(ranked.items)

    engine, scores = served(live)
    history = store_of(engine).history("u", None, engine.policy.order)
    reasons = explain(engine.bundle, history, list(scores), 100.0, most=4)
    told = {(one.item_id, event.seq): event.difference for one in reasons for event in one.events}
    for place in range(4):
        _, without = served([*live[:place], *live[place + 1 :]])
        for item_id, score in scores.items():
            assert told.get((item_id, place + 1), 0.0) == pytest.approx(score - without[item_id], abs=1e-6)
