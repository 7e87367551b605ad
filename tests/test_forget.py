"""`segue forget` from end to end: a store, a log and a model of which some users are taken out."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import segue
from replay_file import hash_of, replay, with_file
from segue.artifact import load_artifact, read_manifest, replay_of
from segue.artifact.home import publish
from segue.artifact.replay_rows import REPLAY, user_hash
from segue.cli import run
from segue.data.log import read_log
from segue.errors import ConfigError, RequestError, SegueError
from segue.forgetting.traces import traces_of
from small_shop import N_USERS, Ran, clicks, copied, text_of
from valkey_servers import common_server, url_of

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    """A folder with clicks.csv, items.csv, the model `gru` and the store `events` of all clicks."""
    folder = copied(tmp_path_factory, tmp_path)
    assert run(["backfill", str(folder / "gru"), str(folder / "clicks.csv"), "--store", str(folder / "events")]) == 0
    return folder


def files_in(folder: Path) -> dict[str, bytes]:
    """The files of a folder, but for what SQLite and a lock write as a store is opened."""
    files = [file for file in folder.rglob("*") if file.is_file() and not file.name.endswith(("-wal", "-shm", ".lock"))]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_a_user_goes_from_the_store_and_the_log_and_what_remains_is_said(shop: Path, capsys: Capture) -> None:
    rows = clicks()
    theirs = [row for row in rows if row[0] in ("u7", "u8")]
    cutoff = read_manifest(shop / "gru").facts.cutoff
    assert cutoff is not None
    where = ["--store", shop / "events", "--log", shop / "clicks.csv"]
    model = files_in(shop / "gru")
    before = files_in(shop)
    told = Ran(capsys, "forget", shop / "gru", "--user", "u7", "--user=u8", *where, "--dry-run", "--json").json
    assert files_in(shop) == before
    assert told["dry_run"] is True
    ran = Ran(capsys, "forget", shop / "gru", "--user", "u7", "--user=u8", "--user", "who", *where, "--json")
    answer = ran.json
    assert answer.pop("at") >= told.pop("at")
    assert (told.pop("dry_run"), answer.pop("dry_run")) == (True, False)
    assert told["stores"][0].pop("files") == 0
    assert answer["stores"][0].pop("files") == 1
    assert (answer.pop("not_found"), told.pop("not_found")) == (["who"], [])
    assert answer == told
    assert "warning: user 'who' is nowhere" in ran.err
    assert answer["stores"] == [{"place": str(shop / "events"), "users": 2, "events": len(theirs)}]
    assert answer["logs"] == [{"place": str(shop / "clicks.csv"), "users": 2, "rows": len(theirs)}]
    assert answer["first"] == theirs[0][2]
    (found,) = answer["models"]
    assert found["learned"] == sum(time < cutoff for *_, time in theirs)
    assert found["same_log"] is True
    assert (answer["base"], answer["retrained"]) == (None, None)
    assert (shop / "clicks.csv").read_text() == text_of([row for row in rows if row[0] not in ("u7", "u8")])
    after, kept = files_in(shop / "gru"), {"segue.json", "replay.safetensors"}
    changed = {name for name in model if after[name] != model[name]}
    assert changed == kept, "weights are as they were, and what is learned from again is without them"
    assert found["sequences"] == 2
    replay = replay_of(load_artifact(shop / "gru"))
    assert replay is not None
    assert len(replay.user) == len({row[0] for row in rows}) - 2
    assert not np.isin([user_hash("u7"), user_hash("u8")], replay.user).any()
    assert f"{found['learned']} were theirs, " in answer["remains"][0]
    assert "changes no weight and no count" in " ".join(answer["remains"])
    for text in answer["remains"]:
        assert "u7" not in text
    info = Ran(capsys, "store", "info", shop / "events").json
    assert (info["users"], info["events"]) == (N_USERS - 2, len(rows) - len(theirs))
    Ran(capsys, "forget", shop / "gru", "--user", "u7", *where).failed(
        1, "user 'u7' is not in", "clicks.csv: nothing was there to be forgotten"
    )


@pytest.mark.parametrize("home", [False, True])
def test_sequences_that_a_model_keeps_go_from_every_version(shop: Path, capsys: Capture, home: bool) -> None:
    data = safetensors.numpy.save(replay(["u7", "u1", "only in the replay"], [2, 3, 4]))
    folder = with_file(shop / "gru", REPLAY, data)
    if home:
        assert run(["publish", str(folder), str(shop / "versions")]) == 0
        folder = shop / "versions"
    words = ["--user", "u7", "--user", "only in the replay", "--log", shop / "clicks.csv"]
    told = Ran(capsys, "forget", folder, *words, "--dry-run", "--json").json
    ran = Ran(capsys, "forget", folder, *words)
    assert "2 sequences" in ran.out
    assert (told["users"], told["models"][0]["sequences"], told["not_found"]) == (2, 2, [])
    left = safetensors.numpy.load((Path(told["models"][0]["place"]) / REPLAY).read_bytes())
    assert left["user"].tolist() == [hash_of("u1")]
    assert segue.load(folder).recommend(items=["sku01"])


def test_a_store_in_valkey_is_named_as_servers_name_it(shop: Path, capsys: Capture) -> None:
    url = url_of(common_server(), shop)
    assert run(["backfill", str(shop / "gru"), str(shop / "clicks.csv"), "--store", url]) == 0
    answer = Ran(capsys, "forget", shop / "gru", "--user", "u7", "--store", url, "--json").json
    assert [(one["users"], one["events"], one["files"]) for one in answer["stores"]] == [(1, 12, 0)]
    assert (answer["logs"], answer["models"][0]["learned"]) == ([], None)
    assert "how many were theirs is not known, since no log was named" in answer["remains"][0]
    assert Ran(capsys, "store", "info", url).json["events"] == 468


def test_it_reads_like_a_report(shop: Path, capsys: Capture) -> None:
    (shop / "gone.txt").write_text("u1\r\nu2\n\nnobody\n")
    ran = Ran(capsys, "forget", shop / "gru", "--users", shop / "gone.txt", "--log", shop / "clicks.csv")
    assert ran.status == 0, ran.err
    assert "forgotten at 20" in ran.out
    assert "24 rows" in ran.out
    assert "- backups, exports and copies of a log" in ran.out
    assert "warning: user 'nobody' is nowhere" in ran.err


def test_a_model_that_learned_nothing_of_them_is_said_to_be_clean(shop: Path) -> None:
    log = shop / "clicks.csv"
    late = int(read_manifest(shop / "gru").facts.cutoff or 0) + 5
    with log.open("a") as file:
        file.write(f"late,sku00,{late}\nlate,new,{late + 1}\n")
    answer = segue.forget(shop / "gru", ["late"], log=log, dry_run=True)
    assert answer.models[0].learned == 0
    assert answer.base == str(shop / "gru")
    assert "none of these were theirs" in answer.remains[0]
    assert not [line for line in answer.remains if "changes no weight" in line]


def test_a_version_older_than_their_first_event_goes_on_without_them(shop: Path) -> None:
    log, before = shop / "clicks.csv", read_manifest(shop / "gru")
    late = int(before.facts.cutoff or 0) + 5
    with log.open("a") as file:
        file.write(f"late,sku00,{late}\nlate,new,{late + 1}\n")
    said = list[str]()
    answer = segue.forget(shop / "gru", ["late"], log=log, retrain=True, out=shop / "newer", say=said.append)
    assert answer.retrained == str(shop / "newer")
    assert any("learned nothing from them: it goes on" in line for line in said)
    made = segue.load(shop / "newer")
    assert made.artifact.facts.update_of == segue.load(shop / "gru").artifact.version
    assert (made.artifact.facts.cutoff or 0) > (before.facts.cutoff or 0)
    assert "new" not in made.artifact.catalog.ids.places


def test_a_model_that_kept_their_sequences_has_learned_from_them_whatever_the_log_says(shop: Path) -> None:
    late = int(read_manifest(shop / "gru").facts.cutoff or 0) + 5
    (shop / "later.csv").write_text(
        f"user_id,item_id,timestamp\nu7,sku00,{late}\nu7,sku01,{late + 1}\nu8,sku01,{late}\n"
    )
    answer = segue.forget(shop / "gru", ["u7"], log=shop / "later.csv", dry_run=True)
    (found,) = answer.models
    assert (found.sequences, found.learned, answer.base) == (1, None, None)
    assert not any("none of these were theirs" in line for line in answer.remains)


def test_who_was_forgotten_in_a_model_is_forgotten_where_it_is_published_again(shop: Path) -> None:
    publish(shop / "gru", shop / "versions")
    segue.forget(shop / "gru", ["u7"], log=shop / "clicks.csv")
    current = publish(shop / "gru", shop / "versions")
    kept = replay_of(load_artifact(shop / "versions" / current.version))
    assert kept is not None
    assert user_hash("u7") not in kept.user.tolist()


def test_items_that_only_they_had_are_named_and_another_log_is_told_apart(shop: Path) -> None:
    log = shop / "clicks.csv"
    log.write_text(text_of([row for row in clicks() if row[1] != "sku03" or row[0] == "u5"]))
    answer = segue.forget(shop / "gru", ["u5"], log=[str(log)], dry_run=True)
    (model,) = answer.models
    assert (model.alone, model.same_log) == (["sku03"], False)
    assert any("1 of its items have events of nobody else (sku03)" in line for line in answer.remains)
    assert "by a log that differs from the one it learned from" in answer.remains[0]


def test_what_several_logs_say_is_put_together(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user_id,item_id,time\nu1,a,5\nu1,b,6\nu1,c,7\nu2,c,1\n")
    (tmp_path / "b.csv").write_text("user_id,item_id,time\nu1,d,2\nu3,a,8\n")
    (tmp_path / "bad.csv").write_text("user_id,item_id,time\nu1,d,never\n")
    names = [str(tmp_path / name) for name in ("a.csv", "b.csv", "bad.csv")]
    found = traces_of(names, {}, frozenset(["u1"]), [4.0])
    assert (sorted(found.times), found.events, found.alone, found.prints) == ([2, 5, 6, 7], 4, {"b", "d"}, {})
    assert "bad.csv was not looked through" in found.notes[0]


@pytest.mark.parametrize("packed", [False, True])
def test_a_model_is_trained_anew_without_them(shop: Path, capsys: Capture, packed: bool) -> None:
    log, new = shop / "clicks.csv", shop / "new"
    if packed:
        assert run(["pack", str(log), "--out", str(shop / "packed")]) == 0
        log = shop / "packed"
    ran = Ran(capsys, "forget", shop / "gru", "--user", "u7", "--log", log, "--retrain", "--out", new, "--json")
    assert ran.json["retrained"] == str(new)
    old, made = load_artifact(shop / "gru"), load_artifact(new)
    assert made.settings == old.settings
    assert made.facts.name == "gru"
    assert made.catalog.columns["title"] == old.catalog.columns["title"]
    fresh = shop / "fresh"
    text = text_of([row for row in clicks() if row[0] != "u7"])
    (shop / "rest.csv").write_text(text)
    train = ["train", str(shop / "rest.csv"), "--config", str(shop / "gru" / "config.toml"), "--out", str(fresh)]
    assert run([*train, "--items", str(shop / "items.csv")]) == 0
    assert made.facts.trained_on == read_manifest(fresh).facts.trained_on
    weights = [(folder / "model.safetensors").read_bytes() for folder in (new, fresh)]
    assert weights[0] == weights[1], "the very model that is trained on a log that never had them"


def test_a_training_that_fails_says_how_to_go_on(shop: Path) -> None:
    log = shop / "few.csv"
    log.write_text(text_of([row for row in clicks() if row[0] in ("u1", "u2")][:14]))
    with pytest.raises(SegueError, match=r"the users are forgotten, but training anew failed.*Go on with: segue train"):
        segue.forget(shop / "gru", ["u1", "u2"], log=log, retrain=True, out=shop / "new")
    assert log.read_text() == text_of([])


def refuse(*_: Any, **__: Any) -> Any:
    raise OSError(28, "No space left on device")


def test_a_log_that_cannot_be_written_costs_the_store_nothing(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files_in(shop)
    monkeypatch.setattr("segue.data.forgetting.rewriting.shutil.copymode", refuse)
    with pytest.raises(SegueError, match="No space left on device"):
        segue.forget(shop / "gru", ["u7"], store=str(shop / "events"), log=shop / "clicks.csv")
    monkeypatch.undo()
    assert (shop / "clicks.csv").read_bytes() == before["clicks.csv"]
    answer = segue.forget(shop / "gru", ["u7"], store=str(shop / "events"), log=shop / "clicks.csv")
    assert (answer.stores[0].events, answer.logs[0].rows) == (12, 12)


def test_a_link_and_an_unfinished_training_are_told(shop: Path) -> None:
    (shop / "same.csv").hardlink_to(shop / "clicks.csv")
    (shop / ".gru.checkpoints").mkdir()
    answer = segue.forget(shop / "gru", ["u7"], log=shop / "clicks.csv")
    assert any(f"{shop / 'clicks.csv'} has 1 other names" in line for line in answer.remains)
    assert any(".gru.checkpoints holds an unfinished training" in line for line in answer.remains)
    assert "u7" in read_log(shop / "same.csv").users


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ([], 2, "no users are named"),
        (["--user", "u1"], 2, "there is nowhere to look"),
        (["--user", "", "--log", "clicks.csv"], 2, "a user id is ''"),
        (["--users", "missing.txt", "--log", "clicks.csv"], 2, "--users missing.txt cannot be read"),
        (["--user", "u1", "--log", "-"], 2, "Unknown option: -"),
        (["--user", "u1", "--log", "missing.csv"], 1, "there is no file missing.csv"),
        (["--user", "u1", "--log", "clicks.csv", "clicks.csv"], 1, "is named twice"),
        (["--user", "u1", "--log", "clicks.csv", "--out", "new"], 2, "add --retrain, or leave it out"),
        (["--user", "u1", "--store", "events", "--retrain", "--out", "new"], 2, "--retrain needs the log"),
        (["--user", "u1", "--log", "clicks.csv", "--retrain"], 2, "--retrain needs a folder"),
        (["--user", "u1", "--log", "clicks.csv", "--retrain", "--out", "gru"], 1, "exists already"),
        (["--user", "u1", "--log", "clicks.csv", "--user-col", "usr"], 2, "is not a column of clicks.csv"),
        (["--user", "u1", "--store", "nothing"], 1, "holds no store of segue"),
        (["--user", "u1", "--store", "http://x:1/"], 2, "is no store that segue knows"),
    ],
)
def test_what_is_asked_wrongly_changes_nothing(
    shop: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, words: list[str], status: int, message: str
) -> None:
    monkeypatch.chdir(shop)
    before = files_in(shop)
    Ran(capsys, "forget", "gru", *words).failed(status, message)
    assert files_in(shop) == before


def test_users_are_a_list_of_ids(shop: Path) -> None:
    with pytest.raises(RequestError, match=r"`users` is the string 'u1'; expected a list"):
        segue.forget(shop / "gru", "u1", log=shop / "clicks.csv")
    shutil.rmtree(shop / "gru")
    with pytest.raises((ConfigError, SegueError), match="no model of segue here"):
        segue.forget(shop / "gru", ["u1"], log=shop / "clicks.csv")
