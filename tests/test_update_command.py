"""`segue update` and `segue.update`: from files to a model, and what cannot be meant is told before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

import segue
from segue.artifact import load_artifact
from segue.artifact.current import read_current
from segue.artifact.home import checked, publish
from segue.cli import run
from segue.errors import WorseUpdateError
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.store.folder import StoreFolder
from small_shop import N_ITEMS, Ran, clicks, copied, text_of

Row = tuple[str, str, int]


def new_days(start: int = 1_600_300_000) -> list[Row]:
    """Clicks of days after those of the shop's log; one item is called otherwise, as if it were new."""
    return [(user, item.replace("sku07", "sku12"), at) for user, item, at in clicks(seed=8, start=start)]


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The trained shop, and a file with its new days, in the folder that one is in."""
    folder = copied(tmp_path_factory, tmp_path)
    (folder / "new.csv").write_text(text_of(new_days()))
    monkeypatch.chdir(folder)
    return folder


def test_a_model_is_updated_judged_and_published(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, "update", "gru", "--log", "new.csv", "--out", "next", "--json")
    told = ran.json
    artifact = checked(shop / "next")
    assert told["version"] == artifact.version == read_current_after_publishing(shop)
    report = told["report"]
    assert report["update_of"] == load_artifact("gru").version
    assert report["events"] == len(new_days())
    assert report["items"] == 1
    assert report["changes"][0]["part"] == "new events"
    assert set(report["changes"][0]["difference"]) == {"difference", "low", "high", "p"}
    assert list(artifact.catalog.ids)[:N_ITEMS] == list(load_artifact("gru").catalog.ids)
    assert artifact.catalog.ids[N_ITEMS] == "sku12"
    assert "note: 1 item is new" in ran.err
    again = Ran(capsys, "update", "gru", "--log", "new.csv", "--out", "next", "--overwrite")
    assert "before and after" in again.out
    assert "the model is in next" in again.err
    assert segue.load("next").update_report.events == len(new_days())
    assert run(["evaluate", "next", "new.csv"]) == 1, "all of these events are known to it now"


def read_current_after_publishing(shop: Path) -> str:
    publish(shop / "gru", shop / "home")
    publish(shop / "next", shop / "home")
    return read_current(shop / "home").version


def test_what_a_store_exports_is_a_log_to_update_by(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = Engine(Bundle.of(load_artifact("gru", light=True)), StoreFolder(shop / "store", shards=1))
    for user, item, at in new_days():
        engine.observe([LiveEvent(user, item, float(at))])
    engine.close()
    assert run(["store", "export", "store", "--out", "export.parquet"]) == 0
    told = Ran(capsys, "update", "gru", "--log", "export.parquet", "--out", "next", "--json").json
    assert told["report"]["events"] == len(new_days())


def test_items_alone_and_withdrawn_ones(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("new-items.csv").write_text(
        "item_id,title,categories\nsku12,Thing 12,even\nsku00,Thing nought,even\nsku12,Again,odd\n"
    )
    Path("gone.csv").write_text("item_id\nsku03\n")
    given = ["--items", "new-items.csv", "--withdraw", "gone.csv"]
    ran = Ran(capsys, "update", "gru", *given, "--out", "next", "--json")
    assert (ran.json["report"]["items"], ran.json["report"]["withdrawn"]) == (1, 1)
    assert "stay valid" in ran.err
    assert "1 rows left out: the item has a row already" in ran.err
    assert "11 of 12 known items are not in the items table" in ran.err
    model = segue.load("next")
    assert model.bundle.title_of("sku12") == "Thing 12"
    assert model.artifact.facts.core_version == load_artifact("gru").version
    listed = [one.item_id for one in model.recommend(items=["sku02"], k=20)]
    assert "sku12" in listed
    assert "sku03" not in listed
    assert model.similar("sku12")[0].title
    assert model.bundle.title_of("sku00") == "Thing nought"


def test_in_python_it_is_a_model_that_one_may_save(shop: Path) -> None:
    before = segue.load("gru")
    after = before.update("new.csv", withdraw=["sku01"], settings={"update": {"freeze": "both"}})
    assert after.update_report.states_stay
    assert before.update_report is None
    assert after.bundle.version == "unsaved"
    after.save("mine")
    assert segue.load("mine").update_report == after.update_report
    assert segue.load("mine").trained_report == before.trained_report
    found = segue.update("gru", "new.csv", out="next", withdraw=["sku01"], settings={"update.freeze": "both"})
    assert found.update_report.changes == after.update_report.changes


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--log", "new.csv", "--out", "gru"], 1, ["gru exists already"]),
        (["--out", "next"], 2, ["nothing to update by"]),
        (["--log", "none.csv", "--out", "next"], 1, ["none.csv"]),
        (["--log", "clicks.csv", "--out", "next", "--set", "model.width=9"], 2, ["`model.width` goes with the model"]),
        (["--log", "new.csv", "--out", "next", "--set", "update.frieze=core"], 2, ["did you mean `update.freeze`"]),
        (["--log", "new.csv", "--out", "next", "--set", "update.freeze=all"], 2, ["one of none, core, items, both"]),
        (["--log", "new.csv", "--out", "next", "--withdraw", "items.csv", "--items-col", "no"], 2, ["`no`"]),
    ],
)
@pytest.mark.usefixtures("shop")
def test_what_cannot_be_meant_is_told(
    arguments: list[str], status: int, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Ran(capsys, "update", "gru", *arguments).failed(status, *words)
    assert not Path("next").exists()


def test_a_refused_update_shows_why_and_writes_nothing(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rising = iter(range(100))
    monkeypatch.setattr("segue.training.updating.learning.validation_metric", lambda *_: next(rising))
    monkeypatch.setattr("segue.training.updating.forgetting.Change.worse", True)
    ran = Ran(capsys, "update", "gru", "--log", "new.csv", "--out", "next", "--json")
    assert ran.status == 1
    assert msgspec.json.decode(ran.out)["report"]["worse"] is True
    assert "--force" in ran.err
    assert not Path("next").exists()
    with pytest.raises(WorseUpdateError):
        segue.update("gru", "new.csv")
    assert (
        Ran(capsys, "update", "gru", "--log", "new.csv", "--out", "next", "--force", "--json").json["model"] == "next"
    )


def test_an_older_model_without_a_sample_goes_on(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = shop / "gru" / "segue.json"
    manifest: dict[str, Any] = msgspec.json.decode(file.read_bytes())
    del manifest["files"]["replay.safetensors"]
    assert not {"update_of", "core_version"} & set(manifest["facts"]), "as it was before there were updates"
    file.write_bytes(msgspec.json.encode(manifest))
    (shop / "gru" / "replay.safetensors").unlink()
    ran = Ran(capsys, "update", "gru", "--log", "new.csv", "--out", "next", "--json")
    assert ran.json["report"]["replayed"] == 0
    assert "keeps no sample of old sequences" in ran.err
