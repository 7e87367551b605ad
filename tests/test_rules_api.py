"""Rules over HTTP: both ways answer alike; windows hold at the time of the request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from litestar.testing import TestClient

from rules_shop import DAY, IDS, shop
from segue.data.ids import Ids
from segue.errors import ArtifactError, RequestError
from segue.models.base import SessionRule
from segue.recommender import load
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.lists.applied import rules_of
from segue.serving.lists.asks import Ask
from segue.serving.lists.scenarios import Scenarios
from segue.serving.lists.similar import similar_items
from segue.serving.task import question_of
from segue.web.app import create_app
from segue.web.direct import ROUTE, Direct, task_of
from serving_models import NOW, Fading
from versions import saved

GOOD: list[dict[str, Any]] = [
    {"items": ["i1"], "rules": {"deny": {"items": ["i2", "?"], "categories": ["war", "none"]}}},
    {"items": ["i1"], "rules": {"pin": [{"item": "i9", "place": 3}]}, "k": 3},
    {"items": ["i1"], "rules": {"allow": {"items": ["i9"]}}, "k": 3},
    {"items": ["i1"], "rules": {}, "scenario": None},
    {"items": ["i1"], "rules": None, "scenario": "summer", "k": 4},
    {"user_id": "u", "rules": {"apart": [{"within": 2}]}, "scenario": "plain", "timestamp": 5.0},
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"scenario": "sumer"}, "`scenario`: there is no `sumer` (did you mean `summer`?)"),
    ({"rules": {"pin": [{"item": "?", "place": 1}]}}, "`rules.pin[0]`: item `?` is not in the catalog"),
    ({"rules": {"pin": [{"item": "i1", "place": 0}]}}, "`rules.pin[0].place`: expected `int` >= 1"),
    ({"rules": {"boost": [{"items": ["i1"], "factor": 0}]}}, "`rules.boost[0].factor`: expected `float` >= 1"),
    ({"rules": {"boots": []}}, "`rules`: object contains unknown field `boots`"),
    ({"rules": {"deny": {"items": ["\0"]}}}, "expected text that is valid UTF-8"),
]


def engine_with() -> Engine:
    engine = shop()
    engine.scenarios = Scenarios({"summer": rules_of({"pin": [{"item": "i7", "place": 2}]}), "plain": rules_of({})})
    return engine


@pytest.fixture
def both() -> Iterator[list[TestClient[Any]]]:
    """The framework's way, and the short one before it."""
    engine = engine_with()
    direct: Any = Direct(create_app(engine), engine, 10.0)
    with TestClient(create_app(engine_with()), raise_server_exceptions=False) as plain, TestClient(direct) as short:
        yield [plain, short]


def answers(clients: list[TestClient[Any]], body: dict[str, Any]) -> tuple[int, Any]:
    """The answer, which both ways give alike."""
    found = [client.post(ROUTE, json=body) for client in clients]
    told = [one.json() for one in found]
    for one in told:
        one.pop("request_id", None)
    assert told[0] == told[1]
    assert found[0].status_code == found[1].status_code
    return found[0].status_code, told[0]


def test_good_and_bad_rules_are_answered_alike_by_both_ways(both: list[TestClient[Any]]) -> None:
    for body in GOOD:
        assert answers(both, body)[0] == 200, body
        short = task_of({"type": "http.request", "body": msgspec.json.encode(body)}, engine_with())
        assert (short is None) == (body.get("rules") is not None), "rules of one's own are looked up beside the loop"
    for body, message in BAD:
        status, told = answers(both, {"items": ["i1"], **body})
        assert status == 400, body
        assert message in told["error"]["message"]


def test_an_answer_says_what_is_pinned_what_is_short_and_what_is_unknown(both: list[TestClient[Any]]) -> None:
    _, told = answers(both, GOOD[0])
    assert (told["unknown_items"], told["unknown_categories"]) == (["?"], ["none"])
    assert "short" not in told
    assert "unmet_pins" not in told
    _, told = answers(both, GOOD[1])
    assert [(one["item_id"], one["source"]) for one in told["items"]] == [
        ("i2", "state"),
        ("i1", "state"),
        ("i9", "pin"),
    ]
    assert [one["rank"] for one in told["items"]] == [1, 2, 3]
    _, told = answers(both, GOOD[2])
    assert told["short"] == {
        "wanted": 3,
        "given": 1,
        "because": [{"reason": "allow", "items": 23, "message": "23 are not among what the rules allow"}],
    }
    _, told = answers(both, GOOD[2] | {"scenario": "summer", "k": 2})
    assert told["unmet_pins"] == [{"item_id": "i7", "place": 2, "because": "allow"}]


def test_a_list_without_rules_says_why_it_is_short(both: list[TestClient[Any]]) -> None:
    _, told = answers(both, {"items": ["i1"], "k": 30, "exclude": "seen", "candidates": ["i1", "i2"]})
    assert [(one["reason"], one["items"]) for one in told["short"]["because"]] == [
        ("catalog", 24),
        ("candidates", 22),
        ("exclude", 1),
    ]


