"""Users forgotten in stores: gone from what is answered, and from the bytes of the files."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

import httpx
import pytest

from live_server import STORED, live_server
from segue.errors import ConfigError, StoreError
from segue.forgetting.places import opened
from segue.serving.events import LiveEvent
from segue.serving.store import erasing
from segue.serving.store.base import Stores, walk
from segue.serving.store.erasing import erase, found_in
from segue.serving.store.folder import StoreFolder
from serving_models import engine_of
from valkey_servers import common_server, keys_of, stores_in, url_of

ODD = 'gone/"user", é\n-x?#%'
OTHERS = [f"other user {number}" for number in range(30)]


def observed(home: Stores, users: list[str]) -> None:
    """Each user has seven events, in several commits, so that rows are written over and pages are parted."""
    engine = engine_of(home)
    for t in range(7):
        engine.observe([LiveEvent(user, f"of {user}", 100.0 + t, "s", f"{user} {t}") for user in users])
    engine.close()


def content(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


@pytest.mark.parametrize("gone", [[ODD], [ODD, OTHERS[0], "x" * 900]])
@pytest.mark.parametrize("shards", [1, 4])
def test_no_byte_of_a_user_is_left_in_a_folder(tmp_path: Path, shards: int, gone: list[str]) -> None:
    users = list(dict.fromkeys([*gone, *OTHERS]))
    observed(StoreFolder(tmp_path, shards=shards), users)
    home = StoreFolder(tmp_path)
    before = {user: store.history(user) for store in home.stores for user in walk(store)}
    assert all(f"of {user}".encode()[:60] in content(tmp_path) for user in gone)
    found = erase(home, [*gone, "nobody"])
    left = content(tmp_path)  # while it is open: the write-ahead log, too
    assert found.events == dict.fromkeys(gone, 7)
    assert found.first == 100.0
    for user in gone:
        assert user.encode()[:60] not in left
    assert {user: store.history(user) for store in home.stores for user in walk(store)} == {
        user: history for user, history in before.items() if user not in gone
    }
    home.close()
    assert not any(user.encode()[:60] in content(tmp_path) for user in gone)
    engine = engine_of(StoreFolder(tmp_path))
    assert engine.recommend(user_id=OTHERS[1], timestamp=200.0).items
    assert sum(shard.tally.refolds for shard in engine.shards) == 0, "states of others are as they were"
    engine.close()


def test_what_an_earlier_deletion_left_in_free_pages_goes_too(tmp_path: Path) -> None:
    observed(StoreFolder(tmp_path), [ODD, *OTHERS])
    home = StoreFolder(tmp_path)
    home.stores[0]._connection.execute("PRAGMA secure_delete = OFF")  # some systems build SQLite with it
    assert home.stores[0].delete(ODD) == 7
    home.close()
    assert ODD.encode() in content(tmp_path), "deleting alone leaves the bytes"
    home = StoreFolder(tmp_path)
    assert found_in(home, [ODD]).events == {}
    found = erase(home, [ODD])
    assert (found.events, len(found.rewritten)) == ({}, 1)
    assert ODD.encode() not in content(tmp_path)
    assert erase(home, [ODD]).rewritten == [], "a file without its bytes is left alone"
    home.close()


def test_a_file_that_something_reads_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "BUSY", 0.05)
    observed(StoreFolder(tmp_path), [ODD])
    home = StoreFolder(tmp_path)
    with closing(sqlite3.connect(home.paths()[0], isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        with pytest.raises(StoreError, match=r"in its write-ahead log, which something reads.*do this again"):
            erase(home, [ODD])
    assert len(erase(home, [ODD]).rewritten) == 1
    assert ODD.encode() not in content(tmp_path)
    home.close()


def test_a_disk_that_takes_no_second_file_costs_nobody_anything_and_is_told(tmp_path: Path) -> None:
    observed(StoreFolder(tmp_path), [ODD, *OTHERS])
    home = StoreFolder(tmp_path)
    home.stores[0]._connection.execute("PRAGMA secure_delete = OFF")
    home.stores[0].delete(ODD)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, before[1]))
    try:
        with pytest.raises(StoreError, match=r"bytes may still be in its free pages.*make room.*do this again"):
            erase(home, [ODD])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert set(walk(home.stores[0])) == set(OTHERS)
    assert ODD.encode() in content(tmp_path)
    assert len(erase(home, [ODD]).rewritten) == 1
    assert ODD.encode() not in content(tmp_path)
    home.close()


def test_users_go_from_a_store_in_valkey(tmp_path: Path) -> None:
    observed(stores_in(tmp_path), [ODD, *OTHERS])
    client, keys = keys_of(tmp_path)
    with opened(url_of(common_server(), tmp_path), None, None) as places:
        assert places.forget(frozenset([ODD]), write=False).users == {ODD}
        kept = places.forget(frozenset([ODD, "nobody"]), write=True)
    assert kept.users == {ODD}
    assert [(one.users, one.events, one.files) for one in kept.stores] == [(1, 7, 0)]
    assert "BGREWRITEAOF" in kept.remains[0]
    names = list(client.scan_iter(match=f"{keys.layout.removesuffix(':layout')}:*", count=1000))
    assert len(names) > 60
    assert not [name for name in names if ODD.encode() in name]
    for bucket in range(16):
        for name in (keys.users(bucket), keys.states(bucket)):
            assert not [member for member in client.zrange(name, 0, -1) if ODD.encode() in member]
    (store,) = stores_in(tmp_path).stores
    assert store.count()[:2] == (30, 210)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """The folder of a store, and the address of the server that has it."""
    folder = tmp_path / "store"
    observed(StoreFolder(folder), [ODD, *OTHERS])
    with live_server(tmp_path, STORED, str(folder)) as live:
        yield folder, live.address


def test_a_running_server_is_asked_since_its_folder_is_its_own(served: tuple[Path, str]) -> None:
    folder, address = served
    with (
        pytest.raises(StoreError, match=r"is in use \(process \d+\).*--url http://HOST:PORT.*DELETE /v1/users/ID"),
        opened(str(folder), None, None),
    ):
        pass
    with opened(None, f"{address}/", None) as places:
        assert places.forget(frozenset([ODD, "nobody"]), write=False).users == {ODD}
        kept = places.forget(frozenset([ODD, "nobody"]), write=True)
        assert kept.users == {ODD}
        assert [(one.users, one.events) for one in kept.stores] == [(1, 7)]
        assert "until the server is stopped" in kept.remains[0]
        assert places.forget(frozenset([ODD]), write=True).users == set()
    with httpx.Client(base_url=address, timeout=60) as client:
        assert client.get(f"/v1/users/{OTHERS[0].replace(' ', '%20')}").json()["events"] == 7
        sent = client.post("/v1/recommend", json={"user_id": ODD, "timestamp": 200}).json()
        assert sent["items"][0]["source"] != "state"


class Strict(BaseHTTPRequestHandler):
    """A server that wants a key, and knows one user."""

    def do_GET(self) -> None:
        allowed, known = self.headers["Authorization"] == "Bearer s3cret", unquote(self.path) == f"/v1/users/{ODD}"
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(b'{"events": 3, "last_seq": 3}' if known else b'{"events": 0, "last_seq": 0}')

    do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


def test_a_server_that_wants_a_key_is_given_one() -> None:
    with HTTPServer(("127.0.0.1", 0), Strict) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with opened(None, url, "s3cret") as places:
            assert places.forget(frozenset([ODD, "nobody"]), write=True).stores[0].events == 3
        with pytest.raises(StoreError, match=r"answers 401.*its key"), opened(None, url, None) as places:
            places.forget(frozenset([ODD]), write=True)
        server.shutdown()


def test_an_address_without_a_server_is_told() -> None:
    with pytest.raises(ConfigError, match="expected the address of a server"), opened(None, "localhost:1", None):
        pass
    with (
        pytest.raises(StoreError, match=r"http://127\.0\.0\.1:1 gives no answer .*see that the server runs"),
        opened(None, "http://127.0.0.1:1", None) as places,
    ):
        places.forget(frozenset(["u"]), write=True)


def test_a_store_is_not_made_by_looking_for_users(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no store of segue"), opened(str(tmp_path / "new"), None, None):
        pass
    assert not (tmp_path / "new").exists()
