"""Logs written anew without some users: every other byte stays, and what cannot be written stays as it was."""

from __future__ import annotations

import gzip
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.data.forgetting import rewriting
from segue.data.forgetting import text as text_module
from segue.data.forgetting.packed import FORGOTTEN
from segue.data.forgetting.records import field
from segue.data.forgetting.rewriting import cleaned
from segue.data.forgetting.sources import files_of
from segue.data.log import read_log
from segue.data.packed import open_packed, pack_log
from segue.errors import ConfigError, LogError
from segue.rng import stream

ODD = 'a "b", c\nd\r\n;ä\t'
"""An id with all that may need quotes."""

PACKINGS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "": (bytes, bytes),
    ".gz": (gzip.compress, gzip.decompress),
    ".zst": (
        zstandard.ZstdCompressor().compress,
        lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    ),
}


def without(source: Any, *users: str, **columns: Any) -> dict[str, int]:
    """Take users out of the files that one name stands for; the rows that went, by user."""
    went: dict[str, int] = {}
    for one in files_of([source], columns):
        with cleaned(one, frozenset(users)) as ready:
            ready.put()
            for user, rows in ready.rows.items():
                went[user] = went.get(user, 0) + rows
    return went


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.mark.parametrize("packing", PACKINGS)
def test_what_stays_of_a_csv_file_is_the_very_bytes_that_were_there(tmp_path: Path, packing: str) -> None:
    head = b'\xef\xbb\xbf"user_id",item_id,"time"\r\n'
    rows = [
        b'u1,"a, b",1\r\n',
        f"{quoted(ODD)},x,2\r\n".encode(),
        b"\r\n",
        b'u2,"u1\nu1,u1",3\n',
        b'"u1",c,4\r\n',
        b"u12,\xc3\xa4,5\n",
        b"xu1,u1,6\n",
        b'u""1,u1,7\n',
        b",nobody,8\n",
        b"u1,last,9",
    ]
    pack, unpack = PACKINGS[packing]
    file = tmp_path / f"log.csv{packing}"
    file.write_bytes(pack(head + b"".join(rows)))
    file.chmod(0o640)
    assert without(file, "u1", "not there") == {"u1": 3}
    assert unpack(file.read_bytes()) == head + b"".join(rows[place] for place in (1, 2, 3, 5, 6, 7, 8))
    assert without(file, ODD) == {ODD: 1}
    assert unpack(file.read_bytes()) == head + b"".join(rows[place] for place in (2, 3, 5, 6, 7, 8))
    assert file.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("many", [1, 100])
@pytest.mark.parametrize(("name", "mark"), [("log.csv", ";"), ("log.csv", "|"), ("log.tsv", "\t"), ("log.inter", "\t")])
def test_other_separators_and_any_place_of_the_column(tmp_path: Path, name: str, mark: str, many: int) -> None:
    file = tmp_path / name
    kept = [["1", "i", "u1"], ["2", "u9", "u1"], ["3", "u9u9", "u2"]]
    rows = [*kept[:1], ["1", "j", "u9"], *kept[1:], ["5", "u2", "u9"]]
    head = ["time", "item_id", "user_id"]
    file.write_bytes("".join(mark.join(row) + "\n" for row in [head, *rows]).encode())
    assert without(file, *(f"u{9 * number}" for number in range(1, many + 1))) == {"u9": 2}
    assert file.read_bytes() == "".join(mark.join(row) + "\n" for row in [head, *kept]).encode()


