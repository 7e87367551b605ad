"""What is done with a store while no server uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from segue.data.log import read_log
from segue.errors import ConfigError, StoreError
from segue.serving.events import LiveEvent
from segue.serving.hashing import shard_of
from segue.serving.store import export
from segue.serving.store import reshard as module
from segue.serving.store.base import walk
from segue.serving.store.folder import StoreFolder, read_manifest
from segue.serving.store.reshard import reshard
from serving_models import ITEMS, engine_of
from small_shop import Ran

Capture = pytest.CaptureFixture[str]
USERS = [f"user {number}" for number in range(60)]


def filled(folder: Path, shards: int = 2) -> dict[str, Any]:
    """What is known of each user in a new store."""
    engine = engine_of(StoreFolder(folder, shards=shards))
    for number, user in enumerate(USERS):
        events = [LiveEvent(user, ITEMS[t % 8], float(t), event_id=f"e{t}") for t in range(number % 5 + 1)]
        engine.observe(events)
    known = content(engine)
    engine.close()
    return known


def content(engine: Any) -> dict[str, Any]:
    answers = {user: engine.recommend(user_id=user, timestamp=9.0) for user in USERS}
    histories = {user: shard.store.history(user) for shard in engine.shards for user in walk(shard.store)}
    return {user: (histories[user], answers[user]) for user in USERS}


@pytest.mark.parametrize("shards", [1, 2, 5])
def test_another_number_of_shards_changes_nothing_that_is_known(tmp_path: Path, shards: int) -> None:
    known = filled(tmp_path)
    assert reshard(tmp_path, shards) == (60, 180)
    engine = engine_of(StoreFolder(tmp_path))
    assert content(engine) == known
    assert [shard.tally.refolds for shard in engine.shards] == [0] * shards
    for number, shard in enumerate(engine.shards):
        assert set(walk(shard.store)) == {user for user in USERS if shard_of(user, shards) == number}
    engine.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1", "segue.lock", "store.json"]


def test_one_that_is_stopped_leaves_the_store_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = filled(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(module, "write_manifest", lambda *_: (_ for _ in ()).throw(StoreError("the disk is full")))
        with pytest.raises(StoreError, match="disk is full"):
            reshard(tmp_path, 3)
    assert read_manifest(tmp_path).shards == 2  # type: ignore[union-attr]
    engine = engine_of(StoreFolder(tmp_path))
    assert content(engine) == known
    engine.close()
    assert reshard(tmp_path, 3) == (60, 180), "what was left of it is no obstacle"


def test_a_state_that_cannot_be_read_is_folded_anew_afterwards(tmp_path: Path) -> None:
    known = filled(tmp_path, shards=1)
    home = StoreFolder(tmp_path)
    home.stores[0]._connection.execute("UPDATE states SET state = x'00' WHERE user = 3")
    home.stores[0]._connection.execute("DELETE FROM states WHERE user = 4")
    home.close()
    reshard(tmp_path, 1)
    engine = engine_of(StoreFolder(tmp_path))
    assert content(engine) == known
    assert engine.shards[0].tally.refolds == 2
    engine.close()


def test_one_in_use_is_left_alone(tmp_path: Path) -> None:
    filled(tmp_path)
    home = StoreFolder(tmp_path)
    with pytest.raises(StoreError, match="in use"):
        reshard(tmp_path, 3)
    home.close()
    with pytest.raises(ConfigError, match="--shards is 0"):
        reshard(tmp_path, 0)


def test_the_commands(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "store"
    Ran(capsys, "store", "info", folder).failed(1, "holds no store of segue")
    assert not folder.exists()
    filled(folder)
    ran = Ran(capsys, "store", "reshard", folder, "--shards", "4")
    assert (ran.status, "60 users with 180 events in 4 shards" in ran.err) == (0, True)
    told = json.loads(Ran(capsys, "store", "info", folder).out)
    assert told == {"shards": 4, "users": 60, "events": 180, "states_by_model_version": {"v1": 60}}


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_all_events_are_written_for_a_later_training_while_a_server_goes_on(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(export, "TOGETHER", 7)
    folder, out = tmp_path / "store", tmp_path / f"events.{ending}"
    filled(folder)
    engine = engine_of(StoreFolder(folder))
    engine.observe([LiveEvent("new", "i\u00e4,1", 1.5, "s", "e", "buy"), LiveEvent("new", "i2", 2.5, "s")])
    ran = Ran(capsys, "store", "export", folder, "--out", out)
    assert (ran.status, "182 events" in ran.err) == (0, True)
    log = read_log(out)
    rows = zip(log.users.take(log.user), log.items.take(log.item), log.time.tolist(), strict=True)
    stored = [
        (user, event.item_id, event.time)
        for shard in engine.shards
        for user in walk(shard.store)
        for event in shard.store.history(user)
    ]
    assert sorted(rows) == sorted(stored)
    assert "buy" in log.type_names
    assert log.session is None
    assert "180 of 182 events have no session_id: the column is left out" in ran.err
    engine.close()


def test_sessions_are_written_where_every_event_has_one(tmp_path: Path, capsys: Capture) -> None:
    engine = engine_of(StoreFolder(tmp_path / "store"))
    engine.observe([LiveEvent("u", "i1", 1.0, "s"), LiveEvent("u", "i2", 2.0, "t"), LiveEvent("v", "i2", 2.0, "s")])
    engine.close()
    ran = Ran(capsys, "store", "export", tmp_path / "store", "--out", tmp_path / "events.parquet")
    log = read_log(tmp_path / "events.parquet")
    assert log.session is not None
    assert len(set(log.session.tolist())) >= 2
    assert "left out" not in ran.err


def test_an_export_of_nothing_is_told(tmp_path: Path, capsys: Capture) -> None:
    Ran(capsys, "store", "export", tmp_path, "--out", tmp_path / "x.csv").failed(1, "holds no store of segue")
    assert not (tmp_path / "x.csv").exists()
    filled(tmp_path / "store")
    Ran(capsys, "store", "export", tmp_path / "store", "--out", tmp_path / "x.txt").failed(2, "ends in .parquet")


@pytest.mark.parametrize("name", ["reshard", "info", "export"])
def test_every_command_says_what_it_is_for(name: str, capsys: Capture) -> None:
    ran = Ran(capsys, "store", name, "--help")
    assert ran.status == 0
    assert ran.out.startswith(f"Usage: segue store {name}")


def test_an_event_without_a_session_goes_on_with_the_one_before_where_most_have_one(
    tmp_path: Path, capsys: Capture
) -> None:
    engine = engine_of(StoreFolder(tmp_path / "store"))
    sessions = [None, "a", None, "b", "b", None, "c"]
    for user in ("u", "v"):
        engine.observe([LiveEvent(user, ITEMS[t], float(t), session) for t, session in enumerate(sessions)])
    engine.close()
    ran = Ran(capsys, "store", "export", tmp_path / "store", "--out", tmp_path / "events.csv")
    assert "note: 6 of 14 events have no session_id: each goes on with the user's last one" in ran.err
    rows = [line.split(",") for line in (tmp_path / "events.csv").read_text().splitlines()[1:]]
    assert [row[3] for row in rows] == [f"{user} 0" if s == "-" else s for user in "uv" for s in "-aabbbc"]
