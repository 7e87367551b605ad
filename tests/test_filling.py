"""Where the model has nothing to say, others fill the list: each item with its source."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from litestar.testing import TestClient

from segue.data.events import log_of
from segue.data.ids import Ids
from segue.data.sessions import lay_out
from segue.models.base import SessionRule
from segue.models.log_counts import LogCounts
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.store.memory import MemoryStore
from segue.web.app import create_app
from segue.web.direct import ROUTE, Direct
from serving_models import ITEMS, NOW, Fading


class Silent(Fading):
    """Answers what the user had lately, and the one after the last; of all else it says nothing."""

    def score(self, query: Any, candidates: Any = None) -> Any:
        scores = super().score(query)
        scores[scores <= 0.002] = -np.inf
        return scores if candidates is None else scores[:, candidates]


class Shy(Fading):
    """Knows nothing of strangers, as a network."""

    knows_strangers = False


def counts(half_life: float = 0.1) -> LogCounts:
    """i1 is followed by i5 (twice) and i6; i4 is what comes most; i7 came last, i3 never."""
    users = list("aabbccddddee")
    items = ["i1", "i5", "i1", "i5", "i1", "i6", "i4", "i4", "i4", "i4", "i2", "i7"]
    log = log_of(users, items, [float(n) for n in range(len(users))])
    item = np.array([ITEMS.index(log.items[n]) for n in log.item], np.int32)
    return LogCounts.of(lay_out(log, gap=None, at_session_start="reset", item=item), len(ITEMS), half_life=half_life)


def engine(*, model: type[Fading] = Silent, **more: Any) -> Engine:
    served = model(len(ITEMS), rule=SessionRule(100, "reset"))
    given = {"item_ids": Ids.of(ITEMS), "version": "v1", "name": "silent", "counts": counts(), **more}
    return Engine(Bundle(served, **given), MemoryStore(), clock=lambda: NOW)


def listed(ranked: Any) -> list[tuple[str, str]]:
    return [(item_id, ranked.filled.get(item_id, ranked.source)) for item_id, _ in ranked.items]


def test_the_chain_is_gone_through_in_order_and_no_place_stays_empty() -> None:
    served = engine()
    served.observe([LiveEvent("u", "i1", NOW)])
    found = listed(served.recommend(user_id="u", k=8, timestamp=NOW, exclude="none"))
    assert found[:2] == [("i2", "state"), ("i1", "state")]
    assert found[2:4] == [("i5", "neighbours"), ("i6", "neighbours")]
    sources = [source for _, source in found]
    assert sources == sorted(sources, key=["state", "neighbours", "trending", "newest"].index)
    assert {item for item, _ in found} == set(ITEMS)


def test_what_may_not_be_answered_fills_no_place() -> None:
    served = engine()
    served.observe([LiveEvent("u", "i1", NOW)])
    rules = {"deny": {"items": ["i5"]}, "pin": [{"item": "i7", "place": 1}]}
    ranked = served.recommend(user_id="u", k=8, timestamp=NOW, exclude="current", rules=rules)
    found = listed(ranked)
    assert not {"i5", "i1"} & {item for item, _ in found}
    assert len(found) == len(dict(found)) == 6
    assert ranked.short is not None
    assert (ranked.short.wanted, ranked.short.given) == (8, 6)
    assert {one.reason for one in ranked.short.because} == {"deny", "exclude"}


def test_a_pin_stands_at_its_place_though_the_model_leaves_the_list_short() -> None:
    rules = {"pin": [{"item": "i7", "place": 5}]}
    ranked = engine().recommend(items=["i1"], k=6, exclude="none", rules=rules)
    found = listed(ranked)
    assert [item for item, _ in found][4] == "i7"
    assert (ranked.pinned, ranked.unmet_pins, ranked.short) == ({"i7"}, [], None)
    assert found[:4] == [("i2", "state"), ("i1", "state"), ("i5", "neighbours"), ("i6", "neighbours")]
    assert "i7" not in ranked.filled


def test_what_fills_a_list_keeps_its_distance() -> None:
    served = engine(columns={"categories": [["odd"] if n % 2 else ["even"] for n in range(8)]})
    served.observe([LiveEvent("u", "i1", NOW)])
    apart = served.recommend(user_id="u", k=8, timestamp=NOW, exclude="none", rules={"apart": [{"within": 1}]})
    found = listed(apart)
    assert found[:4] == [("i2", "state"), ("i1", "state"), ("i6", "neighbours"), ("i5", "neighbours")]
    assert [int(item[1]) % 2 for item, _ in found] == [0, 1] * 4
    assert apart.short is None


def test_a_list_that_is_short_for_distances_alone_says_so() -> None:
    served = engine(columns={"categories": [["one"]] * 6 + [["two"]] * 2})
    ranked = served.recommend(items=["i1"], k=8, exclude="none", rules={"apart": [{"within": 1}]})
    assert [served.bundle.facts.values("categories", int(item[1]))[0] for item, _ in ranked.items] == [
        "one",
        "two",
        "one",
        "two",
        "one",
    ]
    assert ranked.short is not None
    assert [(one.reason, one.items) for one in ranked.short.because] == [("apart", 3)]


def test_a_model_without_counts_leaves_its_lists_short() -> None:
    plain = engine(counts=None).recommend(user_id="u", k=8)
    assert plain.items == []
    assert plain.short is not None
    assert [one.reason for one in plain.short.because][-1] == "model"
    pinned = engine(counts=None).recommend(items=["i1"], k=2, rules={"pin": [{"item": "i7", "place": 1}]})
    assert [(one.item_id, one.because) for one in pinned.unmet_pins] == [("i7", "model")]


def test_a_stranger_gets_what_is_trending_in_place_of_what_a_model_says_of_nobody() -> None:
    served = engine(model=Shy, counts=counts(10.0))
    wanted = [("i4", "trending"), ("i1", "trending"), ("i5", "trending")]
    nobody = served.recommend(user_id="nobody", k=8, timestamp=NOW)
    assert listed(nobody)[:3] == wanted
    assert {source for _, source in listed(nobody)} == {"trending", "newest"}
    assert [item for item, _ in listed(nobody)] == [item for item, _ in listed(served.recommend(items=[], k=8))]
    assert (nobody.short, served.recommend(items=[], k=9).short is None) == (None, False)
    strange = served.recommend(items=["not of this shop", "nor this"], k=3)
    assert (listed(strange), strange.state_version) == (wanted, 2)
    served.observe([LiveEvent("nobody", "i1", NOW)])
    assert listed(served.recommend(user_id="nobody", k=1, timestamp=NOW)) == [("i2", "state")]
    # the gap is 100 s: a session that begins is nobody's
    assert listed(served.recommend(user_id="nobody", k=3, timestamp=NOW + 101)) == wanted
    seen = served.recommend(user_id="nobody", k=8, timestamp=NOW + 101, exclude="seen")
    assert listed(seen) == [one for one in listed(nobody) if one[0] != "i1"]
    assert seen.short is not None
    assert [(one.reason, one.items) for one in seen.short.because] == [("exclude", 1)]
    few = served.recommend(user_id="somebody", k=2, timestamp=NOW, rules={"allow": {"items": ["i3", "i5", "i7"]}})
    assert listed(few) == [("i5", "trending"), ("i7", "trending")]
    for other in (engine(model=Shy, counts=None), engine(model=Fading)):
        assert {source for _, source in listed(other.recommend(user_id="nobody", k=3))} == {"initial_state"}


def test_a_stranger_gets_nothing_that_is_closed_and_no_less_of_what_is_open() -> None:
    until = [None if item in ("i3", "i5", "i7") else NOW for item in ITEMS]
    served, open_still = engine(model=Shy, counts=counts(10.0), columns={"available_until": until}), ["i5", "i7", "i3"]
    assert len(served.recommend(user_id="nobody", k=8, timestamp=NOW - 1).items) == 8
    for k in (1, 2, 3, 4):
        assert [item for item, _ in served.recommend(user_id="nobody", k=k).items] == open_still[:k]


def test_rules_diversity_and_reasons_hold_for_strangers() -> None:
    columns = {"categories": [["odd"] if n % 2 else ["even"] for n in range(8)]}
    served = engine(model=Shy, counts=counts(10.0), columns=columns)
    plain = dict(served.recommend(items=[], k=8).items)
    rules = {
        "deny": {"items": ["i2"]},
        "pin": [{"item": "i3", "place": 2}],
        "boost": [{"items": ["i7"], "factor": 100}],
    }
    ranked = served.recommend(items=[], k=4, rules=rules)
    assert [item for item, _ in listed(ranked)] == ["i7", "i3", "i4", "i1"]
    assert dict(ranked.items)["i7"] == pytest.approx(plain["i7"] + np.log(100))
    assert ranked.filled.keys() == {"i7", "i4", "i1"}
    apart = served.recommend(items=[], k=8, rules={"apart": [{"within": 1}]})
    assert {int(one[1]) % 2 == int(other[1]) % 2 for (one, _), (other, _) in pairwise(listed(apart))} == {False}
    few = served.recommend(items=[], k=8, diversity=1.0, strategy="quotas")
    assert len(few.items) == 8
    with TestClient(create_app(served)) as client:
        told = client.post(ROUTE, json={"items": [], "k": 4, "rules": rules, "explain": True}).json()
    order = list(plain)
    for one in told["items"]:
        assert one["reasons"]["rank_without_rules"] == order.index(one["item_id"]) + 1
        assert one["reasons"]["events"] == []


def test_metrics_count_items_by_where_they_come_from_and_lists_that_are_short() -> None:
    served = engine()
    with TestClient(create_app(served)) as client:
        for body in (
            {"items": ["i1"], "k": 4, "exclude": "none"},
            {"items": ["i1"], "k": 4, "exclude": "none", "rules": {"pin": [{"item": "i7", "place": 1}]}},
            {"items": ["i1"], "k": 9, "exclude": "none", "candidates": ["i1", "i3"]},
        ):
            assert client.post(ROUTE, json=body).status_code == 200
        text = client.get("/metrics").text
    counted = {
        line.split()[0].removeprefix('segue_items_total{source="').removesuffix('"}'): float(line.split()[1])
        for line in text.splitlines()
        if line.startswith("segue_items_total{")
    }
    assert counted == {"state": 5, "initial_state": 0, "pin": 1, "neighbours": 3, "trending": 0, "newest": 1}
    assert "segue_answers_total 3.0" in text
    assert "segue_short_lists_total 1.0" in text


@pytest.mark.parametrize("short_way", [False, True])
def test_over_http_each_item_says_where_it_comes_from(short_way: bool) -> None:
    served = engine()
    app: Any = Direct(create_app(served), served, 10.0) if short_way else create_app(served)
    with TestClient(app) as client:
        answer = client.post(ROUTE, json={"items": ["i1"], "k": 4, "exclude": "none"}).json()
    found = [(item["item_id"], item["source"], item["rank"]) for item in answer["items"]]
    assert found == [("i2", "state", 1), ("i1", "state", 2), ("i5", "neighbours", 3), ("i6", "neighbours", 4)]