IDS = st.text('ab",\n\r;\t ä', min_size=1, max_size=4).filter(lambda text: text.strip() != "")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(IDS, IDS), min_size=1, max_size=12), st.integers(1, 40), st.sampled_from("\n\r"), st.data())
def test_what_is_written_without_them_is_what_stays(
    tmp_path: Path, rows: list[tuple[str, str]], block: int, end: str, data: Any
) -> None:
    gone = data.draw(st.sets(st.sampled_from([user for user, _ in rows]), min_size=1))
    lines = [(item, user, number) for number, (user, item) in enumerate(rows)]
    ending = {"\n": "\n", "\r": "\r\n"}[end]

    def cell(value: object) -> str:
        return quoted(str(value)) if any(mark in str(value) for mark in '",\r\n') else str(value)

    def written(some: list[tuple[str, str, int]]) -> bytes:
        return "".join(",".join(map(cell, row)) + ending for row in [("item_id", "user_id", "time"), *some]).encode()

    file = tmp_path / "log.csv"
    file.write_bytes(written(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segue.data.forgetting.records.BLOCK", block)
        assert set(without(file, *gone)) == gone
    assert file.read_bytes() == written([line for line in lines if line[1] not in gone])


def test_quotes_are_letters_where_the_format_does_not_quote(tmp_path: Path) -> None:
    file = tmp_path / "log.inter"
    file.write_bytes(b'user_id:token\titem_id:token\ttimestamp:float\n"u1\ta\t1\nu1"\tb\t2\nu1\tc\t3\n')
    assert without(file, '"u1') == {'"u1': 1}
    assert file.read_bytes() == b'user_id:token\titem_id:token\ttimestamp:float\nu1"\tb\t2\nu1\tc\t3\n'


def test_a_field_is_what_a_reader_takes_for_it() -> None:
    record = b'"a,b",,"c""",d"e,\rf\r\n'
    found = [field(record, place, b",", quoted=True) for place in range(6)]
    assert found == [b"a,b", b"", b'c"', b'd"e', b"\rf", None]


@pytest.mark.parametrize("packing", PACKINGS)
def test_json_lines_whatever_the_id_is_written_as(tmp_path: Path, packing: str) -> None:
    pack, unpack = PACKINGS[packing]
    rows = [
        b'{"user_id": "u1", "item_id": "a", "ts": 1}\n',
        b"\n",
        b'{"item_id":"b","ts":2,"user_id":17}\r\n',
        b'{"item_id": "u1", "ts": 3, "user_id": "u\\u00e4 \\"x\\"\\n"}\n',
        b"  \n",
        b'{"item_id": "d", "ts": 4}\n',
        b'{"user_id": "\\u00751", "item_id": "a", "ts": 5}',
    ]
    file = tmp_path / f"log.jsonl{packing}"
    file.write_bytes(pack(b"".join(rows)))
    assert without(file, "u1") == {"u1": 2}
    assert without(file, "17", "1") == {"17": 1}
    assert unpack(file.read_bytes()) == b"".join(rows[place] for place in (1, 3, 4, 5))
    assert without(file, 'uä "x"\n') == {'uä "x"\n': 1}


def test_a_parquet_file_keeps_its_columns_types_and_notes(tmp_path: Path) -> None:
    file = tmp_path / "log.parquet"
    frame = pl.DataFrame(
        {
            "user_id": [7.0, None, 8.0, 7.0, 77.0],
            "item_id": pl.Series(["a", "b", "a", "c", "7"], dtype=pl.Categorical),
            "time": pl.Series([1, 2, 3, 4, 5], dtype=pl.Datetime("ms", "Europe/Berlin")),
            "tags": [["x"], [], None, ["7"], ["y", "z"]],
            "price": pl.Series(["1.20", "2", "3", "4", "5"]).cast(pl.Decimal(10, 2)),
        }
    )
    frame.write_parquet(file, metadata={"made by": "us"})
    assert without(file, "7", "b") == {"7": 2}
    assert pl.read_parquet(file).equals(frame[[1, 2, 4]])
    assert pl.read_parquet_schema(file) == frame.schema
    assert pl.read_parquet_metadata(file)["made by"] == "us"
    words = frame.with_columns(user_id=pl.Series([ODD, "u2", "u1", None, "u1"]))
    words.write_parquet(file)
    assert without(file, ODD, "u1") == {ODD: 1, "u1": 2}
    assert pl.read_parquet(file).equals(words[[1, 3]])


def odd_log(folder: Path) -> Path:
    """A log with sessions, types and a further column, some of whose values only one user has."""
    rng, rows = stream(3, "log"), ["user_id,item_id,time,session_id,event_type,color,weight"]
    rows.append("u3,only3,0,s3,rare,c3,1")  # the first of everything
    for number in range(400):
        user = int(rng.integers(20))
        item, color = (f"only{user}", f"c{user}") if rng.random() < 0.2 else (f"i{rng.integers(30)}", "plain")
        kind = "rare" if user == 3 else ("view", "buy")[int(rng.integers(2))]
        rows.append(f"u{user},{item},{rng.integers(10**6)},s{user}-{number // 50},{kind},{color},{number}")
    file = folder / "log.csv"
    file.write_text("\n".join(rows) + "\n")
    return file


def test_a_packed_log_is_then_what_packing_the_cleaned_log_gives(tmp_path: Path) -> None:
    log, given = odd_log(tmp_path), {"feature_cols": ("color",)}
    pack_log(log, tmp_path / "packed", **given)
    assert b"only3" in (tmp_path / "packed" / "items.text.npy").read_bytes()
    went = without(tmp_path / "packed", "u3", "u7", "u99")
    assert set(went) == {"u3", "u7"}
    assert went == without(log, "u3", "u7", **given)
    found, expected = open_packed(tmp_path / "packed"), pack_log(log, tmp_path / "again", **given)
    for name in {one.name for one in fields(found)} - {"notes"}:
        np.testing.assert_equal(getattr(found, name), getattr(expected, name), name)
    assert found.notes[-1] == FORGOTTEN
    assert "rare" not in found.type_names
    for file in (tmp_path / "packed").iterdir():
        assert b"only3" not in file.read_bytes()
        assert b"c3" not in file.read_bytes()


def test_a_log_without_users_has_its_sessions_for_users(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("session_id,item_id,time\ns1,a,1\ns2,a,2\ns1,b,3\ns3,a,4\n")
    pack_log(log, tmp_path / "packed")
    assert without(tmp_path / "packed", "s1") == without(log, "s1") == {"s1": 2}
    found, expected = open_packed(tmp_path / "packed"), read_log(log)
    assert (found.users, found.items) == (expected.users, expected.items)
    np.testing.assert_equal(found.session, expected.session)


def test_the_column_is_the_one_that_training_took(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    text = "user_id,who,item_id,time\nu1,p,a,1\nu2,u1,a,2\n"
    file.write_text(text)
    assert without(file, "u1", user_col="who") == {"u1": 1}
    assert file.read_text() == "user_id,who,item_id,time\nu1,p,a,1\n"
    with pytest.raises(ConfigError, match="names `wo`, which is not a column"):
        without(file, "u1", user_col="wo")


def test_a_folder_and_a_glob_are_all_their_files_and_links_lead_to_the_file(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("user_id,item_id,time\nu1,a,1\nu2,a,2\n")
    (tmp_path / "notes.md").write_text("u1")
    assert without(tmp_path, "u1") == {"u1": 2}
    assert without(str(tmp_path / "*.csv"), "u2") == {"u2": 2}
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text() == "user_id,item_id,time\n"
    real = tmp_path / "elsewhere"
    real.mkdir()
    (real / "log.csv").write_text("user_id,item_id,time\nu1,a,1\nu2,a,2\n")
    (tmp_path / "link.csv").symlink_to(real / "log.csv")
    assert without(tmp_path / "link.csv", "u1") == {"u1": 1}
    assert (tmp_path / "link.csv").is_symlink()
    assert (real / "log.csv").read_text() == "user_id,item_id,time\nu2,a,2\n"


def test_counting_changes_nothing(tmp_path: Path) -> None:
    log = odd_log(tmp_path)
    pack_log(log, tmp_path / "packed")
    before = {file: (file.read_bytes(), file.stat().st_ino) for file in tmp_path.rglob("*") if file.is_file()}
    for one in files_of([log, tmp_path / "packed"], {}):
        with cleaned(one, frozenset(["u3"]), write=False) as ready:
            assert ready.rows["u3"] > 0
            ready.put()
    assert {file: (file.read_bytes(), file.stat().st_ino) for file in before} == before


def test_a_file_without_the_users_is_not_touched(tmp_path: Path) -> None:
    log = odd_log(tmp_path)
    before = log.stat()
    assert without(log, "u", "U3", "u3 ") == {}
    assert log.stat() == before


def test_nothing_may_be_left_of_text_and_something_must_of_a_packed_log(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"user_id": "u1", "item_id": "a", "time": 1}\n')
    pack_log(tmp_path / "log.jsonl", tmp_path / "packed")
    with pytest.raises(LogError, match="all 1 events are of these users; delete the folder"):
        without(tmp_path / "packed", "u1")
    assert without(tmp_path / "log.jsonl", "u1") == {"u1": 1}
    assert (tmp_path / "log.jsonl").read_bytes() == b""


def log_in(folder: Path, ending: str) -> Path:
    """The odd log in a folder of its own, in some format."""
    rows, log = pl.read_csv(odd_log(folder)), folder / "logs" / f"log.{ending}"
    log.parent.mkdir()
    if ending == "packed":
        pack_log(folder / "log.csv", log)
    elif ending in ("csv.gz", "csv.zst"):
        log.write_bytes(PACKINGS[ending[3:]][0]((folder / "log.csv").read_bytes()))
    else:
        {"csv": rows.write_csv, "jsonl": rows.write_ndjson, "parquet": rows.write_parquet}[ending](log)
    return log


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """No file may grow beyond this: what a disk does that is full, after some bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


ENDINGS = ["csv", "csv.gz", "csv.zst", "jsonl", "parquet", "packed"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path, ending: str) -> None:
    log = log_in(tmp_path, ending)
    before = {file: file.read_bytes() for file in log.parent.rglob("*") if file.is_file()}
    with small_files(700), pytest.raises(LogError, match=r"cannot be written.*File too large.*(as it is|untouched)"):
        without(log, "u3")
    assert {file: file.read_bytes() for file in log.parent.rglob("*") if file.is_file()} == before
    assert [one.name for one in log.parent.iterdir()] == [log.name]
    assert without(log, "u3")["u3"] > 5


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_not_on_the_disk_does_not_take_its_place(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = log_in(tmp_path, ending)
    before = {file: file.read_bytes() for file in log.parent.rglob("*") if file.is_file()}

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LogError, match=r"No space left on device.*(as it is|untouched)"):
        without(log, "u3")
    assert {file: file.read_bytes() for file in log.parent.rglob("*") if file.is_file()} == before


def test_what_is_not_what_should_stay_is_never_put_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = odd_log(tmp_path)
    before = log.read_bytes()
    copied = text_module.copied

    def hungry(file: Any, users: frozenset[str], source: Any, target: Any) -> int:
        return copied(file, users | {"u4"}, source, target)

    monkeypatch.setattr(text_module, "copied", hungry)
    with pytest.raises(LogError, match="it is left as it is"):
        without(log, "u3")
    assert log.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["log.csv"]


def test_a_log_that_is_written_to_meanwhile_keeps_what_came(tmp_path: Path) -> None:
    log = odd_log(tmp_path)
    (one,) = files_of([log], {})
    with cleaned(one, frozenset(["u3"])) as ready:
        with log.open("a") as file:
            file.write("u3,i1,5,s,view,plain,1\n")
        with pytest.raises(LogError, match="was written to meanwhile"):
            ready.put()
    assert log.read_text().endswith("u3,i1,5,s,view,plain,1\n")
    assert [one.name for one in tmp_path.iterdir()] == ["log.csv"]


def test_what_a_killed_process_left_goes_and_what_one_writes_stays(tmp_path: Path) -> None:
    log = odd_log(tmp_path)
    ended = subprocess.Popen(["true"])
    ended.wait()
    left, running = (tmp_path / f".log.csv.partial-{process}" for process in (ended.pid, os.getppid()))
    for file in (left, running, tmp_path / ".log.csv.partial-of-mine", tmp_path / ".log.csv.partial"):
        file.write_text("u3,only3,0,s3,rare,c3,1")
    assert without(log, "only in what was left") == {}
    assert {one.name for one in tmp_path.iterdir()} == {
        *("log.csv", running.name, ".log.csv.partial-of-mine", ".log.csv.partial")
    }


def test_zstd_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "log.csv.zst"
    before = PACKINGS[".zst"][0](b"user_id,item_id,time\nu1,a,1\n")
    file.write_bytes(before)
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    with pytest.raises(LogError, match="pip install zstandard, or unpack the file"):
        without(file, "u1")
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("-", "standard input cannot be written anew"),
        ("", "the name of a log is empty"),
        (pl.DataFrame({"user_id": ["u1"]}), "cannot write a DataFrame anew"),
        ("missing.csv", "there is no file"),
        ("log.txt", "has no known suffix"),
        ("empty.csv", "is empty"),
        ("broken.jsonl", "is not JSON"),
    ],
)
def test_what_cannot_be_written_anew_is_refused(tmp_path: Path, source: Any, message: str) -> None:
    (tmp_path / "log.txt").write_text("user_id,item_id,time\nu1,a,1\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "broken.jsonl").write_text('{"user_id": "u1", "item_id": "a", "time": 1}\n{"user_id"\n')
    given = tmp_path / source if isinstance(source, str) and "." in source else source
    with pytest.raises((ConfigError, LogError), match=message):
        without(given, "u1")


def test_a_file_is_named_once(tmp_path: Path) -> None:
    log = odd_log(tmp_path)
    with pytest.raises(LogError, match="is named twice"):
        files_of([log, str(tmp_path / "*.csv")], {})
    assert rewriting.look(files_of([log], {})[0], ["u3"]).named == 401  # type: ignore[arg-type]
