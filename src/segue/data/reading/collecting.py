"""The events of a log as they come in, batch by batch, and their order at the end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from segue.data.events import EventLog
from segue.data.reading.checks import Checks
from segue.data.reading.coding import Coder, as_numbers, as_strings, by_appearance, pack
from segue.data.reading.columns import Columns
from segue.data.reading.features import Feature
from segue.data.reading.sorting import Order, rises
from segue.data.reading.spool import Spool
from segue.data.reading.tables import Batch
from segue.data.reading.times import EXPECTED, LATEST, TimeReader, day
from segue.shapes import Array, Bools

HEAVIEST = 1e18
"""The largest weight of an event: products and sums of such ones are still finite in float32."""

PARTS = {"train": 0, "training": 0, "valid": 1, "validation": 1, "val": 1, "dev": 1, "test": 2, "testing": 2}
IDS = ("user_id", "item_id", "session_id")


class Collector:
    """Checks, encodes and keeps batches; `finish` sorts them into a log."""

    def __init__(self, roles: Collection[str], features: Sequence[str]) -> None:
        self.roles = roles
        self.checks = Checks()
        self.times = TimeReader()
        self.coders = {role: Coder() for role in (*IDS, "event_type") if role in roles}
        self.further = {name: Feature() for name in features}
        self.kept: dict[str, Spool] = {}
        self.n_rows = 0
        self.n_events = 0
        self.unweighed = 0

    def add(self, batch: Batch, columns: Columns) -> None:
        """Take the usable rows of a batch."""
        keep = np.ones(batch.frame.height, bool)
        texts: dict[str, pl.Series] = {}
        numbers: dict[str, Array] = {}
        for role, column in columns.by_role.items():
            series = batch.frame[column]
            if role in IDS:
                texts[role] = as_strings(series, batch.table)
                self.checks.check_ids(keep, texts[role], role, batch, column)
            elif role == "event_type":
                texts[role] = as_strings(series, batch.table).fill_null("")
            else:
                numbers[role] = self._numbers(role, keep, batch, column)
        further = {
            name: as_strings(parted(batch.frame[column]), batch.table).fill_null("")
            for name, column in columns.features.items()
        }
        self.n_rows += len(keep)
        self.n_events += int(keep.sum())
        mask = None if keep.all() else pl.Series(keep)
        for name, text in texts.items():
            self._keep(name, self.coders[name].encode(text if mask is None else text.filter(mask)))
        for name, text in further.items():
            self.further[name].add(text if mask is None else text.filter(mask))
        for name, values in numbers.items():
            self._keep(name, values[keep])

    def _keep(self, name: str, values: Array) -> None:
        if name not in self.kept:
            self.kept[name] = Spool(values.dtype)
        self.kept[name].append(values)

    def _numbers(self, role: str, keep: Bools, batch: Batch, column: str) -> Array:
        series, reject = batch.frame[column], self.checks.reject
        if role == "time":
            values = self.times.read(series, batch.table, lambda row: batch.cell(row, column))
            reject(keep, np.isnan(values), "time cannot be read", batch, column, EXPECTED)
            reject(keep, values < 0, "time is before 1970", batch, column, EXPECTED)
            reject(keep, values >= LATEST, "time is after the year 2200", batch, column, EXPECTED)
            return values
        if role == "split":
            words = as_strings(series, batch.table).str.strip_chars().str.to_lowercase()
            parts = words.replace_strict(PARTS, default=-1, return_dtype=pl.Int8).to_numpy()
            reject(keep, parts < 0, "split is unknown", batch, column, "train, valid or test")
            return parts
        values = as_numbers(series, batch.table)
        if role == "weight":
            # what has none, such as a view where only purchases have a price, is an event all the same
            empty = empty_in(series)
            self.unweighed += int((empty & keep).sum())
            values = np.where(empty, 0.0, values)
        reject(keep, ~np.isfinite(values), f"{role} is not a number", batch, column, "a finite number")
        if role == "weight":
            reject(keep, values < 0, "weight is below zero", batch, column, "a number from 0 on")
            reject(keep, values > HEAVIEST, f"weight is above {HEAVIEST:g}", batch, column, "a number in a larger unit")
            return np.minimum(values, HEAVIEST).astype(np.float32)
        return values

    def finish(self, notes: Sequence[str]) -> EventLog:
        """The log of all that was added; the collector is empty afterwards."""
        notes = list(notes)
        feature_coders = {}
        for name in list(self.further):
            self.kept[f"feature {name}"], feature_coders[name] = self.further.pop(name).finish()
        self._sort(notes)
        timed = "time" in self.roles
        columns: dict[str, Any] = {"time": self.kept.pop("time" if timed else "order").array()}
        self.kept.pop("order", None)
        ids = {}
        for role in [role for role in IDS if role in self.coders]:
            codes, coder = self.kept.pop(role), self.coders.pop(role)
            columns[role.removesuffix("_id")], ids[role] = by_appearance(codes, coder.strings)
        anonymous = "user_id" not in ids
        if anonymous:
            columns["user"] = columns["session"]
            notes.append("no user column: each session is taken as a user of its own")
        if "event_type" in self.coders:
            coder = self.coders.pop("event_type")
            columns["event_type"], types = by_appearance(self.kept.pop("event_type"), coder.strings)
            columns["type_names"] = tuple(types)
        for role in ("weight", "split"):
            if role in self.kept:
                columns[role] = self.kept.pop(role).array()
        if self.unweighed:
            notes.append(f"{self.unweighed:,} events have no weight: it is taken as 0")
        features, feature_names = self._take_features(feature_coders, notes)
        return EventLog(
            users=pack(ids["session_id" if anonymous else "user_id"]),
            items=pack(ids["item_id"]),
            timed=timed,
            anonymous=anonymous,
            features=features,
            feature_names=feature_names,
            notes=tuple(notes),
            rejected=self.checks.rejections(),
            **columns,
        )

    def _sort(self, notes: list[str]) -> None:
        """Put what is kept into time order."""
        if "time" in self.roles:
            low, high = zip(*((times.min(), times.max()) for times in self.kept["time"].blocks()), strict=True)
            notes.append(f"times read as {self.times.kind()}, {day(min(low))} to {day(max(high))} UTC")
        else:
            notes.append("no times: events are in the order of a column, and are not compared across users")
        keys = [name for name in ("time", "order") if name in self.roles]
        if rises([self.kept[name] for name in keys]):
            return
        # Each sort keeps the order of equal keys, so the key that counts most comes last.
        for name in reversed(keys):
            if not rises([self.kept[name]]):
                order = Order(self.kept[name])
                for column in self.kept:
                    self.kept[column] = order.applied(self.kept[column])
        notes.append("input was not in time order: sorted (equal times keep the order of the source)")

    def _take_features(
        self, coders: Mapping[str, Coder | None], notes: list[str]
    ) -> tuple[dict[str, Array], dict[str, tuple[str, ...]]]:
        features: dict[str, Array] = {}
        names: dict[str, tuple[str, ...]] = {}
        for name, coder in coders.items():
            spool = self.kept.pop(f"feature {name}")
            if coder is None:
                features[name] = spool.array()
                notes.append(f"feature `{name}` is numeric")
            else:
                features[name], strings = by_appearance(spool, coder.strings)
                names[name] = tuple(strings)
                notes.append(f"feature `{name}` is one of {len(strings):,} values")
        return features, names


def parted(series: pl.Series) -> pl.Series:
    """A column of lists as one of texts parted by `|`; any other as it is."""
    if not isinstance(series.dtype, pl.List):
        return series
    texts = pl.col(series.name).cast(pl.List(pl.String)).list.drop_nulls().list.join("|")
    return series.to_frame().select(texts).to_series()


def empty_in(series: pl.Series) -> Bools:
    """Where a column has nothing: null, a text of blanks, or the NaN that stands for nothing in a column of numbers."""
    empty = series.is_null()
    if series.dtype == pl.String:
        empty |= (series.str.strip_chars() == "").fill_null(False)
    if series.dtype.is_float():
        empty |= series.is_nan().fill_null(False)
    return np.asarray(empty.to_numpy(), bool)
