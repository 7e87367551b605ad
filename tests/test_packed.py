"""Packed logs: the same log, opened at once; written whole or not at all; nothing damaged is taken for a log."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import segue
from segue.data import packed
from segue.data.events import EventLog, log_of
from segue.data.log import read_log
from segue.data.packed import open_packed, pack_log
from segue.data.spill import release
from segue.errors import ConfigError, LogError
from small_shop import SETTINGS, Ran, clicks, write_shop
from test_spool import assert_same

COLUMNS = {
    "user_id": ["ann", "bob", "ann", "", "ann"],
    "item_id": ["tea", "mjölk", "\x00 odd", "tea", "tea"],
    "session_id": ["s1", "s2", "s1", "s1", "s3"],
    "timestamp": [30, 10, 20, 5, 10],
    "event_type": ["view", "buy", "view", "view", ""],
    "weight": [1.0, 0.5, 2.0, 1.0, 0.0],
    "split": ["test", "train", "valid", "train", "train"],
    "price": ["1.5", "2", "", "1", "3"],
    "shop/colour": ["red", "blue", "red", "red", "red"],
}
FRAME = pl.DataFrame(COLUMNS)
FEATURES = ("price", "shop/colour")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pack_log(FRAME, tmp_path / "log", feature_cols=FEATURES)
    return tmp_path / "log"


def left_beside(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.parent.iterdir() if file.name.startswith("."))


def arrays_of(log: EventLog) -> list[np.ndarray]:
    columns = (log.user, log.item, log.time, log.session, log.event_type, log.weight, log.split)
    return [column for column in (*columns, *log.features.values()) if column is not None]


def test_a_packed_log_is_the_log_it_was_made_of(folder: Path) -> None:
    log = read_log(FRAME, feature_cols=FEATURES)
    assert len(log) == 4
    assert log.rejected[0].rows == 1
    assert log.feature_names == {"shop/colour": ("blue", "red")}
    for opened in (open_packed(folder), read_log(folder), read_log(str(folder)), read_log([folder])):
        assert_same(opened, log)
    assert_same(pack_log(log, folder.with_name("again")), log)
    assert left_beside(folder) == []


@pytest.mark.parametrize("columns", [["session_id", "item_id", "timestamp"], ["user_id", "item_id", "position"]])
def test_logs_without_users_or_times_are_packed_too(columns: list[str], tmp_path: Path) -> None:
    frame = FRAME.with_columns(position=pl.int_range(5)).select(columns)
    assert_same(pack_log(frame, tmp_path / "log"), read_log(frame))


def test_a_packed_log_is_mapped_and_cannot_be_written_to(folder: Path) -> None:
    log = open_packed(folder)
    for column in arrays_of(log):
        assert type(column) is np.ndarray
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1
        before = column.tobytes()
        release(column)
        assert column.tobytes() == before
    assert log.users.place_of("bob") == 0
    assert list(log.users) == ["bob", "ann"]
    assert hash(log.users) == hash(read_log(FRAME).users)
    with pytest.raises(IndexError):
        log.users[2]


def test_a_model_learns_the_same_from_a_packed_log(tmp_path: Path) -> None:
    log, _ = write_shop(tmp_path)
    segue.pack(log, tmp_path / "packed")
    cards = [segue.fit(one, settings=SETTINGS).trained_report.rows for one in (log, str(tmp_path / "packed"))]
    assert [row.metrics for row in cards[0]] == [row.metrics for row in cards[1]]


def test_columns_asked_for_later_are_those_that_were_packed(folder: Path) -> None:
    assert list(read_log(folder, feature_cols=["price"]).features) == list(FEATURES)
    with pytest.raises(ConfigError, match=r"`prise`.*did you mean `price`.*pack the log again"):
        read_log(folder, feature_cols=["prise"])
    assert "(user_id) were not looked for" in read_log(folder, user_col="user_id").notes[-1]


def test_a_folder_of_logs_with_a_log_json_of_its_own_is_read_as_ever(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text('{"level": "info"}')
    FRAME.write_parquet(tmp_path / "a.parquet")
    assert len(read_log(tmp_path)) == 4


def test_a_packed_log_is_read_alone(folder: Path) -> None:
    with pytest.raises(LogError, match="is a packed log, which is read alone"):
        read_log([folder, FRAME])


def edited(change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        tree = json.loads((folder / "log.json").read_text())
        change(tree)
        (folder / "log.json").write_text(json.dumps(tree))

    return edit


def cut(name: str, by: int) -> Callable[[Path], None]:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size - by)


def swapped(folder: Path) -> None:
    np.save(folder / "item.npy", np.array([0, 1, 0, 1], np.int64))


def ends(*places: int) -> Callable[[Path], None]:
    return lambda folder: np.save(folder / "users.ends.npy", np.array(places, np.int64))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut("time.npy", 1), "time.npy: damaged or cut short"),
        (cut("time.npy", -1), "time.npy: damaged: <f8"),
        (cut("item.npy", 140), "item.npy: damaged or cut short"),
        (cut("users.text.npy", 1), "users.text.npy: damaged"),
        (lambda folder: (folder / "time.npy").write_bytes(b""), "time.npy: damaged or cut short"),
        (lambda folder: (folder / "time.npy").write_bytes(b"no array" * 40), "time.npy: damaged or cut short"),
        (lambda folder: (folder / "feature-1.npy").unlink(), "feature-1.npy: missing"),
        (swapped, r"item.npy: damaged: <i8 of shape \(4,\) in .* bytes, expected <i4"),
        (ends(0, 9, 6), "does not part the ids' text"),
        (ends(0, 3, 5), "does not part the ids' text"),
        (lambda folder: (folder / "log.json").write_text('{"kind": "a packed'), "log.json: damaged"),
        (lambda folder: (folder / "log.json").write_text("[]"), "log.json: damaged"),
        (edited(lambda tree: tree.update(format=2)), r"has format 2, .* up to 1: upgrade segue"),
        (edited(lambda tree: tree.update(format="new")), "log.json: damaged"),
        (edited(lambda tree: tree.update(kind="else")), "expected 'a packed log of segue'"),
        (edited(lambda tree: tree.update(events=5)), "has 4 values, expected 5"),
        (edited(lambda tree: tree.update(users=5)), "users.ends has 3 values, expected 6"),
        (edited(lambda tree: tree.update(timed=1)), "damaged"),
        (edited(lambda tree: tree["files"].pop("item")), "lists no item"),
        (edited(lambda tree: tree["files"].update({"../x": {"dtype": "<i4", "length": 4}})), "which is no column"),
    ],
)
def test_a_damaged_or_newer_folder_is_an_error(damage: Callable[[Path], None], says: str, folder: Path) -> None:
    damage(folder)
    with pytest.raises(LogError, match=says):
        read_log(folder)


def test_a_folder_without_manifest_is_no_packed_log(folder: Path) -> None:
    (folder / "log.json").unlink()
    with pytest.raises(LogError, match=r"no packed log here \(log.json is missing\)"):
        open_packed(folder)
    with pytest.raises(LogError, match="holds no file that segue reads"):
        read_log(folder)


def test_what_is_in_the_way_stays(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    for name, says, overwrite in (
        ("log", "exists already.*--overwrite", False),
        ("file", "is a file", True),
        ("mine", "holds no packed log", True),
    ):
        with pytest.raises(LogError, match=says):
            pack_log(FRAME, tmp_path / name, overwrite=overwrite)
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(LogError, match=r"holds more than a packed log \(thesis.txt\)"):
        pack_log(FRAME, folder, overwrite=True)
    (folder / "thesis.txt").unlink()
    smaller = pack_log(FRAME.head(2), folder, overwrite=True)
    assert (len(smaller), len(open_packed(folder))) == (2, 2)
    assert not (folder / "feature-0.npy").exists()
    (tmp_path / "empty").mkdir()
    assert len(pack_log(folder, tmp_path / "empty")) == 2
    assert len(pack_log(folder, folder, overwrite=True)) == 2
    assert left_beside(folder) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("at", ["_write_array", "write_through", "os.rename"])
def test_a_disk_that_does_not_take_it_leaves_what_was_there(
    code: int, at: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(packed.os if at == "os.rename" else packed, at.removeprefix("os."), refused)
    with pytest.raises(LogError, match=f"cannot be written \\({os.strerror(code)}\\).*what was there is untouched"):
        pack_log(FRAME.head(2), folder, overwrite=True)
    with pytest.raises(LogError, match="nothing of it is left"):
        pack_log(FRAME, folder.with_name("new"))
    assert len(open_packed(folder)) == 4
    assert not folder.with_name("new").exists()
    assert left_beside(folder) == []


def test_a_folder_that_cannot_be_made_is_known_before_the_log_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LogError, match="the packed log cannot be written"):
        pack_log(tmp_path / "file", tmp_path / "file" / "log")


def test_a_log_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="no column"):
        pack_log(pl.DataFrame({"a": [1]}), tmp_path / "log")
    with pytest.raises(LogError, match="no events"):
        pack_log(log_of([], [], []), tmp_path / "log")
    assert list(tmp_path.iterdir()) == []


KILLED = """
import sys, time
from segue.data import packed
whole = packed._write_array
def slow(file, values):
    whole(file, values)
    if file.name == "item.npy":
        print("writing", flush=True)
        time.sleep(60)
