"""What kind of log is this? Its measures, and the traps in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.data.measures import distinct_pairs, lengths_between, median, neighbouring, spread, tally
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


def check_codes(log: EventLog) -> None:
    """Raise LogError where an event's item or user is none of the log's: columns of a packed log may be damaged."""
    for name, codes, ids in (("item", log.item, log.items), ("user", log.user, log.users)):
        for block in spill.blocks(len(codes)):
            low, high = int(codes[block].min()), int(codes[block].max())
            if low < 0 or high >= len(ids):
                raise LogError(
                    f"the log's column `{name}` is damaged: found {low if low < 0 else high}, expected 0 to "
                    f"{len(ids) - 1}; read the log again from its source, or pack it again"
                )
        spill.release(codes)


def measure(log: EventLog) -> Statistics:
    """Measure a log. Raises LogError where there is nothing to learn: one user's one event, or one item."""
    check_codes(log)
    counts = spill.counted(log.item, len(log.items))
    if len(log) < 2 or np.count_nonzero(counts) < 2:
        raise LogError(
            f"the log has {len(log)} events of {np.count_nonzero(counts)} items: "
            "at least two events and two items are needed to learn what comes next"
        )
    gap = HALF_HOUR if log.timed and log.session is None else None
    laid = lay_out(log, gap=gap, at_session_start="reset")
    lengths = lengths_between(laid.opens)
    pairs = neighbouring(laid, id_order(log.items), timed=log.timed)
    late = max(1, len(log) // 10)
    return Statistics(
        events=len(log),
        users=len(laid.of),
        items=int(np.count_nonzero(counts)),
        sessions=sum(lengths.values()),
        density=float(len(log) / (len(laid.of) * np.count_nonzero(counts))),
        length=spread(tally(np.diff(laid.bounds))),
        session_length=spread(lengths),
        first_time=float(log.time[0]) if log.timed else None,
        last_time=float(log.time[-1]) if log.timed else None,
        median_pause=median(laid) if log.timed and pairs.all else None,
        repeated=1 - distinct_pairs(laid, len(log.items)) / len(log),
        repeated_at_once=pairs.alike / max(pairs.all, 1),
        tied=pairs.tied / max(pairs.all, 1),
        ascending=pairs.ascending / max(pairs.differing, 1),
        drift=drift(log, len(counts)),
        cold_items=newcomers(log.item, late, len(log.items)),
        cold_users=newcomers(log.user, late, len(log.users)),
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


def newcomers(column: Array, late: int, number: int) -> float:
    """The share of the last `late` events whose number (of a user or an item) did not occur before."""
    new = spill.counted(column[:-late], number) == 0
    return float(spill.counted(column[-late:], number)[new].sum() / late)


def drift(log: EventLog, n_items: int) -> float:
    """Total variation between the popularity of the first and the last tenth, less chance: 0 still, 1 all new."""
    tenth = max(1, len(log) // 10)
    middle = log.item[-2 * tenth : -tenth] if len(log) >= 2 * tenth else log.item[:tenth]
    parts = [(log.item[:tenth], tenth), (log.item[-tenth:], tenth), (middle, max(len(middle), 1))]
    first, last, near = (spill.counted(part, n_items) / length for part, length in parts)
    apart, chance = (0.5 * float(np.abs(last - other).sum()) for other in (first, near))
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
