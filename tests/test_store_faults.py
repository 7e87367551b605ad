"""A store that may not be written, and bytes that are not what was written: what is answered, and what is said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from litestar.testing import TestClient

from live_server import HERE, STORED, live_server
from segue.serving.events import LiveEvent
from segue.serving.store.folder import StoreFolder
from segue.web.app import create_app
from serving_models import ITEMS, engine_of, memory_of, store_of

READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
OPEN = "import sys\nfrom segue.serving.store.folder import StoreFolder\nStoreFolder(sys.argv[1])"


def events(user: str = "u", last: int = 20) -> list[LiveEvent]:
    return [LiveEvent(user, ITEMS[number % 8], 10.0 * number) for number in range(last)]


def test_what_became_read_only_is_read_and_refuses_events_until_it_may_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = engine_of(StoreFolder(tmp_path), threads=True)
    engine.observe(events())
    execute = store_of(engine)._connection.execute  # type: ignore[attr-defined]
    event = {"user_id": "u", "item_id": "i1", "timestamp": 500, "event_id": "e"}
    asked = {"user_id": "u", "timestamp": 500}
    with TestClient(create_app(engine)) as client:
        before = client.post("/v1/recommend", json=asked).json()["items"]
        execute("PRAGMA query_only = 1")
        for path, body in (
            ("/v1/events", {"events": [event]}),
            ("/v1/recommend", {**asked, "event": {"item_id": "i1"}}),
        ):
            answer = client.post(path, json=body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_unavailable")
            assert answer.headers["retry-after"] == "1"
        assert client.delete("/v1/users/u").status_code == 503
        assert client.post("/v1/recommend", json=asked).json()["items"] == before
        assert client.get("/v1/users/u").json()["events"] == 20
        execute("PRAGMA query_only = 0")
        assert client.post("/v1/events", json={"events": [event]}).json()["results"][0]["seq"] == 21
    assert "it is read-only; give this user the right to write to the file and its folder" in caplog.text
    engine.close()


def opened(place: Path, *before: str) -> subprocess.CompletedProcess[str]:
    """An attempt to open a store, in a process of its own."""
    command = [*before, sys.executable, "-c", OPEN, str(place)]
    paths = os.pathsep.join([str(HERE.parent / "src"), str(HERE)])
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}, timeout=60)


def test_a_disk_that_is_mounted_read_only_is_told(tmp_path: Path) -> None:
    before = ["unshare", "-Urm", "sh", "-c", READ_ONLY, str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run([*before, "true"], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount: the refusal is acted out in test_store_folder")
    StoreFolder(tmp_path / "store").close()
    for place in (tmp_path / "store", tmp_path / "new"):
        tried = opened(place, *before)
        assert "Read-only file system" in tried.stderr
        assert "choose a folder that this user may write to" in tried.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere: the mount above stands for it")
def test_files_that_may_not_be_written_are_told(tmp_path: Path) -> None:
    StoreFolder(tmp_path).close()
    (tmp_path / "0" / "shard-0.db").chmod(0o400)
    tried = opened(tmp_path)
    assert "read-only" in tried.stderr


def test_one_wrong_byte_in_a_state_costs_nobody_anything_and_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    engine = engine_of(StoreFolder(folder))
    engine.observe(events("u") + events("v", 9))
    blob = {user: memory_of(store_of(engine), user).state["weight"].tobytes() for user in ("u", "v")}
    expected = engine.recommend(user_id="u", timestamp=500.0).items
    engine.close()
    database = folder / "0" / "shard-0.db"
    content = bytearray(database.read_bytes())
    assert content.count(blob["u"]) == 1
    content[content.index(blob["u"]) + 9] ^= 4
    database.write_bytes(content)
    with live_server(tmp_path, STORED, str(folder)) as live, httpx.Client(base_url=live.address, timeout=60) as client:
        for user in ("u", "v", "u"):
            found = client.post("/v1/recommend", json={"user_id": user, "timestamp": 500.0}).json()
            if user == "u":
                assert [(one["item_id"], pytest.approx(one["score"], abs=1e-5)) for one in found["items"]] == expected
        lines = client.get("/metrics").text.splitlines()
        assert "segue_damaged_states_total 1.0" in lines
        assert 'segue_refolds_total{history="whole"} 1.0' in lines
        assert "1 stored states are damaged: they are folded anew from the events" in live.log()
    engine = engine_of(StoreFolder(folder))
    engine.recommend(user_id="u", timestamp=500.0)
    assert engine.shards[0].tally.damaged == 0, "what was folded anew is stored"
    engine.close()


def test_a_damaged_page_of_one_shard_is_told_and_costs_the_users_of_the_others_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    engine = engine_of(StoreFolder(folder, shards=2))
    users = [f"user {number}" for number in range(40)]
    engine.observe([event for user in users for event in events(user)])
    engine.close()
    database = folder / "0" / "shard-1.db"
    content = bytearray(database.read_bytes())
    content[8192:] = b"\xa5" * (len(content) - 8192)
    database.write_bytes(content)
    with live_server(tmp_path, STORED, str(folder)) as live, httpx.Client(base_url=live.address, timeout=60) as client:
        statuses = [client.post("/v1/recommend", json={"user_id": user}).status_code for user in users]
        assert set(statuses) == {200, 503}
        again = [client.post("/v1/recommend", json={"user_id": user}).status_code for user in users]
        assert again == statuses
        assert "shard-1.db" in live.log()
        assert "it is damaged; restore a backup, or save what is left with `sqlite3 .recover`" in live.log()
        assert "shard-0.db" not in live.log()
