"""The command line: results on stdout, all else on stderr, and a status that tells what became of it."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import polars as pl
import pytest

from segue import api
from segue.choices import read_toml
from segue.cli import app
from segue.models.build import BASELINES
from small_shop import METRICS, N_ITEMS, N_USERS, SETTINGS, SMALL, Ran, copied, write_shop

Capture = pytest.CaptureFixture[str]
COMMANDS = (
    "inspect",
    "ablate",
    "pack",
    "train",
    "tune",
    "update",
    "evaluate",
    "frontier",
    "compare",
    "recommend",
    "similar",
    "serve",
    "publish",
    "rollback",
    "key",
    "backfill",
    "replay",
    "stress",
    "forget",
)


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    return copied(tmp_path_factory, tmp_path)


def assert_report(report: Any) -> None:
    assert {"split", "rows"} <= set(report)
    assert {row["model"] for row in report["rows"]} == {"gru", *BASELINES}
    for row in report["rows"]:
        assert row["baseline"] == (row["model"] != "gru")
        assert row["predictions"] == report["split"]["predictions"] > 0
        assert row["seconds"] is None or row["seconds"] >= 0
        assert set(row["metrics"]) >= METRICS
        for name in METRICS:
            value = row["metrics"][name]
            assert 0 <= value["low"] <= value["value"] <= value["high"] <= 1


def test_inspect_measures_the_log_and_proposes_settings(shop: Path, capsys: Capture) -> None:
    answer = Ran(capsys, "inspect", shop / "clicks.csv", "--json").json
    counts = {name: answer["measures"][name] for name in ("events", "users", "items", "sessions")}
    assert counts == {"events": 480, "users": 40, "items": 12, "sessions": 80}
    assert {"split.kind": "time", "sessions.gap": 1800.0}.items() <= {
        one["key"]: one["value"] for one in answer["proposals"]
    }.items()
    told = Ran(capsys, "inspect", shop / "clicks.csv")
    assert "480" in told.out
    assert "note: " in told.err
    assert "note: " not in told.out


def test_evaluate_and_compare_report_every_metric_of_every_model(shop: Path, capsys: Capture) -> None:
    log, items = shop / "clicks.csv", shop / "items.csv"
    evaluated = Ran(capsys, "evaluate", shop / "gru", log, "--json").json
    compared = Ran(capsys, "compare", log, "--items", items, *SMALL, "--json").json
    assert_report(evaluated)
    assert_report(compared)
    metrics = [{row["model"]: row["metrics"] for row in report["rows"]} for report in (evaluated, compared)]
    assert metrics[0] == metrics[1]


def test_tables_stand_on_stdout_and_notes_on_stderr(shop: Path, capsys: Capture) -> None:
    trained = Ran(capsys, "train", shop / "clicks.csv", "--out", shop / "new", *SMALL)
    for ran in (trained, Ran(capsys, "evaluate", shop / "new", shop / "clicks.csv")):
        assert ran.status == 0
        assert "ndcg@10" in ran.out
        assert "note: times read as Unix seconds" in ran.err
        assert not {"note: ", "proposed", "epoch 1 of 1", "segue serve"} & {w for w in WORDS if w in ran.out}
    assert {w for w in WORDS if w in trained.err} == set(WORDS)


WORDS = ("note: ", "proposed", "epoch 1 of 1", "segue serve")


def test_train_answers_in_json_with_the_folder_and_the_report(shop: Path, capsys: Capture) -> None:
    answer = Ran(capsys, "train", shop / "clicks.csv", "--out", shop / "new", *SMALL, "--json").json
    assert answer["model"] == str(shop / "new")
    assert answer["version"] == api.load(shop / "new").bundle.version
    assert_report(answer["report"])


def test_recommend_after_items_names_titles_and_unknown_items(shop: Path, capsys: Capture) -> None:
    ran = Ran(capsys, "recommend", shop / "gru", "--items", "sku03,nothing,sku04", "-k", 3, "--exclude", "seen")
    assert ran.status == 0
    assert "Thing " in ran.out
    assert "not in the catalog: nothing" in ran.err
    answer = Ran(capsys, "recommend", shop / "gru", "--items", "sku03,nothing,sku04", "-k", 3, "--json").json
    assert [one["rank"] for one in answer["items"]] == [1, 2, 3]
    assert all(one["title"] == f"Thing {int(one['item_id'][3:])}" for one in answer["items"])
    assert answer["unknown_items"] == ["nothing"]


def test_lists_of_all_users_are_the_same_wherever_they_go(shop: Path, capsys: Capture) -> None:
    asked = ("recommend", shop / "gru", "--log", shop / "clicks.csv", "--users", "all", "-k", 3)
    ran = Ran(capsys, *asked)
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert list(rows[0]) == ["user_id", "item_id", "score", "rank"]
    assert len(rows) == 3 * N_USERS
    expected = [(row["user_id"], row["item_id"], int(row["rank"])) for row in rows]
    lines = [msgspec.json.decode(line) for line in Ran(capsys, *asked, "--json").out.splitlines()]
    assert [(line["user_id"], line["item_id"], line["rank"]) for line in lines] == expected
    for name, read in (("l.parquet", pl.read_parquet), ("l.csv", pl.read_csv), ("l.jsonl", pl.read_ndjson)):
        ran = Ran(capsys, *asked, "--out", shop / name)
        assert (ran.status, ran.out) == (0, "")
        assert "120 rows" in ran.err
        assert read(shop / name).select("user_id", "item_id", "rank").rows() == expected
    assert {file.name for file in shop.iterdir()} == {"clicks.csv", "items.csv", "gru", "l.parquet", "l.csv", "l.jsonl"}


def test_lists_for_some_users_name_no_others(shop: Path, capsys: Capture) -> None:
    ran = Ran(capsys, "recommend", shop / "gru", "--log", shop / "clicks.csv", "--users", "u7,u3")
    assert {row["user_id"] for row in csv.DictReader(io.StringIO(ran.out))} == {"u3", "u7"}


def test_a_list_is_explained_by_the_events_of_a_user_and_what_others_did(shop: Path, capsys: Capture) -> None:
    asked = ("recommend", shop / "gru", "--log", shop / "clicks.csv", "--users", "u7", "-k", 3)
    plain = [row["item_id"] for row in csv.DictReader(io.StringIO(Ran(capsys, *asked).out))]
    answer = Ran(capsys, *asked, "--explain", "--json").json
    assert [one["item_id"] for one in answer["items"]] == plain
    for rank, one in enumerate(answer["items"], 1):
        assert one["reasons"]["rank_without_rules"] == one["rank"] == rank
        strengths = [abs(event["difference"]) for event in one["reasons"]["events"]]
        assert len(strengths) == 3
        assert strengths == sorted(strengths, reverse=True)
    asked = ("recommend", shop / "gru", "--items", "sku03,sku04", "-k", N_ITEMS, "--exclude", "none", "--explain")
    ran = Ran(capsys, *asked)
    assert "moved by" in ran.out
    assert "Thing 4 +" in ran.out or "Thing 4 -" in ran.out
    (five,) = (one for one in Ran(capsys, *asked, "--json").json["items"] if one["item_id"] == "sku05")
    (followed,) = (one for one in five["reasons"]["followed"] if one["item_id"] == "sku04")
    assert f"Thing 4 {followed['times']} of {followed['of']} times" in ran.out
    assert followed["of"] > followed["times"] > followed["of"] / 2


def test_similar_names_every_other_item_once(shop: Path, capsys: Capture) -> None:
    answer = Ran(capsys, "similar", shop / "gru", "--item", "sku05", "-k", 99, "--json").json
    assert {one["item_id"] for one in answer["items"]} == {f"sku{n:02}" for n in range(N_ITEMS) if n != 5}
    assert Ran(capsys, "similar", shop / "gru", "--item", "sku05").out.count("Thing") == 10


def test_settings_from_file_and_options_reach_the_saved_config(shop: Path, capsys: Capture) -> None:
    (shop / "mine.toml").write_text("[train]\nrows = 4\nclip = 2.5\n")
    options = ("--seed", 9, "--split", "leave-one-out", "--exclude", "seen", "--set", "train.clip=3.5")
    asked = ("train", shop / "clicks.csv", "--out", shop / "new", "--config", shop / "mine.toml")
    assert Ran(capsys, *asked, *options, *SMALL).status == 0
    saved = read_toml(shop / "new" / "config.toml")
    assert (saved["seed"], saved["split"]["kind"], saved["evaluate"]["exclude"]) == (9, "leave-one-out", "seen")
    assert (saved["train"]["rows"], saved["train"]["clip"], saved["model"]["width"]) == (4, 3.5, 8)


def test_a_model_is_replaced_only_when_asked_and_other_folders_never(shop: Path, capsys: Capture) -> None:
    asked = ("train", shop / "clicks.csv", "--model", "markov", *SMALL)
    Ran(capsys, *asked, "--out", shop / "gru").failed(1, "exists already", "--overwrite")
    assert api.load(shop / "gru").bundle.name == "gru"
    assert Ran(capsys, *asked, "--out", shop / "gru", "--overwrite").status == 0
    assert api.load(shop / "gru").bundle.name == "markov"
    (shop / "thesis").mkdir()
    (shop / "thesis" / "one.tex").write_text("years of work")
    Ran(capsys, *asked, "--out", shop / "thesis", "--overwrite").failed(1, "holds no model of segue")
    assert (shop / "thesis" / "one.tex").read_text() == "years of work"


@pytest.mark.parametrize(("stage", "epoch"), [("gru: choosing", 2), ("gru: refit", 1)])
def test_a_training_that_was_killed_goes_on_to_the_same_weights(
    stage: str, epoch: int, shop: Path, capsys: Capture
) -> None:
    log, out, settings = shop / "clicks.csv", shop / "new", {**SETTINGS, "train.epochs": 2}

    def killed(at: str, progress: Any) -> None:
        if (at, progress.epoch) == (stage, epoch):
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        api.train(api.prepare(log, settings=settings), "gru", out, show=killed)
    assert not out.exists()
    asked = ("train", log, "--out", out, *SMALL, "--set", "train.epochs=2")
    Ran(capsys, *asked).failed(1, "holds an unfinished training", "--resume")
    assert Ran(capsys, *asked, "--resume").status == 0
    api.train(api.prepare(log, settings=settings), "gru", shop / "whole")
    assert (out / "model.safetensors").read_bytes() == (shop / "whole" / "model.safetensors").read_bytes()
    assert not list(shop.glob(".*"))


def test_a_log_is_read_from_standard_input(shop: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO((shop / "clicks.csv").read_bytes())))
    assert Ran(capsys, "inspect", "-", "--json").json["measures"]["events"] == 480


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_says_what_it_is_for(name: str, capsys: Capture) -> None:
    ran = Ran(capsys, name, "--help")
    assert ran.status == 0
    assert ran.out.startswith(f"Usage: segue {name}")
    arguments = [one for one in app[name].assemble_argument_collection() if one.name != "*"]
    assert arguments
    assert [one.name for one in arguments if not one.parameter.help] == []


def test_all_commands_are_listed_and_tested(capsys: Capture) -> None:
    assert {name for name in app if not name.startswith("-")} == {*COMMANDS, "store"}
    assert all(name in Ran(capsys, "--help").out for name in COMMANDS)


def test_help_imports_neither_torch_nor_polars() -> None:
    code = (
        "import sys; from segue.cli import run; status = run(['--help'])\n"
        "sys.exit(status or sorted({'torch', 'polars'} & set(sys.modules)) or 0)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    assert "Usage: segue" in found.stdout


def test_ctrl_c_outside_of_a_training_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("segue.api.prepare", stopped)
    write_shop(tmp_path)
    told = Ran(capsys, "train", tmp_path / "clicks.csv", "--out", tmp_path / "model")
    assert told.status == 130
    assert told.err.endswith("interrupted\n")


def test_a_key_is_printed_once_and_its_file_is_taken_by_the_server(tmp_path: Path, capsys: Capture) -> None:
    ran = Ran(capsys, "key", tmp_path / "keys.toml", "--name", "shop", "--rate", "5")
    assert (ran.status, len(ran.out.strip())) == (0, 43)
    assert ran.out.strip() not in ran.err
    assert ran.out.strip() not in (tmp_path / "keys.toml").read_text()
    Ran(capsys, "key", tmp_path / "keys.toml", "--name", "shop").failed(2, "has a key `shop` already")


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["--refold-events", "0"], 2, "--refold-events is 0"),
        (["--keep", "a year"], 2, "--keep is `a year`"),
        (["--deadline", "0s"], 2, "--deadline is `0s`"),
        (["--keys", "missing.toml"], 2, "missing.toml cannot be read as a file of keys"),
        (["--scenarios", "missing.toml"], 2, "missing.toml cannot be read as scenarios"),
        (["--host", "0.0.0.0"], 1, "there are no keys"),
    ],
)
def test_a_server_that_cannot_be_meant_is_refused(
    arguments: list[str], status: int, told: str, shop: Path, tmp_path: Path, capsys: Capture
) -> None:
    Ran(capsys, "serve", shop / "gru", "--store", tmp_path / "store", *arguments).failed(status, told)
    assert not list((tmp_path).glob("store/*/*.db-wal")), "what was opened is closed"


def test_a_log_is_put_into_a_store_and_goes_on(shop: Path, tmp_path: Path, capsys: Capture) -> None:
    command = ("backfill", shop / "gru", shop / "clicks.csv", "--store", tmp_path / "store", "--shards", "2")
    first = Ran(capsys, *command)
    assert first.status == 0
    assert "480 events of" in first.err
    again = Ran(capsys, *command)
    assert "0 events of 0 users stored" in again.err
    assert "were in the store already, and are as they were" in again.err
