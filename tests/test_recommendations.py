"""What a list says of itself: where each item comes from, why it is short, which pins could not be had."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import segue
from segue.errors import ConfigError, RequestError
from small_shop import N_ITEMS, Ran, shop_of

RULES = """
pin = [{ item = "sku07", place = 2 }, { item = "sku04", place = 3 }]
allow = { categories = ["odd"], items = ["sku04"] }
"""
SCENARIOS = """
[even]
deny = { categories = ["odd"], items = ["nobody knows"] }

[plain]
"""


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop_of(tmp_path_factory)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    rules, scenarios = tmp_path / "rules.toml", tmp_path / "scenarios.toml"
    rules.write_text(RULES)
    scenarios.write_text(SCENARIOS)
    return rules, scenarios


def test_python_keeps_what_a_server_says(shop: Path) -> None:
    recommender = segue.load(shop / "gru", light=True)
    plain = recommender.recommend(items=["sku03"], k=4)
    assert {one.source for one in plain} == {"state"}
    assert (plain.short, plain.unmet_pins, plain.chosen_by) == (None, [], None)
    assert {one.source for one in recommender.recommend(items=[], k=2)} == {"trending"}
    assert {one.source for one in recommender.top_k(recommender.initial_state(), 2)} == {"trending"}
    rules = {
        "pin": [{"item": "sku07", "place": 2}, {"item": "sku04", "place": 3}],
        "allow": {"items": ["sku04", "sku07", "sku09"]},
        "boost": [{"items": ["no item"], "categories": ["no kind"], "factor": 2}],
    }
    found = recommender.recommend(items=["sku04"], k=4, exclude="current", rules=rules)
    assert [(one.item_id, one.source) for one in found] == [("sku09", "state"), ("sku07", "pin")]
    assert [(pin.item_id, pin.place, pin.because) for pin in found.unmet_pins] == [("sku04", 3, "exclude")]
    assert found.short is not None
    assert (found.short.wanted, found.short.given) == (4, 2)
    assert {(one.reason, one.items) for one in found.short.because} == {("allow", N_ITEMS - 3), ("exclude", 1)}
    assert (found.unknown_items, found.unknown_categories) == (["no item"], ["no kind"])


def test_a_scenario_holds_beside_the_rules_of_a_request(shop: Path, files: tuple[Path, Path]) -> None:
    recommender = segue.load(shop / "gru", light=True)
    (note,) = recommender.read_scenarios(files[1])
    assert "`even` names what the catalog does not have: nobody knows" in note
    found = recommender.recommend(items=["sku03"], k=N_ITEMS, scenario="even", rules={"deny": {"items": ["sku02"]}})
    assert sorted(one.item_id for one in found) == [f"sku{n:02}" for n in range(0, N_ITEMS, 2) if n != 2]
    with pytest.raises(segue.SegueError, match="there is no `evn`"):
        recommender.recommend(items=["sku03"], scenario="evn")


def test_a_shell_takes_rules_and_scenarios_and_says_what_became_of_them(
    shop: Path, files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("recommend", shop / "gru", "--items", "sku03,sku04", "-k", 9, "--exclude", "current", "--rules", files[0])
    ran = Ran(capsys, *asked)
    assert "pin" in ran.out
    assert "note: 6 of 9: 5 are not among what the rules allow; 1 are excluded, since the user had them" in ran.err
    assert "note: `sku04` could not be pinned to place 3: exclude" in ran.err
    answer = Ran(capsys, *asked, "--json").json
    assert [one["source"] for one in answer["items"]] == ["state", "pin", *["state"] * 4]
    assert answer["unmet_pins"] == [{"item_id": "sku04", "place": 3, "because": "exclude"}]
    assert answer["short"]["given"] == len(answer["items"]) == 6
    named = ("--scenarios", files[1], "--scenario", "even")
    ran = Ran(capsys, *asked[:-2], *named, "--json")
    assert all(int(one["item_id"][3:]) % 2 == 0 for one in ran.json["items"])
    assert "`even` names what the catalog does not have" in ran.err
    why = Ran(capsys, *asked, "--explain", "--json").json
    ranks = {one["item_id"]: one["reasons"]["rank_without_rules"] for one in why["items"]}
    plain = Ran(capsys, *asked[:4], "-k", N_ITEMS, "--exclude", "current", "--json").json
    assert ranks == {one["item_id"]: one["rank"] for one in plain["items"] if one["item_id"] in ranks}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--items", "sku03", "--rules", "gone.toml"), "gone.toml cannot be read as rules"),
        (("--items", "sku03", "--rules", "BAD"), "`rules.pin[0].place`: expected `int` >= 1"),
        (("--items", "sku03", "--scenario", "even"), "--scenario is given, and --scenarios is not"),
        (("--items", "sku03", "--scenarios", "SETS"), "--scenarios is given, and --scenario is not"),
        (("--items", "sku03", "--scenarios", "SETS", "--scenario", "od"), "`scenario`: there is no `od`"),
        (("--log", "clicks.csv", "--rules", "RULES"), "--rules and --scenario are for one list"),
        (("--items", "sku01", "--users", "u1"), "--users u1 is for the users of a log"),
        (("--items", "sku01", "--rules", "none.toml"), "none.toml cannot be read as rules: No such file"),
    ],
)
def test_files_that_cannot_be_meant_are_named(
    words: tuple[str, ...], told: str, shop: Path, files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    bad = files[0].with_name("bad.toml")
    bad.write_text('pin = [{ item = "sku07", place = 0 }]')
    given = {"BAD": bad, "RULES": files[0], "SETS": files[1]}
    Ran(capsys, "recommend", shop / "gru", *(given.get(word, word) for word in words)).failed(2, told)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"k": 3.0}, "`k` is 3.0; expected a whole number"),
        ({"k": "3"}, "`k` is '3'; expected a whole number"),
        ({"diversity": "0.3"}, "`diversity` is '0.3'; expected a number from 0"),
        ({"diversity": 0.3, "seed": 1.5}, "`seed` is 1.5; expected a whole number"),
        ({"items": None}, "`items` is None; expected a list of item ids"),
    ],
)
def test_what_is_of_no_use_is_said_and_no_type_error(shop: Path, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(RequestError, match=re.escape(told)):
        segue.load(shop / "gru", light=True).recommend(**{"items": ["sku01"], **asked})


def test_a_moment_in_the_items_table_that_is_none_is_said_before_training(shop: Path, tmp_path: Path) -> None:
    items = tmp_path / "items.csv"
    items.write_text("item_id,available_until\nsku01,2027-01-01\nsku02,someday\n")
    with pytest.raises(ConfigError, match="items: the catalog's column `available_until` of item `sku02` is 'someday'"):
        segue.fit(shop / "clicks.csv", items=items)
