"""Named sets of rules: read anew when their file changes; broken ones are refused, what no model has passed over."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from litestar.testing import TestClient

from live_server import port_of
from rules_shop import IDS, shop
from segue.data.ids import Ids
from segue.disk import replace_file
from segue.errors import ConfigError
from segue.serving.lists.scenario_watcher import ScenarioWatcher
from segue.serving.lists.scenarios import Scenarios, read_scenarios
from segue.web.app import create_app
from segue.web.direct import ROUTE
from serving_models import until
from versions import saved

FILE = """
[summer]
boost = [{ categories = ["new"], factor = 2.0 }]
pin = [{ item = "i7", place = 2 }]
deny = { categories = ["war"], items = ["nobody knows"] }
windows = [{ items = ["i3"], from = 2026-06-01, until = 2026-09-01T00:00:00Z }]

[plain]
"""


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
        ("[a]\npin = [{item = 'i1', place = 1}]\ndeny = {items = ['i1']}", r"`a.pin\[0\]`: item `i1` is denied by"),
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


def test_what_the_catalog_that_serves_does_not_have_is_told_and_passed_over_until_a_model_has_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, engine, more = tmp_path / "scenarios.toml", shop(), shop().bundle
    pins = "pin = [{item = 'new', place = 1}, {item = 'i9', place = 2}]"
    replace_file(file, f"[a]\n{pins}\napart = [{{by = 'brnd', within = 1}}]".encode())
    with caplog.at_level(logging.WARNING, "segue.serving"):
        watcher = ScenarioWatcher(engine, file, seconds=3600)
    watcher.close()
    assert "scenarios.toml: `a.pin[0]`: item `new` is not in the catalog" in caplog.text
    assert "`a.apart[0].by`: the catalog has no column `brnd` (did you mean `brand`?)" in caplog.text

    def listed() -> list[str]:
        return [item for item, _ in engine.recommend(items=[], k=3, scenario="a").items]

    assert listed() == ["i0", "i9", "i1"]
    item_ids = Ids.of([*IDS[:-1], "new"])
    engine.swap(replace(more, item_ids=item_ids, version="v2"))
    assert listed() == ["new", "i9", "i0"]


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


def test_a_server_knows_the_scenarios_of_its_file_as_it_changes(tmp_path: Path) -> None:
    file, model, stderr = tmp_path / "scenarios.toml", saved(tmp_path / "model"), tmp_path / "stderr"
    pins = b"pin = [{item = 'item 7', place = 2}, {item = 'of no model', place = 1}]"
    replace_file(file, b"[home]\n" + pins + b"\ndeny = {items = ['gone']}")
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
        replace_file(file, b"[home]\npin = [{item = 'item 3', place = 0}]")
        until(lambda: "`home.pin[0].place`" in stderr.read_text("utf-8"))
        assert second() == "item 3"
    finally:
        server.terminate()
        assert server.wait(60) == 0
    told = stderr.read_text("utf-8")
    assert "scenario `home` names what the catalog does not have: gone" in told
    assert "`home.pin[1]`: item `of no model` is not in the catalog" in told


def test_a_scenario_that_nobody_gave_names_the_option() -> None:
    with TestClient(create_app(shop())) as client:
        told = client.post(ROUTE, json={"user_id": "u", "scenario": "summer"})
    assert told.status_code == 400
    assert "no file of scenarios was read (`--scenarios FILE`), or it is empty" in told.json()["error"]["message"]
