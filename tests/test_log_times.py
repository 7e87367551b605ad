"""How the times of a log are understood."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from segue.data.log import read_log
from segue.errors import LogError


def log_with(tmp_path: Path, times: list[str]) -> Path:
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,ts\n" + "".join(f"u,i{n},{time}\n" for n, time in enumerate(times)))
    return path


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("1590969600", "Unix seconds"),
        ("1590969600.0", "Unix seconds"),
        ("1.5909696e9", "Unix seconds"),
        (" 1590969600 ", "Unix seconds"),
        ("1590969600000", "Unix milliseconds"),
        ("1590969600000000", "Unix microseconds"),
        ("1590969600000000000", "Unix nanoseconds"),
        ("2020-06-01", "dates"),
        ("2020-06-01 00:00", "dates"),
        ("2020-06-01 00:00:00", "dates"),
        ("2020-06-01T00:00:00Z", "dates"),
        ("2020-06-01 00:00:00 UTC", "dates"),
        ("2020-06-01T02:00:00.000+02:00", "dates"),
        ("2020-05-31T18:30:00-0530", "dates"),
    ],
)
def test_a_moment_is_the_same_however_it_is_written(tmp_path: Path, text: str, unit: str) -> None:
    log = read_log(log_with(tmp_path, [text]))
    assert log.time.tolist() == [1590969600.0]
    assert f"times read as {unit}, 2020-06-01 to 2020-06-01 UTC" in log.notes


def test_fractions_of_a_second_are_kept(tmp_path: Path) -> None:
    times = ["2020-06-01T00:00:00.25Z", "2020-06-01T00:00:00.5Z"]
    assert read_log(log_with(tmp_path, times)).time.tolist() == [1590969600.25, 1590969600.5]
    assert read_log(log_with(tmp_path, ["1590969600250"])).time.tolist() == [1590969600.25]


def test_units_that_mix_are_an_error_with_counts_and_examples(tmp_path: Path) -> None:
    path = log_with(tmp_path, ["1590969600", "1590969600000", "1590969601"])
    with pytest.raises(LogError) as error:
        read_log(path)
    message = str(error.value)
    assert "2 as Unix seconds (log.csv, row 1, column `ts`: found '1590969600')" in message
    assert "1 as Unix milliseconds (log.csv, row 2, column `ts`: found '1590969600000')" in message
    assert "--time-col" in message


def test_dates_and_unix_times_do_not_mix(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"1 as Unix seconds.*1 as dates"):
        read_log(log_with(tmp_path, ["1590969600", "2020-06-01"]))


def test_zero_fits_every_unit(tmp_path: Path) -> None:
    assert read_log(log_with(tmp_path, ["0", "1590969600000"])).time.tolist() == [0.0, 1590969600.0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("yesterday", "time cannot be read"),
        ("", "time cannot be read"),
        ("nan", "time cannot be read"),
        ("inf", "time cannot be read"),
        ("2020-13-01", "time cannot be read"),
        ("2020-02-30", "time cannot be read"),
        ("12/1/2010 8:26", "time cannot be read"),
        ("-5", "time is before 1970"),
        ("1969-12-31", "time is before 1970"),
        ("2201-01-01", "time is after the year 2200"),
        ("90000000000", "time is after the year 2200"),
    ],
)
def test_a_row_whose_time_is_none_is_rejected_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    log = read_log(log_with(tmp_path, ["1590969600", text]))
    assert len(log) == 1
    assert [(r.reason, r.rows) for r in log.rejected] == [(reason, 1)]
    shown = f"'{text}'" if text else "nothing"
    assert log.rejected[0].example.startswith(f"log.csv, row 2, column `ts`: found {shown}, expected Unix seconds")


def test_days_of_a_parquet_file_are_midnights(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user_id": ["a"], "item_id": ["x"], "date": ["2020-06-01"]})
    frame.with_columns(pl.col("date").str.to_date()).write_parquet(tmp_path / "log.parquet")
    assert read_log(tmp_path / "log.parquet").time.tolist() == [1590969600.0]
