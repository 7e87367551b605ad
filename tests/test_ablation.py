"""Which columns help: networks that differ in what they read alone, on predictions of the validation part."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import segue
from segue.cli import run
from segue.data.encoding import Content, TableEncoder
from segue.errors import ConfigError
from segue.evaluation.report import Value
from segue.training import ablation
from segue.training.ablation import part_of, variants
from segue.training.ablation_report import Without, verdict_of
from segue.training.axes import axes_of

QUICK = {
    "train.epochs": 8,
    "content.alone": 0.3,
    "model.width": 16,
    "train.threads": 1,
    "train.precision": "float32",
    "train.rows": 16,
    "evaluate.replicates": 100,
}
PLAIN = {"train.loss": "full", "model.block": "plain", "model.cosine": 0.0, "train.learning_rate": 0.02}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People stay in one kind of thing, of which there are many; a column tells the kind, another one nothing."""
    rng = np.random.default_rng(2)
    folder = tmp_path_factory.mktemp("shop")
    with (folder / "items.csv").open("w") as file:
        rows = ([f"i{n}", f"kind {n % 4}", int(rng.integers(1000)) / 7] for n in range(160))
        csv.writer(file).writerows([["item_id", "kind", "noise"], *rows])
    log = []
    for user in range(60):
        kind, time = int(rng.integers(4)), 1_000_000_000 + int(rng.integers(1000))
        log += [[f"u{user}", f"i{4 * int(rng.integers(40)) + kind}", time + 100 * number] for number in range(10)]
    with (folder / "log.csv").open("w") as file:
        csv.writer(file).writerows([["user_id", "item_id", "timestamp"], *log])
    return folder


@pytest.fixture(scope="module")
def found(shop: Path) -> ablation.Ablation:
    return segue.ablate(shop / "log.csv", items=shop / "items.csv", settings={**QUICK, **PLAIN}, seeds=2)


def test_each_column_is_left_out_once(found: ablation.Ablation) -> None:
    told = {row.name: row.columns for row in found.rows}
    assert told == {
        "all": ["kind", "noise"],
        "without kind": ["noise"],
        "without noise": ["kind"],
        "ids alone": [],
    }
    assert found.seeds == [1, 2]
    assert all(len(row.epochs) == 2 for row in found.rows)
    assert 0 < found.rare_predictions <= found.predictions


def test_differences_are_paired_means_over_the_seeds(found: ablation.Ablation) -> None:
    full = found.rows[0]
    assert full.difference is None
    for row in found.rows[1:]:
        assert row.difference["difference"] == pytest.approx(row.value.value - full.value.value)
        assert row.difference["difference"] == pytest.approx(np.mean(row.by_seed))
        assert row.difference["low"] <= row.difference["difference"] <= row.difference["high"]
        assert row.rare_difference["difference"] == pytest.approx(row.rare.value - full.rare.value)
    assert len({row.value.value for row in found.rows}) == 4, "networks that read other columns are others"


def test_the_column_that_tells_what_comes_next_is_missed(found: ablation.Ablation) -> None:
    rows = {row.name: row for row in found.rows}
    assert rows["without kind"].rare_difference["high"] < 0
    assert rows["without noise"].value.value > rows["without kind"].value.value
    assert "help: `kind`, all of them together" in found.verdict


def test_the_test_part_is_never_asked(shop: Path) -> None:
    """With other items in the test part every figure stays."""
    rows = [line.split(",") for line in (shop / "log.csv").read_text().splitlines()]
    newest = sorted(rows[1:], key=lambda row: int(row[2]))[-60:]
    for row in newest:
        row[1] = "i0"
    with (shop / "other.csv").open("w") as file:
        csv.writer(file).writerows(rows)
    quick = {**QUICK, **PLAIN, "train.epochs": 1}
    one, other = (
        segue.ablate(shop / name, items=shop / "items.csv", settings=quick, content=["kind"])
        for name in ("log.csv", "other.csv")
    )
    assert [row.name for row in one.rows] == ["all", "ids alone"], "without the only column it is ids alone"
    assert [row.value for row in one.rows] == [row.value for row in other.rows]


