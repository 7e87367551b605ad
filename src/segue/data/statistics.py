"""What kind of log is this? Its measures, and the traps in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.data.sessions import lay_out
from segue.errors import LogError
from segue.shapes import Array

HALF_HOUR = 1800.0


class Statistics(NamedTuple):
    """Measures of a log. Shares are between 0 and 1.

    Attributes:
        events, users, items, sessions: how many.
        density: events over users x items.
        length: events a user, at the 10th, 50th, 90th percentile, and the most.
        session_length: the same of a session (by session id, else by pauses over half an hour).
        first_time, last_time: Unix seconds; None without times.
        median_pause: seconds between a user's neighbouring events; None without times.
        repeated: events whose item the user had before.
        repeated_at_once: events whose item is that of the event before.
        tied: neighbouring events of a user that share their time.
        ascending: of those whose items differ, the share in ascending order of the item id.
        drift: how far popularity moves: total variation between the first and the last tenth of the log.
        cold_items, cold_users: of the last tenth's events, those whose item or user did not occur before.
        top_share: events of the most popular hundredth of the items.
    """

    events: int
    users: int
    items: int
    sessions: int
    density: float
    length: tuple[int, int, int, int]
    session_length: tuple[int, int, int, int]
    first_time: float | None
    last_time: float | None
    median_pause: float | None
    repeated: float
    repeated_at_once: float
    tied: float
    ascending: float
    drift: float
    cold_items: float
    cold_users: float
    top_share: float


def measure(log: EventLog) -> Statistics:
    """Measure a log. Raises LogError where there is nothing to learn: one user's one event, or one item."""
    if len(log) < 2 or len(np.unique(log.item)) < 2:
        raise LogError(
            f"the log has {len(log)} events of {len(np.unique(log.item))} items: "
            "at least two events and two items are needed to learn what comes next"
        )
    gap = HALF_HOUR if log.timed and log.session is None else None
    laid = lay_out(log, gap=gap, at_session_start="reset")
    first = np.zeros(len(laid), bool)
    first[laid.bounds[:-1]] = True
    within = ~first[1:]
    pause = np.diff(laid.time)[within]
    before, after = laid.item[:-1][within], laid.item[1:][within]
    tied = (pause == 0) & log.timed
    differ = tied & (before != after)
    order = id_order(log.items)
    ascending = order[after[differ]] > order[before[differ]]
    last_tenth = np.arange(len(log)) >= len(log) - max(1, len(log) // 10)
    counts = np.bincount(log.item, minlength=len(log.items))
    return Statistics(
        events=len(log),
        users=len(laid.of),
        items=int((counts > 0).sum()),
        sessions=int(laid.opens.sum()),
        density=len(log) / (len(laid.of) * max(1, int((counts > 0).sum()))),
        length=spread(np.diff(laid.bounds)),
        session_length=spread(np.diff(np.append(np.flatnonzero(laid.opens), len(laid)))),
        first_time=float(log.time[0]) if log.timed else None,
        last_time=float(log.time[-1]) if log.timed else None,
        median_pause=float(np.median(pause)) if log.timed and len(pause) else None,
        repeated=repeats(log),
        repeated_at_once=float((before == after).mean()) if len(before) else 0.0,
        tied=float(tied.mean()) if len(tied) else 0.0,
        ascending=float(ascending.mean()) if len(ascending) else 0.0,
        drift=drift(log, counts),
        cold_items=float((~np.isin(log.item[last_tenth], log.item[~last_tenth])).mean()),
        cold_users=float((~np.isin(log.user[last_tenth], log.user[~last_tenth])).mean()),
        top_share=float(np.sort(counts)[-max(1, len(counts) // 100) :].sum() / len(log)),
    )


def warnings_of(statistics: Statistics) -> list[str]:
    """What makes a figure on this log mean less than it seems."""
    found = []
    if statistics.tied > 0.1 and statistics.ascending > 0.9:
        found.append(
            f"{statistics.tied:.0%} of neighbouring events share their time, and {statistics.ascending:.0%} of those "
            "stand in ascending order of the item id: the order inside a tie is an artefact of the source, and a model "
            "is rewarded for learning it. Shuffle ties, or read figures on this log with that in mind"
        )
    if statistics.cold_items > 0.2:
        found.append(
            f"{statistics.cold_items:.0%} of the latest events are of items that did not occur before: "
            "no model that knows items by their id can answer these"
        )
    return found


def spread(lengths: Array) -> tuple[int, int, int, int]:
    """The 10th, 50th and 90th percentile, and the greatest."""
    low, middle, high = np.percentile(lengths, [10, 50, 90]).astype(int)
    return int(low), int(middle), int(high), int(lengths.max())


def repeats(log: EventLog) -> float:
    """The share of events whose item the user had before."""
    pairs = log.user.astype(np.int64) * len(log.items) + log.item
    return 1 - len(np.unique(pairs)) / len(pairs)


def drift(log: EventLog, counts: Array) -> float:
    """Total variation between the popularity of the first and the last tenth, less chance: 0 still, 1 all new."""
    tenth = max(1, len(log) // 10)
    parts = [np.bincount(part, minlength=len(counts)) / tenth for part in (log.item[:tenth], log.item[-tenth:])]
    middle = log.item[-2 * tenth : -tenth] if len(log) >= 2 * tenth else log.item[:tenth]
    near = np.bincount(middle, minlength=len(counts)) / max(len(middle), 1)
    apart, chance = (0.5 * float(np.abs(parts[1] - other).sum()) for other in (parts[0], near))
    return max(0.0, apart - chance)


def id_order(items: Ids) -> Array:
    """(N,) the place of each item in ascending order of its id: as numbers where all are, else as strings."""
    ids = list(items)
    if all(string.isascii() and string.isdigit() and len(string) < 19 for string in ids):
        keys = np.array([int(string) for string in ids], np.int64)
        return np.argsort(np.argsort(keys, kind="stable"), kind="stable")
    place = np.empty(len(ids), np.int64)
    place[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
    return place
