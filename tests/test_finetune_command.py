"""`segue finetune` and `segue.finetune`: from a model and another log to a model that is served."""

from __future__ import annotations

from pathlib import Path

import pytest

import segue
from segue.artifact import load_artifact
from segue.artifact.home import checked
from segue.training.finetuning.report import SCRATCH
from small_shop import SETTINGS, Ran, clicks, copied, text_of

OPEN = {key: value for key, value in SETTINGS.items() if key != "model.width"}
QUICK = [word for key, value in OPEN.items() for word in ("--set", f"{key}={value}")]


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The trained shop, and log and items of another one, whose things are called otherwise."""
    folder = copied(tmp_path_factory, tmp_path)
    rows = [(user, item.replace("sku", "art"), at) for user, item, at in clicks(seed=8)]
    (folder / "other.csv").write_text(text_of(rows))
    items = [f"art{item:02},Thing {item},{'odd' if item % 2 else 'even'}" for item in range(12)]
    (folder / "other-items.csv").write_text("\n".join(["item_id,title,categories", *items]) + "\n")
    monkeypatch.chdir(folder)
    return folder


def test_another_catalog_begins_with_a_model_and_is_served(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--items", "other-items.csv", "--report", "--shares", "50,100", "--draws", "1", *QUICK]
    ran = Ran(capsys, "finetune", "gru", "other.csv", "--out", "next", *given, "--json")
    told, artifact = ran.json, checked(shop / "next")
    assert told["finetuned_of"] == artifact.facts.finetuned_of == load_artifact("gru").version
    assert told["version"] == artifact.version
    assert [row["share"] for row in told["transfer"]["shares"]] == [50, 100]
    assert set(told["transfer"]["shares"][0]["against"]) == {SCRATCH, "sknn", "popularity"}
    assert "12 from content, as the source reads it" in ran.err
    model = segue.load("next", light=True)
    assert {one.item_id[:3] for one in model.recommend(items=["art03"], k=5)} == {"art"}
    assert model.transfer_report.shares[1].values["finetuned"].value is not None
    assert segue.load("gru").transfer_report is None
    assert Ran(capsys, "evaluate", "next", "other.csv", "--json").json["rows"]
    again = Ran(capsys, "finetune", "gru", "other.csv", "--out", "next", *QUICK, "--overwrite")
    assert again.status == 0, again.err
    assert SCRATCH not in again.out


@pytest.mark.usefixtures("shop")
def test_a_report_is_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--report", "--shares", "50", "--draws", "2", *QUICK]
    ran = Ran(capsys, "finetune", "gru", "other.csv", "--out", "next", *given)
    assert ran.status == 0, ran.err
    for words in ("by the share of training users", "50 %", "2 draws", SCRATCH, "at 50 % too few test users to tell"):
        assert words in ran.out


@pytest.mark.usefixtures("shop")
def test_in_python_it_is_a_model_that_one_may_save() -> None:
    made = segue.finetune("gru", "other.csv", items="other-items.csv", settings=OPEN)
    assert made.bundle.version == "unsaved"
    made.save("mine")
    assert segue.load("mine").artifact.facts == made.artifact.facts


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["other.csv", "--out", "gru"], 1, ["gru exists already"]),
        (["none.csv", "--out", "next"], 1, ["none.csv"]),
        (["other.csv", "--out", "next", "--set", "model.width=9"], 2, ["model.width is 9", "has 8"]),
        (["other.csv", "--out", "next", "--set", "finetune.tabel=anew"], 2, ["did you mean `finetune.table`"]),
        (["other.csv", "--out", "next", "--report", "--shares", "many"], 2, ["--shares is `many`"]),
        (["other.csv", "--out", "next", "--same-items"], 2, ["no item of the log has the id of one of the source"]),
    ],
)
@pytest.mark.usefixtures("shop")
def test_what_cannot_be_meant_is_told(
    arguments: list[str], status: int, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Ran(capsys, "finetune", "gru", *arguments).failed(status, *words)
    assert not Path("next").exists()
