"""Rules over HTTP: both ways answer alike; scenarios are read anew when their file changes, broken ones refused."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from litestar.testing import TestClient

from live_server import port_of
from rules_shop import DAY, IDS, shop
from segue.data.ids import Ids
from segue.disk import replace_file
from segue.errors import ArtifactError, ConfigError, RequestError
from segue.models.base import SessionRule
from segue.recommender import load
from segue.serving.applied import rules_of
from segue.serving.asks import Ask
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.scenario_watcher import ScenarioWatcher
from segue.serving.scenarios import Scenarios, read_scenarios
from segue.serving.task import question_of
from segue.web.app import create_app
from segue.web.direct import ROUTE, Direct, task_of
from serving_models import NOW, Fading, until
from versions import saved

FILE = """
[summer]
boost = [{ categories = ["new"], factor = 2.0 }]
pin = [{ item = "i7", place = 2 }]
deny = { categories = ["war"], items = ["nobody knows"] }
windows = [{ items = ["i3"], from = 2026-06-01, until = 2026-09-01T00:00:00Z }]

[plain]
"""
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


def test_scenarios_are_read_with_their_dates_and_what_is_unknown_is_told(tmp_path: Path) -> None:
    file = tmp_path / "scenarios.toml"
    file.write_text(FILE)
    sets, notes = read_scenarios(file, shop().bundle)
    assert list(sets) == ["summer", "plain"]
    assert notes == ["scenario `summer` names what the catalog does not have: nobody knows"]
    engine = shop()
    engine.scenarios = Scenarios(sets)
    may = [item for item, _ in engine.recommend(items=[], k=24, scenario="summer", timestamp=1.78e9).items]
    assert (may[:3], "i3" in may) == (["i0", "i7", "i10"], False)
    may = [item for item, _ in engine.recommend(items=[], k=24, scenario="summer", timestamp=1.785e9).items]
    assert "i3" in may


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[summer\n", "cannot be read as scenarios: Expected ']'"),
        ("summer = 3", "`summer`: expected `object`, got `int`"),
        ("[summer]\nboots = []", "`summer`: object contains unknown field `boots`"),
        ("[summer]\nboost = [{items = ['i1'], factor = nan}]", r"`summer.boost\[0\].factor`: expected `float` >= 1"),
        ("[a]\n[b]\npin = [{item = '?', place = 1}]", r"`b.pin\[0\]`: item `\?` is not in the catalog"),
        ("[a]\nwindows = [{items = ['i1'], from = 1969-01-01}]", r"`a.windows\[0\].from` is '1969-01-01'; expected"),
        ("[a]\nwindows = [{items = ['i1'], from = 07:00:00}]", r"`a.windows\[0\].from`: expected `float \| str"),
        (None, "cannot be read as scenarios: .*No such file"),
    ],
)
def test_a_file_of_scenarios_that_cannot_be_meant_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "scenarios.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match=rf"scenarios.toml:? ?.*{message}"):
        ScenarioWatcher(shop(), file)


def test_a_file_that_is_being_written_is_not_read(tmp_path: Path) -> None:
    file, engine = tmp_path / "scenarios.toml", shop()
    replace_file(file, b"[a]\n[b]")
    watcher = ScenarioWatcher(engine, file, seconds=3600)
    try:
        replace_file(file, b"[a]")
        watcher.look()
        replace_file(file, b"[a]\n[c]")
        watcher.look()
        assert list(engine.scenarios.sets) == ["a", "b"]
        watcher.look()
        assert list(engine.scenarios.sets) == ["a", "c"]
    finally:
        watcher.close()


def test_a_changed_file_is_read_and_a_broken_one_is_refused_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, engine = tmp_path / "scenarios.toml", shop()
    replace_file(file, b"[a]\ndeny = {items = ['i0']}")
    watcher = ScenarioWatcher(engine, file, seconds=0.01)

    def best(name: str) -> str:
        return engine.recommend(items=[], k=1, scenario=name).items[0][0]

    try:
        assert best("a") == "i1"
        with caplog.at_level(logging.INFO, "segue.serving"):
            replace_file(file, b"[a]\ndeny = {items = ['i0', 'i1']}")
            until(lambda: best("a") == "i2")
            replace_file(file, b"[a]\npin = [{item = 'i1', place = 0}]")
            until(lambda: "refused" in caplog.text)
            assert "scenarios.toml: `a.pin[0].place`: expected `int` >= 1" in caplog.text
            assert best("a") == "i2"
            file.unlink()
            until(lambda: "No such file" in caplog.text)
            assert best("a") == "i2"
            replace_file(file, b"[b]")
            until(lambda: "b" in engine.scenarios.sets)
    finally:
        watcher.close()
    assert best("b") == "i0"


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


def test_a_server_knows_the_scenarios_of_its_file_as_it_changes(tmp_path: Path) -> None:
    file, model, stderr = tmp_path / "scenarios.toml", saved(tmp_path / "model"), tmp_path / "stderr"
    replace_file(file, b"[home]\npin = [{item = 'item 7', place = 2}]\ndeny = {items = ['gone']}")
    command = [sys.executable, "-m", "segue", "serve", str(model), "--port", "0", "--scenarios", str(file)]
    with stderr.open("wb") as out:
        server = subprocess.Popen(command, stderr=out)
    try:
        address = f"http://127.0.0.1:{port_of(server, stderr)}"

        def second() -> str:
            told = httpx.post(f"{address}{ROUTE}", json={"user_id": "u", "scenario": "home"}, timeout=60).json()
            return str(told["items"][1]["item_id"])

        assert second() == "item 7"
        replace_file(file, b"[home]\npin = [{item = 'item 3', place = 2}]")
        until(lambda: second() == "item 3")
        replace_file(file, b"[home]\npin = [{item = 'gone', place = 2}]")
        until(lambda: "item `gone` is not in the catalog" in stderr.read_text("utf-8"))
        assert second() == "item 3"
    finally:
        server.terminate()
        assert server.wait(60) == 0
    assert "scenario `home` names what the catalog does not have: gone" in stderr.read_text("utf-8")


def test_a_scenario_that_nobody_gave_names_the_option() -> None:
    with TestClient(create_app(shop())) as client:
        told = client.post(ROUTE, json={"user_id": "u", "scenario": "summer"})
    assert told.status_code == 400
    assert "start it with --scenarios FILE" in told.json()["error"]["message"]
