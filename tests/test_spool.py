"""Logs larger than memory: what is read block by block and sorted part by part is what is read at once."""

from __future__ import annotations

import csv
import errno
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.data import spill
from segue.data.events import EventLog
from segue.data.log import read_log
from segue.data.reading import sorting
from segue.data.reading.sorting import Order, rises
from segue.data.reading.spool import Spool
from segue.errors import LogError


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Bounds so small that a log of ten rows needs files, blocks, and parts."""
    shrink(monkeypatch)
    return monkeypatch


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    for place, value in {
        "segue.data.spill.LARGE": 16,
        "segue.data.spill.BLOCK": 3,
        "segue.data.reading.sorting.PART": 4,
        "segue.data.reading.sorting.SAMPLE": 2,
    }.items():
        monkeypatch.setattr(place, value)


def spooled(values: list[float]) -> Spool:
    spool = Spool(np.float64)
    for left in range(0, len(values), 2):
        spool.append(np.array(values[left : left + 2], np.float64))
    return spool


def assert_same(one: EventLog, other: EventLog) -> None:
    for field in fields(EventLog):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if field.name == "features":
            assert list(left) == list(right)
            left, right = list(left.values()), list(right.values())
        else:
            left, right = [left], [right]
        for a, b in zip(left, right, strict=True):
            if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
                assert a.dtype == b.dtype
                np.testing.assert_array_equal(a, b)
            else:
                assert a == b


KEYS = st.one_of(
    st.lists(st.integers(0, 3).map(float)),
    st.lists(st.floats(allow_nan=False)),
    st.lists(st.floats(allow_nan=False)).map(sorted),
    st.lists(st.sampled_from([0.0, 7.0]), min_size=20),
)


@given(values=KEYS, tight=st.booleans())
def test_a_sort_in_parts_is_the_stable_sort(values: list[float], tight: bool) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        if tight:
            shrink(monkeypatch)
        key, places = spooled(values), spooled([float(place) for place in range(len(values))])
        order = Order(key)
        expected = sorted(range(len(values)), key=values.__getitem__)
        assert order.applied(places).array().tolist() == expected
        assert order.applied(key).array().tolist() == [values[place] for place in expected]
        if values:
            assert rises([key]) == (values == sorted(values))


def test_common_values_are_parts_of_their_own_which_no_one_sorts(tiny: pytest.MonkeyPatch) -> None:
    values = [5.0] * 50 + [1.0] * 30 + [9.0] * 10
    lengths: list[int] = []
    argsort = np.argsort

    def noted(array: Any, **options: Any) -> Any:
        lengths.append(len(array) if array.dtype == np.float64 else 0)
        return argsort(array, **options)

    tiny.setattr(sorting.np, "argsort", noted)
    order = Order(spooled(values))
    assert order.applied(spooled(values)).array().tolist() == sorted(values)
    assert max(lengths, default=0) < 10


@given(rows=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1), tight=st.booleans())
def test_of_several_keys_the_first_counts(rows: list[tuple[int, int]], tight: bool) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        if tight:
            shrink(monkeypatch)
        keys = [spooled([float(row[place]) for row in rows]) for place in (0, 1)]
        assert rises(keys) == (rows == sorted(rows))


def test_a_spool_is_in_memory_then_in_a_file_and_reads_the_same(tiny: pytest.MonkeyPatch) -> None:
    spool = spooled([1.0])
    assert spool.array().tolist() == [1.0]
    spool.append(np.arange(10.0))
    spool.put(1, np.array([7.0, 8.0]))
    assert len(spool) == 11
    assert spool.read(slice(1, 4)).tolist() == [7.0, 8.0, 2.0]
    assert [block.tolist() for block in spool.blocks()][-1] == [8.0, 9.0]
    array = spool.array()
    del spool
    assert array.tolist() == [1.0, 7.0, 8.0, *range(2, 10)]
    array[0] = 3.0
    spill.release(array)
    assert array[0] == 3.0


ID = st.sampled_from(["a", "b", "ä", "long enough to matter", ""])
ROW = st.fixed_dictionaries(
    {
        "user_id": ID,
        "item_id": ID,
        "session_id": st.sampled_from(["s1", "s2", "s3"]),
        "timestamp": st.sampled_from(["1", "2", "2.5", "3", "1000", "never", "-1"]),
        "position": st.integers(0, 3).map(str),
        "event_type": st.sampled_from(["view", "buy", ""]),
        "weight": st.sampled_from(["0.5", "2", "-1"]),
        "split": st.sampled_from(["train", "valid", "test"]),
        "price": st.sampled_from(["1.5", "2", "", "2.0"]) | st.just("free"),
        "colour": st.sampled_from(["red", "blue", ""]),
    }
)
OPTIONAL = ["user_id", "session_id", "timestamp", "position", "event_type", "weight", "split"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(ROW, min_size=1, max_size=40),
    left_out=st.sets(st.sampled_from(OPTIONAL)),
    order_col=st.booleans(),
    n_files=st.integers(1, 3),
    rising=st.booleans(),
)
def test_a_log_read_in_tiny_pieces_is_the_log_read_at_once(
    tmp_path: Path, rows: list[dict[str, str]], left_out: set[str], order_col: bool, n_files: int, rising: bool
) -> None:
    names = [name for name in rows[0] if name not in left_out]
    if rising:
        rows = sorted(rows, key=lambda row: (row["timestamp"], row["position"]))
    for old in tmp_path.iterdir():
        old.unlink()
    paths = [tmp_path / f"{number}.csv" for number in range(n_files)]
    for number, path in enumerate(paths):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names, extrasaction="ignore", quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(rows[number::n_files])
    chosen = {"order_col": "position"} if order_col and "position" in names else {}

    def read() -> EventLog | str:
        try:
            return read_log(paths, feature_cols=["price", "colour"], **chosen)
        except LogError as error:
            return str(error)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("segue.data.reading.formats.BATCH", 5)
        expected = read()
        shrink(monkeypatch)
        found = read()
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
        return
    assert_same(found, expected)
    assert_in_order(found, [row for number in range(n_files) for row in rows[number::n_files]], names, bool(chosen))


def assert_in_order(log: EventLog, rows: list[dict[str, str]], names: list[str], ordered: bool) -> None:
    """The same from the rows, with Python's sort and dictionaries."""
    users = "user_id" if "user_id" in names else "session_id"
    timed = "timestamp" in names
    usable = [
        row
        for row in rows
        if row[users] and row["item_id"]
        if not timed or row["timestamp"] not in ("never", "-1")
        if "weight" not in names or row["weight"] != "-1"
    ]
    keys = [*(["timestamp"] if timed else []), *(["position"] if ordered or not timed else [])]
    events = sorted(usable, key=lambda row: [float(row[key]) for key in keys])
    assert log.users.take(log.user) == [row[users] for row in events]
    assert log.items.take(log.item) == [row["item_id"] for row in events]
    assert list(log.items) == list(dict.fromkeys(row["item_id"] for row in events))
    assert log.time.tolist() == [float(row[keys[0]]) for row in events]
    for name, column in log.features.items():
        values = [row[name] for row in events]
        if name in log.feature_names:
            assert [log.feature_names[name][code] for code in column] == values
            assert list(log.feature_names[name]) == list(dict.fromkeys(values))
            assert "free" in values or "red" in values or "blue" in values or not any(values)
        else:
            assert any(values)
            np.testing.assert_array_equal(column, [float(value or "nan") for value in values])


def test_a_column_of_numbers_that_ends_in_a_word_is_one_of_kinds(tmp_path: Path, tiny: pytest.MonkeyPatch) -> None:
    prices = [*(f"{n}.50" for n in range(12)), "", "free", "3.50"]
    path = tmp_path / "log.csv"
    path.write_text("user,item,ts,price\n" + "".join(f"u,i,{n},{price}\n" for n, price in enumerate(prices)))
    tiny.setattr("segue.data.reading.formats.BATCH", 5)
    log = read_log(path, feature_cols=["price"])
    assert [log.feature_names["price"][code] for code in log.features["price"]] == prices


def test_a_full_disk_under_temporary_files_says_what_to_do(tmp_path: Path, tiny: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user,item,ts\n" + "".join(f"u{n},i{n},{n}\n" for n in range(40)))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    tiny.setattr(Spool, "put", full)
    with pytest.raises(LogError, match=r"No space left on device.*TMPDIR"):
        read_log(path)
    tiny.setattr("os.posix_fallocate", full)
    with pytest.raises(LogError, match="TMPDIR"):
        spill.empty(100, np.int64)
