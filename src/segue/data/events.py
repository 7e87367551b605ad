"""The event log: who, what, when, as plain arrays in time order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from segue.data import spill
from segue.data.ids import Ids
from segue.shapes import Array, Bools, Doubles, Floats, Ints

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class EventLog:
    """Events sorted by time; where times tie, in the order of the source (never by an id).

    Arrays are never written to, and may be memory maps.

    Attributes:
        users, items: the identifiers, in order of first appearance.
        user, item: (E,) places in `users` and `items`.
        time: (E,) Unix seconds in UTC; or, where `timed` is False, the place in the user's own order.
        timed: False if the log has an order but no times that can be compared across users.
        anonymous: True if the source names sessions but no users, so that each session is its own user.
        session: (E,) a number per session id of the source, or None if it has no session column.
        type_names, event_type: the kinds of event, and (E,) which one each is; None if there is no such column.
        weight: (E,) or None.
        split: (E,) 0 train, 1 valid, 2 test (see `SPLITS`), as published with the log; or None.
        features: further columns of the log by name, each (E,): float32, or int32 codes of `feature_names`.
        feature_names: for each categorical feature, its values by code.
        notes: what the reader decided and saw, one sentence each, to be printed.
        rejected: rows left out, by reason.
    """

    users: Ids
    items: Ids
    user: Ints
    item: Ints
    time: Doubles
    timed: bool = True
    anonymous: bool = False
    session: Ints | None = None
    type_names: tuple[str, ...] = ()
    event_type: Array | None = None
    weight: Floats | None = None
    split: Array | None = None
    features: Mapping[str, Array] = field(default_factory=dict)
    feature_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    rejected: tuple[Rejection, ...] = ()

    def __len__(self) -> int:
        return len(self.item)

    @property
    def remarks(self) -> list[str]:
        """The notes, and what was left out and why: everything a reader of a figure must know of the log."""
        return [*self.notes, *(f"left out: {no.rows:,} rows, {no.reason} ({no.example})" for no in self.rejected)]

    def where(self, keep: Bools) -> EventLog:
        """The events that `keep` (E,) marks, with the same ids and order; views, where these lie side by side."""
        run = spill.run_of(keep)

        def of(column: Array) -> Array:
            return spill.taken(column, keep) if run is None else column[run]

        names = ("user", "item", "time", "session", "event_type", "weight", "split")
        pick = {name: None if column is None else of(column) for name in names for column in [getattr(self, name)]}
        features = {name: of(column) for name, column in self.features.items()}
        return replace(self, **pick, features=features)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Rejection:
    """Rows that were left out for one reason, and the first of them.

    Attributes:
        reason: a few words, such as "item_id is empty".
        rows: how many.
        example: file, row, column, value and what was expected, as a sentence.
    """

    reason: str
    rows: int
    example: str


def log_of(users: list[str], items: list[str], times: list[float], **columns: Array) -> EventLog:
    """A log from three lists, for tests and small examples; sorted by time, ties in the order given."""
    order = np.argsort(np.asarray(times, np.float64), kind="stable")
    user_ids, item_ids = dict.fromkeys(users[i] for i in order), dict.fromkeys(items[i] for i in order)
    user_place = {u: i for i, u in enumerate(user_ids)}
    item_place = {u: i for i, u in enumerate(item_ids)}
    return EventLog(
        users=Ids.of(user_ids),
        items=Ids.of(item_ids),
        user=np.array([user_place[users[i]] for i in order], np.int32),
        item=np.array([item_place[items[i]] for i in order], np.int32),
        time=np.asarray(times, np.float64)[order],
        **{name: np.asarray(column)[order] for name, column in columns.items()},  # type: ignore[arg-type]
    )
