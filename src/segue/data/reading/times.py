"""Times of a log, however written, as Unix seconds in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import polars as pl

from segue.data.reading.coding import as_numbers, as_strings
from segue.errors import LogError
from segue.shapes import Array, Doubles

EXPECTED = "Unix seconds, milliseconds, microseconds or nanoseconds, or ISO-8601 (2020-05-31T12:00:00Z)"
LATEST = 7_258_118_400.0  # 2200-01-01
KINDS = ("Unix seconds", "Unix milliseconds", "Unix microseconds", "Unix nanoseconds", "dates")
LIMITS = np.array([1e11, 1e14, 1e17])
SCALES = np.array([1.0, 1e3, 1e6, 1e9, 1.0])
DATES = 4
ISO = (
    r"^\s*(?<day>\d{4}-\d{2}-\d{2})"
    r"(?:[Tt ](?<clock>\d{2}:\d{2}(?::\d{2})?)(?<fraction>[.,]\d+)?)?"
    r"\s*(?<zone>[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?\s*$"
)


class TimeReader:
    """Reads a column of times batch by batch, and remembers in which units they came."""

    def __init__(self) -> None:
        self.counts = np.zeros(len(KINDS), np.int64)
        self.examples: dict[int, str] = {}

    def read(self, column: pl.Series, where: str, cell: Callable[[int], str]) -> Doubles:
        """Unix seconds (E,); nan where a value is none, below zero where it lies before 1970.

        Args:
            column: numbers, strings, dates or date-times.
            where: the table, for messages.
            cell: describes the value in a row of the column.
        """
        if column.dtype in (pl.Date, pl.Datetime):
            stamps = column.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64)
            seconds: Doubles = stamps.to_numpy() / 1e6
            kinds = np.full(len(column), DATES)
        else:
            numbers = as_numbers(column, where)
            kinds = np.searchsorted(LIMITS, np.abs(numbers), side="right").astype(np.int64)
            kinds[np.isnan(numbers)] = 0
            seconds = numbers / SCALES[kinds]
            if not column.dtype.is_numeric():
                text = as_strings(column, where)
                words = np.flatnonzero(np.isnan(seconds) & text.is_not_null().to_numpy())
                if len(words):
                    seconds[words] = parse_iso(text.gather(words))
                    kinds[words] = DATES
        seconds[~np.isfinite(seconds)] = np.nan
        self._count(kinds, seconds, cell)
        return seconds

    def _count(self, kinds: Array, seconds: Doubles, cell: Callable[[int], str]) -> None:
        # A zero is the same moment in every unit, and what is rejected anyhow does not vote.
        votes = (seconds > 0) & (seconds < LATEST)
        counts = np.bincount(kinds[votes], minlength=len(KINDS))
        for kind in np.flatnonzero((counts > 0) & (self.counts == 0)):
            self.examples[int(kind)] = cell(int(np.argmax(votes & (kinds == kind))))
        self.counts += counts

    def kind(self) -> str:
        """The one way in which the times were written.

        Raises:
            LogError: there is more than one.
        """
        seen = np.flatnonzero(self.counts)
        if len(seen) > 1:
            parts = "; ".join(f"{self.counts[k]:,} as {KINDS[k]} ({self.examples[int(k)]})" for k in seen)
            raise LogError(
                f"the times are written in different ways: {parts}; expected one unit throughout; "
                "convert the column to one unit, or name another with `time_col` (--time-col)"
            )
        return KINDS[seen[0]] if len(seen) else KINDS[0]


def parse_iso(text: pl.Series) -> Doubles:
    """ISO-8601 dates and date-times as Unix seconds; without a zone they are UTC; nan where it is none."""
    parts = text.alias("text").to_frame().select(pl.col("text").str.extract_groups(ISO)).unnest("text")
    clock = pl.col("clock").fill_null("00:00")
    clock = pl.when(clock.str.len_bytes() == 5).then(clock + ":00").otherwise(clock)
    whole = (pl.col("day") + " " + clock).str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    fraction = ("0." + pl.col("fraction").str.slice(1)).cast(pl.Float64).fill_null(0.0)
    zone = pl.col("zone").str.replace(":", "")
    minutes = zone.str.slice(1, 2).cast(pl.Float64, strict=False) * 60 + (
        zone.str.slice(3, 2).cast(pl.Float64, strict=False).fill_null(0.0)
    )
    offset = pl.when(zone.str.starts_with("-")).then(-minutes).otherwise(minutes).fill_null(0.0) * 60
    seconds = whole.dt.epoch("us").cast(pl.Float64) / 1e6 + fraction - offset
    return parts.select(seconds.fill_null(np.nan)).to_series().to_numpy().copy()


def day(seconds: float) -> str:
    """The date of a moment.

    >>> day(1590969600.0)
    '2020-06-01'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