def test_windows_hold_at_the_time_of_the_request() -> None:
    engine = shop(windows=True)
    until_then = 11 * DAY  # 1970-01-12
    cases = [(None, {1, 2}), (until_then - 0.5, {1}), (until_then, {1, 2}), (NOW + DAY - 0.5, {1, 2}), (NOW + DAY, {2})]
    for at, closed in cases:
        found = engine.recommend(items=["i3"], k=24, timestamp=at)
        assert {item for item, _ in found.items} == {item for n, item in enumerate(IDS) if n % 8 not in closed}, at
    rules = {"windows": [{"items": ["i3"], "from": "2001-09-09T01:46:40Z"}]}
    for at in (999_999_999.9, 1e9):
        listed = [item for item, _ in shop().recommend(user_id="u", k=24, timestamp=at, rules=rules).items]
        assert ("i3" in listed) == (at == 1e9)


def test_a_user_whose_list_has_rules_is_answered_beside_those_without() -> None:
    engine = shop()
    engine.observe([LiveEvent(user, f"i{n}", 5.0) for n, user in enumerate("abc")])
    wanted = {"deny": {"items": ["i2"]}}
    asks = [Ask(3, 5.0), Ask(3, 5.0, rules=engine.applied(rules_of(wanted), None, 3)), Ask(2, 5.0)]
    tasks = [question_of(user, None, ask) for user, ask in zip("abc", asks, strict=True)]
    engine.submit(tasks)
    together = [task.result.result().ranked for task in tasks]
    alone = [
        engine.recommend(user_id="a", k=3, timestamp=5.0),
        engine.recommend(user_id="b", k=3, timestamp=5.0, rules=wanted),
    ]
    assert together[:2] == alone
    assert [item for item, _ in alone[1].items] == ["i1", "i0", "i3"]
    assert [item for item, _ in together[2].items] == ["i3", "i2"]


def test_rules_for_a_model_that_is_gone_hold_for_the_one_that_took_over() -> None:
    engine = shop()
    rules = rules_of({"pin": [{"item": "i20", "place": 1}, {"item": "i3", "place": 2}], "deny": {"items": ["i5"]}})
    ask = Ask(8, rules=engine.applied(rules, None, 8))
    smaller = shop().bundle
    columns = {name: column[:8] for name, column in smaller.columns.items()}
    model = Fading(8, rule=SessionRule(None))
    engine.swap(replace(smaller, model=model, item_ids=Ids.of(IDS[:8]), columns=columns, version="v2"))
    task = question_of(None, ["i1"], ask)
    engine.submit([task])
    listed = [item for item, _ in task.result.result().ranked.items]
    assert listed == ["i2", "i3", "i1", "i0", "i4", "i6", "i7"]


def test_similar_items_are_those_that_are_available() -> None:
    engine = shop(windows=True)
    table = np.random.default_rng(1).standard_normal((24, 4)).astype(np.float32)
    open_now = {item for n, item in enumerate(IDS) if n % 8 not in (1, 2)}
    for vectors in (False, True):
        if vectors:
            engine.bundle.model.item_vectors = lambda: table  # type: ignore[attr-defined]
        with TestClient(create_app(engine)) as client:
            for item in ("i4", "i9"):  # the second is not available itself
                told = client.post("/v1/similar", json={"item_id": item, "k": 24}).json()
                assert {one["item_id"] for one in told["items"]} == open_now - {item}
        later = similar_items(engine.bundle, "i4", 24, at=NOW + DAY)
        assert {item for item, _ in later} == {item for n, item in enumerate(IDS) if n % 8 != 2} - {"i4"}


def test_a_recommender_takes_rules_as_a_request_does(tmp_path: Path) -> None:
    recommender = load(saved(tmp_path / "model"))
    plain = [one.item_id for one in recommender.recommend(items=["item 1"], k=3)]
    rules = {"deny": {"items": plain[:1]}, "pin": [{"item": plain[2], "place": 1}]}
    listed = [one.item_id for one in recommender.recommend(items=["item 1"], k=2, rules=rules)]
    assert listed == [plain[2], plain[1]]
    with pytest.raises(RequestError, match=r"`rules.pin\[0\].place`: expected `int` <= 1000"):
        recommender.recommend(items=[], rules={"pin": [{"item": plain[0], "place": 1001}]})


def test_a_model_whose_windows_are_no_moments_does_not_take_over() -> None:
    engine = shop()
    wrong = replace(engine.bundle, columns={"available_until": ["never"] * 24}, version="v2")
    with pytest.raises(ArtifactError, match="`available_until` of item `i0` is 'never'; expected Unix seconds"):
        engine.swap(wrong)
    assert engine.recommend(items=["i1"]).model_version == "v1"
