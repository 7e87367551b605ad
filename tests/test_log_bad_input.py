"""Logs that cannot be read, or not wholly: each says what, where and what to do."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from segue.data.log import read_log
from segue.errors import ConfigError, LogError

HEADER = "user_id,item_id,ts\n"


def failure(path: object, **options: object) -> str:
    with pytest.raises(LogError) as error:
        read_log(path, **options)  # type: ignore[arg-type]
    # Nothing of polars is shown.
    assert error.value.__cause__ is None
    return str(error.value)


def save(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_rejected_rows_are_counted_by_reason_with_the_first_example(tmp_path: Path) -> None:
    text = HEADER + "a,x,1\n,x,2\nb,,3\nc,,4\n" + f"{'z' * 1025},x,5\n"
    log = read_log(save(tmp_path / "log.csv", text))
    assert len(log) == 1
    assert list(log.users) == ["a"]
    assert [(r.reason, r.rows) for r in log.rejected] == [
        ("item_id is empty", 2),
        ("user_id is empty", 1),
        ("user_id is longer than 1,024 bytes", 1),
    ]
    assert log.rejected[0].example == "log.csv, row 3, column `item_id`: found nothing, expected an id"
    assert len(log.rejected[2].example) < 160


def test_ids_of_1024_bytes_and_with_spaces_around_are_kept(tmp_path: Path) -> None:
    log = read_log(save(tmp_path / "log.csv", HEADER + f"{'z' * 1024}, x ,1\n"))
    assert log.items[0] == " x "
    assert log.rejected == ()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,x,1,1,holdout", "split is unknown"),
        ("a,x,1,1,", "split is unknown"),
        ("a,x,1,much,train", "weight is not a number"),
        ("a,x,1,-1,train", "weight is below zero"),
    ],
)
def test_a_row_with_a_bad_split_or_weight_is_rejected(tmp_path: Path, row: str, reason: str) -> None:
    text = f"user_id,item_id,ts,weight,split\nb,y,1,1,train\n{row}\n"
    log = read_log(save(tmp_path / "log.csv", text))
    assert [(r.reason, r.rows) for r in log.rejected] == [(reason, 1)]


def test_rows_with_fewer_fields_than_the_header_are_rejected(tmp_path: Path) -> None:
    log = read_log(save(tmp_path / "log.csv", HEADER + "a,x,1\nb,y\n\n"))
    assert len(log) == 1
    assert sum(r.rows for r in log.rejected) == 2


def test_a_missing_column_lists_what_there_is_and_the_option(tmp_path: Path) -> None:
    message = failure(save(tmp_path / "log.csv", "user_id,thing,ts\na,x,1\n"))
    assert "log.csv has no column that is known to hold the item" in message
    assert "found `user_id`, `thing`, `ts`" in message
    assert "movieid" in message
    assert "--item-col" in message


def test_a_file_without_a_header_is_asked_for_one(tmp_path: Path) -> None:
    assert "lack a header" in failure(save(tmp_path / "log.csv", "196,242,881250949\n186,302,891717742\n"))


@pytest.mark.parametrize("missing", ["user_id", "ts"])
def test_a_log_needs_a_user_and_a_time(tmp_path: Path, missing: str) -> None:
    message = failure(save(tmp_path / "log.csv", f"{HEADER}a,x,1\n".replace(missing, "other")))
    assert {"user_id": "--session-col", "ts": "--order-col"}[missing] in message


def test_when_all_rows_are_rejected_the_reasons_are_given(tmp_path: Path) -> None:
    message = failure(save(tmp_path / "log.csv", HEADER + "a,,1\nb,y,soon\n"))
    assert message.startswith("none of the 2 rows of log.csv can be used: ")
    assert "1 because item_id is empty" in message
    assert "found 'soon'" in message


@pytest.mark.parametrize("text", [HEADER, HEADER.strip()])
def test_a_header_alone_is_no_log(tmp_path: Path, text: str) -> None:
    assert "log.csv has columns but no rows" in failure(save(tmp_path / "log.csv", text))


@pytest.mark.parametrize("name", ["log.csv", "log.tsv", "log.jsonl", "log.parquet"])
def test_an_empty_file_is_no_log(tmp_path: Path, name: str) -> None:
    assert f"{name} is empty" in failure(save(tmp_path / name, b""))


def test_an_empty_file_that_was_packed_is_no_log(tmp_path: Path) -> None:
    assert "log.csv.gz is empty" in failure(save(tmp_path / "log.csv.gz", gzip.compress(b"")))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    assert "there is no file" in failure(tmp_path / "log.csv")
    assert "no file matches" in failure(tmp_path / "*.csv")
    save(tmp_path / "notes.txt", "hello")
    assert "holds no file that segue reads (1 others)" in failure(tmp_path)
    assert "no known suffix" in failure(tmp_path / "notes.txt")
    assert "empty list" in failure([])


def test_files_with_different_columns_are_not_one_log(tmp_path: Path) -> None:
    save(tmp_path / "a.csv", HEADER + "a,x,1\n")
    save(tmp_path / "b.csv", "user_id,item_id,ts,weight\na,x,1,2\n")
    message = failure(tmp_path)
    assert "b.csv has a column for weight, and a.csv has none" in message


def test_a_column_of_lists_is_no_column_of_ids() -> None:
    frame = pl.DataFrame({"user_id": [["a"]], "item_id": ["x"], "ts": [1]})
    assert "column `user_id` holds List(String)" in failure(frame)


def test_a_lazy_frame_that_fails_is_said_to() -> None:
    frame = pl.LazyFrame({"user_id": ["a"], "item_id": ["x"], "ts": ["soon"]})
    assert "lazy frame cannot be computed" in failure(frame.select("nothing"))
    assert "lazy frame cannot be computed" in failure(frame.with_columns(pl.col("ts").cast(pl.Int64)))


def test_what_is_no_source_or_format_is_asked_wrongly(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read a int"):
        read_log(7)
    with pytest.raises(ConfigError, match="did you mean `csv`"):
        read_log(save(tmp_path / "log.csv", HEADER), format="cvs")


def test_one_user_and_one_item_are_a_log(tmp_path: Path) -> None:
    assert len(read_log(save(tmp_path / "log.csv", HEADER + "a,x,1\na,x,2\n"))) == 2