packed._write_array = slow
packed.pack_log(sys.argv[1], sys.argv[2], overwrite=True)
"""


def test_a_killed_packing_leaves_what_was_there_and_the_next_clears_up(folder: Path, tmp_path: Path) -> None:
    FRAME.write_parquet(tmp_path / "log.parquet")
    asked = [sys.executable, "-c", KILLED, str(tmp_path / "log.parquet"), str(folder)]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as packing:
        assert packing.stdout is not None
        assert packing.stdout.readline() == "writing\n"
        with pytest.raises(LogError, match="is being packed by another process"):
            pack_log(FRAME, folder, overwrite=True)
        packing.send_signal(signal.SIGKILL)
    assert len(open_packed(folder)) == 4
    assert left_beside(folder) == [".log.partial"]
    os.rename(folder, folder.with_name(".log.old"))  # killed between the two renames
    with pytest.raises(LogError, match="exists already"):
        pack_log(FRAME.head(2), folder)
    assert left_beside(folder) == []
    assert len(pack_log(FRAME.head(2), folder, overwrite=True)) == 2


def test_the_command_packs_and_tells_what_it_packed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, out = tmp_path / "log.csv", tmp_path / "packed"
    rows = "".join(f"{user},{item},{at}\n" for user, item, at in [*clicks(), ("", "x", 1)])
    log.write_text("user_id,item_id,timestamp\n" + rows)
    answer = Ran(capsys, "pack", log, "--out", out, "--json").json
    assert (answer["events"], answer["users"], answer["items"]) == (480, 40, 12)
    assert answer["rejected"][0]["rows"] == 1
    assert answer["seconds"] >= 0
    assert "user_id from column `user_id`" in answer["notes"]
    Ran(capsys, "pack", log, "--out", out).failed(1, "--overwrite")
    told = Ran(capsys, "pack", log, "--out", out, "--overwrite")
    assert "480" in told.out
    assert "left out: 1 rows, user_id is empty" in told.out
    assert "note: times read as Unix seconds" in told.err
    assert "480" in Ran(capsys, "inspect", out).out


def test_opening_takes_no_time(tmp_path: Path) -> None:
    n = 3_000_000
    log = log_of(["a"], ["x"], [1.0])
    zeros = np.zeros(n, np.int32)
    large = EventLog(users=log.users, items=log.items, user=zeros, item=zeros, time=np.zeros(n))
    pack_log(large, tmp_path / "log")
    start = time.perf_counter()
    assert len(open_packed(tmp_path / "log")) == n
    assert time.perf_counter() - start < 0.5