def test_columns_are_parted_as_they_were_encoded() -> None:
    table = {"a": [1.5, 2.5, 4.0], "b": [["x"], ["y"], ["x"]], "c": [3.5, 1.0, 9.0]}
    encoder = TableEncoder.fitted(table, ["a", "b", "c"], axes=axes_of)
    content = Content(encoder, encoder.encode(table, 3))
    found = part_of(content, ["a", "c"])
    assert np.array_equal(found.numbers, found.encoder.encode(table, 3))
    assert list(found.encoder.columns) == ["a", "c"]
    assert part_of(content, []) is None
    assert [name for name, _ in variants(encoder)] == ["all", "without a", "without b", "without c", "ids alone"]


def row(name: str, columns: list[str], low: float | None, high: float | None) -> Without:
    nothing = {"value": Value(0.1), "rare": Value(None), "rare_difference": None, "epochs": [1], "by_seed": []}
    difference = None if name == "all" else {"difference": 0.0, "low": low, "high": high, "p": 0.5}
    return Without(name=name, columns=columns, difference=difference, seconds=1.0, **nothing)  # type: ignore[arg-type]


def test_the_verdict_names_what_helps_and_what_does_not() -> None:
    rows = [
        row("all", ["a", "b", "c"], None, None),
        row("without a", ["b", "c"], -0.2, -0.1),
        row("without b", ["a", "c"], 0.1, 0.2),
        row("without c", ["a", "b"], -0.1, 0.1),
        row("ids alone", [], -0.3, -0.2),
    ]
    expected = "ndcg@10 on validation: help: `a`, all of them together; hurt: `b`; cannot be told from nothing: `c`"
    assert verdict_of(rows, "ndcg@10") == expected
    assert verdict_of(rows[:1], "ndcg@10").endswith("nothing to compare")


def test_a_stopped_ablation_tells_what_it_has(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, calls = ablation.choose_network, []

    def stopped(*given):
        calls.append(given)
        made = plain(*given)
        return made._replace(interrupted=len(calls) > 1)

    monkeypatch.setattr(ablation, "choose_network", stopped)
    quick = {**QUICK, **PLAIN, "train.epochs": 1}
    found = segue.ablate(shop / "log.csv", items=shop / "items.csv", settings=quick)
    assert found.interrupted
    assert [row.name for row in found.rows] == ["all"]
    with pytest.raises(segue.SegueError, match="interrupted before"):
        segue.ablate(shop / "log.csv", items=shop / "items.csv", settings=quick)


def test_the_command_prints_a_table_or_json(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["ablate", str(shop / "log.csv"), "--items", str(shop / "items.csv"), "--columns", "kind"]
    for name, value in {**QUICK, **PLAIN, "train.epochs": 1}.items():
        given += ["--set", f"{name}={value}"]
    assert run(given) == 0
    out = capsys.readouterr().out
    assert "the network reads" in out
    assert "ids alone" in out
    assert run([*given, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"metric", "predictions", "rows", "verdict"} <= told.keys()
    assert told["rows"][1]["difference"].keys() == {"difference", "low", "high", "p"}


def test_what_cannot_be_left_out_is_told_before_anything_is_learned(shop: Path) -> None:
    given = {"items": shop / "items.csv", "settings": QUICK}
    with pytest.raises(ConfigError, match=r"no column `kindd` .did you mean `kind`"):
        segue.ablate(shop / "log.csv", content=["kindd"], **given)
    with pytest.raises(ConfigError, match="nothing to leave out"):
        segue.ablate(shop / "log.csv", items=shop / "items.csv", settings={**QUICK, "content.columns": []})
    with pytest.raises(ConfigError, match="seeds is 0"):
        segue.ablate(shop / "log.csv", seeds=0, **given)
