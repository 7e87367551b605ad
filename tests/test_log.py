"""Reading logs that are in order."""

from __future__ import annotations

import csv
import gzip
import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.data.events import EventLog, log_of
from segue.data.log import read_log

ROWS = [("ann", "tea", 30), ("bob", "milk", 10), ("ann", "milk", 20), ("bob", "tea", 10)]
# Sorted by time, ties in the order of the source.
EVENTS = [("bob", "milk", 10.0), ("bob", "tea", 10.0), ("ann", "milk", 20.0), ("ann", "tea", 30.0)]


def events_of(log: EventLog) -> list[tuple[str, str, float]]:
    users, items = log.users.take(log.user), log.items.take(log.item)
    return list(zip(users, items, log.time.tolist(), strict=True))


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def csv_text(rows: list[tuple[object, ...]], header: str, separator: str = ",") -> str:
    return "\n".join([header, *(separator.join(map(str, row)) for row in rows)]) + "\n"


CSV = csv_text(ROWS, "user_id,item_id,timestamp")
TSV = csv_text(ROWS, "user_id:token\titem_id:token\ttimestamp:float", "\t")
JSONL = "".join(f'{{"user_id": "{u}", "item_id": "{i}", "timestamp": {t}}}\n' for u, i, t in ROWS)
FRAME = pl.DataFrame(ROWS, schema=["user_id", "item_id", "timestamp"], orient="row")


def test_events_come_sorted_by_time_with_ties_in_the_order_of_the_source(tmp_path: Path) -> None:
    log = read_log(write(tmp_path / "log.csv", CSV))
    assert events_of(log) == EVENTS
    assert (list(log.users), list(log.items)) == (["bob", "ann"], ["milk", "tea"])
    assert (log.user.dtype, log.item.dtype, log.time.dtype) == (np.int32, np.int32, np.float64)
    assert log.timed
    assert not log.anonymous
    assert log.rejected == ()
    assert any("not in time order" in note for note in log.notes)


def test_a_sorted_log_is_not_said_to_be_unsorted(tmp_path: Path) -> None:
    log = read_log(write(tmp_path / "log.csv", "user,item,ts\na,x,1\nb,y,1\na,y,2\n"))
    assert not any("not in time order" in note for note in log.notes)
    assert events_of(log) == [("a", "x", 1.0), ("b", "y", 1.0), ("a", "y", 2.0)]


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.csv", CSV), ("a.tsv", TSV), ("a.inter", TSV), ("a.jsonl", JSONL), ("a.ndjson", JSONL)],
)
@pytest.mark.parametrize("packed", ["", ".gz", ".zst"])
def test_every_text_format_reads_the_same_packed_or_not(tmp_path: Path, name: str, text: str, packed: str) -> None:
    pack = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}[packed]
    path = tmp_path / (name + packed)
    path.write_bytes(pack(text.encode()))
    assert events_of(read_log(path)) == EVENTS


def test_parquet_reads_the_same(tmp_path: Path) -> None:
    FRAME.write_parquet(tmp_path / "log.parquet")
    assert events_of(read_log(str(tmp_path / "log.parquet"))) == EVENTS


@pytest.mark.parametrize("frame", [FRAME, FRAME.lazy(), pd.DataFrame(ROWS, columns=FRAME.columns)])
def test_frames_read_the_same(frame: object) -> None:
    assert events_of(read_log(frame)) == EVENTS


def test_a_log_is_returned_as_it_is() -> None:
    log = log_of(["a"], ["x"], [1.0])
    assert read_log(log) is log


@pytest.mark.parametrize(
    "text", [CSV.encode(), JSONL.encode(), gzip.compress(JSONL.encode())], ids=["csv", "jsonl", "packed"]
)
def test_standard_input_is_read_by_what_it_looks_like(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    assert events_of(read_log("-")) == EVENTS


def test_folders_globs_and_lists_are_one_log_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path / "b.csv", csv_text(ROWS[2:], "user_id,item_id,timestamp"))
    write(tmp_path / "a.tsv", csv_text(ROWS[:2], "user_id\titem_id\ttimestamp", "\t"))
    write(tmp_path / "README.md", "not a log")
    folder = read_log(tmp_path)
    assert events_of(folder) == EVENTS
    assert any("README.md" in note for note in folder.notes)
    assert events_of(read_log(f"{tmp_path}/?.?sv")) == EVENTS
    assert events_of(read_log([tmp_path / "a.tsv", tmp_path / "b.csv"])) == EVENTS


def test_whole_numbers_that_pandas_made_floats_are_the_ids_they_were() -> None:
    frame = pd.DataFrame({"user_id": [1.0, 2.0, np.nan], "item_id": pd.array([7, 8, 9], "Int64"), "ts": [1, 2, 3]})
    log = read_log(frame)
    assert (list(log.users), list(log.items)) == (["1", "2"], ["7", "8"])
    assert [(r.reason, r.rows) for r in log.rejected] == [("user_id is empty", 1)]
    assert list(read_log(pl.from_dict({"user_id": [1.0], "item_id": [2], "ts": [3]})).users) == ["1"]


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_native_times_of_frames_are_read_in_utc(zone: str | None) -> None:
    moment = datetime(2020, 6, 1, tzinfo=UTC)  # 1590969600
    columns = {"user_id": ["a"], "item_id": ["x"]}
    times = pd.to_datetime([moment]).tz_convert(zone)
    assert read_log(pd.DataFrame({**columns, "ts": times})).time.tolist() == [1590969600.0]
    native = pl.Series([moment]).dt.convert_time_zone(zone) if zone else pl.Series([moment.replace(tzinfo=None)])
    assert read_log(pl.DataFrame({**columns, "ts": native})).time.tolist() == [1590969600.0]


def test_the_header_of_a_csv_tells_its_separator(tmp_path: Path) -> None:
    log = read_log(write(tmp_path / "log.csv", csv_text(ROWS, "sessionId;itemId;eventdate", ";")))
    assert events_of(log) == EVENTS
    assert any("';'" in note for note in log.notes)


def test_a_log_of_several_batches_is_one_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.data.reading.formats.BATCH", 7)
    rows = [(f"u{(place * 7) % 31}", f"i{place % 13}", place) for place in range(500)]
    path = write(tmp_path / "log.csv", csv_text([*rows, ("", "x", 1)], "user_id,item_id,ts"))
    log = read_log(path)
    assert events_of(log) == [(user, item, float(time)) for user, item, time in rows]
    assert list(log.users) == list(dict.fromkeys(user for user, _, _ in rows))
    assert "row 501" in log.rejected[0].example


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=8)
rows_of_any_text = st.lists(st.tuples(texts, texts, st.integers(0, 5)), min_size=1, max_size=20)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=rows_of_any_text)
def test_any_ids_written_to_csv_come_back(tmp_path: Path, rows: list[tuple[str, str, int]]) -> None:
    path = tmp_path / "log.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["user_id", "item_id", "ts"])
        writer.writerows(rows)
    expected = sorted(rows, key=lambda row: row[2])
    log = read_log(path)
    assert events_of(log) == [(user, item, float(time)) for user, item, time in expected]
    assert list(log.items) == list(dict.fromkeys(item for _, item, _ in expected))
