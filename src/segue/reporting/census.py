"""What of a log tells whether to trust figures on it, beside its measures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.events import EventLog
from segue.data.sessions import Sequences, neighbours
from segue.shapes import Longs

DAY = 86_400.0
TOO_FAST = 1.0
"""Seconds between two events that no person would need."""


class Census(NamedTuple):
    """Counts of a log. Of time nothing is known where it has none.

    Attributes:
        doubled: neighbouring events of a user with the same item at the same time.
        fast: neighbouring events of a user within a second, those of one time among them.
        pairs: neighbouring events of a user.
        heaviest: events of the user with the most.
        heaviest_hundredth: events of the hundredth of the users with the most.
        days: (D,) events a day, from the first day on (UTC); empty without times.
        busiest_user_day: the most events of one user on one day.
    """

    doubled: int
    fast: int
    pairs: int
    heaviest: int
    heaviest_hundredth: int
    days: Longs
    busiest_user_day: int


def census_of(log: EventLog, laid: Sequences) -> Census:
    """Count a log, which is also laid out by user."""
    doubled = fast = pairs = busiest = 0
    for block in spill.blocks(len(laid)):
        before, after = neighbours(block)
        within = laid.user[before] == laid.user[after]
        pairs += int(np.count_nonzero(within))
        if log.timed:
            apart = (laid.time[after] - laid.time[before])[within]
            alike = (laid.item[before] == laid.item[after])[within]
            doubled += int(np.count_nonzero((apart == 0) & alike))
            fast += int(np.count_nonzero(apart <= TOO_FAST))
            keys = laid.user[block].astype(np.int64) * 10**6 + (laid.time[block] // DAY).astype(np.int64)
            changes = np.flatnonzero(np.diff(keys)) + 1
            busiest = max(busiest, int(np.diff(np.concatenate([[0], changes, [len(keys)]])).max()))
        laid.release()
    lengths = np.sort(np.diff(laid.bounds))[::-1]
    return Census(
        doubled,
        fast,
        pairs,
        heaviest=int(lengths[0]),
        heaviest_hundredth=int(lengths[: max(1, len(lengths) // 100)].sum()),
        days=days_of(log),
        busiest_user_day=busiest,
    )


def days_of(log: EventLog) -> Longs:
    """(D,) events a day."""
    if not log.timed:
        return np.zeros(0, np.int64)
    first = log.time[0] // DAY
    counts = np.zeros(int(log.time[-1] // DAY - first) + 1, np.int64)
    for block in spill.blocks(len(log)):
        days = (log.time[block] // DAY - first).astype(np.int64)
        counts += np.bincount(days, minlength=len(counts))
        spill.release(log.time)
    return counts
