"""The index behind session neighbours: sessions by item, items by session, sessions numbered by recency."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.grouping import stable_order, whole_rows
from segue.models.counts import Known, Lists, taken
from segue.shapes import Array, Longs

MATCH_REACH = 10
"""Steps from the end of the evolving session at which a match is worth nothing."""


class SessionIndex(NamedTuple):
    """S training sessions, numbered by the time of their last event: a higher number is more recent.

    Attributes:
        counts: (N,) events with the item.
        spread: (N,) sessions with the item in `items_of`.
        sessions_with: for each item the most recent sessions with it, rising.
        items_of: for each session its distinct items, rising. Where not all events are to be predicted, it has those
            of these events, as `counts` has: a session is found by everything in it, and stands for what is wanted.
    """

    counts: Longs
    spread: Longs
    sessions_with: Lists
    items_of: Lists

    @classmethod
    def empty(cls, n_items: int) -> SessionIndex:
        """No sessions."""
        return cls(np.zeros(n_items, np.int64), np.zeros(n_items, np.int64), Lists.empty(n_items), Lists.empty(0))

    @classmethod
    def of(cls, known: Known, n_items: int, *, sessions: int) -> SessionIndex:
        """Index the known events of a log, with at most so many sessions an item.

        Sessions that ended at the same time keep the order in which they are laid out.
        """
        ends = ends_of(known.session)
        last_time = spill.filled(len(ends), np.float64, lambda block: known.time[ends[block] - 1], ends)
        order = np.argsort(last_time, kind="stable")
        items_of = chosen_rows(items_by_row(known.item, ends, n_items), order)
        spread = spill.counted(items_of.values, n_items)
        sessions_with = latest_rows_with(items_of, spread, sessions)
        predicted = known.predicted.item
        if known.wanted is not None:
            ends = spill.taken(spill.cumulated(known.wanted), ends)
            items_of = chosen_rows(items_by_row(predicted, ends, n_items), order)
            spread = spill.counted(items_of.values, n_items)
        return cls(spill.counted(predicted, n_items), spread, sessions_with, items_of)

    @property
    def n_sessions(self) -> int:
        """S."""
        return len(self.items_of.bounds) - 1

    def neighbours(self, clicks: list[int], *, sessions: int, neighbours: int) -> tuple[Longs, Longs]:
        """The training sessions most like the clicks (known items, oldest first), and the weight of each.

        Returns:
            Session numbers, and similarity times match in units of 1 / (|s| * MATCH_REACH), which are whole.
        """
        n = len(clicks)
        places = {item: place for place, item in enumerate(clicks, 1)}
        keys = [self._sessions(item) * (n + 1) + place for item, place in places.items()]
        matches = np.sort(np.concatenate(keys)) if keys else np.zeros(0, np.int64)
        if not len(matches):
            return matches, matches

        # by session, then by place: the last match of a session is its latest click
        session, place = np.divmod(matches, n + 1)
        first = np.flatnonzero(np.diff(session, prepend=-1))
        latest = place[np.append(first[1:], len(place)) - 1][-sessions:]
        similarity = np.add.reduceat(place, first)[-sessions:]
        session = session[first][-sessions:]

        # no two sessions have the same number, so the order is strict
        order = similarity * self.n_sessions + session
        k = min(neighbours, len(session))
        best = np.argpartition(order, len(order) - k)[len(order) - k :]
        steps_from_end = n + 1 - latest[best]
        return session[best], similarity[best] * np.maximum(MATCH_REACH - steps_from_end, 0)

    def _sessions(self, item: int) -> Longs:
        return self.sessions_with.values[self.sessions_with.place(item)].astype(np.int64)

    def arrays(self) -> dict[str, Array]:
        """The index as plain arrays."""
        return {
            "counts": self.counts,
            "spread": self.spread,
            "sessions_bounds": self.sessions_with.bounds,
            "sessions": self.sessions_with.values,
            "items_bounds": self.items_of.bounds,
            "items": self.items_of.values,
        }

    @classmethod
    def loaded(cls, arrays: dict[str, Array], n_items: int) -> SessionIndex:
        """The index from saved arrays. Raises ArtifactError where they do not fit."""
        n = n_items
        fixed = {"counts": (np.int64, n), "spread": (np.int64, n), "sessions_bounds": (np.int64, n + 1)}
        lists = {"sessions": (np.int32, None), "items_bounds": (np.int64, None), "items": (np.int32, None)}
        found = taken(arrays, {**fixed, **lists})
        items_of = Lists.checked("items", found["items_bounds"], found["items"], n)
        n_sessions = len(items_of.bounds) - 1
        sessions_with = Lists.checked("sessions", found["sessions_bounds"], found["sessions"], n_sessions)
        return cls(found["counts"], found["spread"], sessions_with, items_of)


def ends_of(session: Longs) -> Longs:
    """Where each run of equal numbers ends: after its last place."""
    last = spill.filled(
        len(session),
        bool,
        lambda b: np.diff(session[b.start : b.stop + 1], append=-1)[: b.stop - b.start] != 0,
        session,
    )
    ends = spill.filled(len(session), np.int64, lambda block: np.arange(block.start + 1, block.stop + 1))
    return spill.taken(ends, last)


def items_by_row(item: Array, ends: Longs, n_items: int) -> Lists:
    """The distinct items of each session, rising; sessions as they are laid out, each up to its end."""
    bounds = spill.empty(len(ends) + 1, np.int64)
    bounds[0], bounds[1:] = 0, ends
    lengths, values = spill.empty(len(ends), np.int64), spill.empty(len(item), np.int32)
    total = 0
    for left, right in whole_rows(bounds, spill.BLOCK // 2):
        events = slice(int(bounds[left]), int(bounds[right]))
        if right == left + 1:
            found = np.flatnonzero(spill.counted(item[events], n_items))
            lengths[left] = len(found)
        else:
            row = np.repeat(np.arange(right - left), np.diff(bounds[left : right + 1]))
            pairs = np.sort(row * n_items + item[events])
            row, found = np.divmod(pairs[np.diff(pairs, prepend=-1) > 0], n_items)
            lengths[left:right] = np.bincount(row, minlength=right - left)
        values[total : total + len(found)] = found
        total += len(found)
        for column in (values, item):
            spill.release(column)
    return Lists(spill.cumulated(lengths), values[:total])


def chosen_rows(lists: Lists, order: Longs) -> Lists:
    """The lists of some rows in some order."""
    lengths = spill.filled(len(order), np.int64, lambda b: lists.bounds[order[b] + 1] - lists.bounds[order[b]])
    bounds, values = spill.cumulated(lengths), spill.empty(len(lists.values), np.int32)
    for left, right in whole_rows(bounds, spill.BLOCK // 2):
        values[bounds[left] : bounds[right]] = lists.join(order[left:right])[0]
        for column in (values, *lists):
            spill.release(column)
    return Lists(bounds, values)


def latest_rows_with(lists: Lists, spread: Longs, most: int) -> Lists:
    """For each item the last `most` rows with it, rising."""
    bounds = spill.cumulated(np.minimum(spread, most))
    values = spill.empty(int(bounds[-1]), np.int32)
    left = spread.copy()  # of each item, its rows that were not yet looked at
    for first, last in reversed(list(whole_rows(lists.bounds, spill.BLOCK // 2))):
        item = lists.values[lists.bounds[first] : lists.bounds[last]]
        row = np.repeat(np.arange(first, last), np.diff(lists.bounds[first : last + 1]))
        by = stable_order(item)
        item, row = item[by], row[by]
        here = np.bincount(item, minlength=len(spread))
        left -= here
        # the place among all rows with the item, and from it that among the last
        place = left[item] + np.arange(len(item)) - (np.cumsum(here) - here)[item] - (spread - most).clip(min=0)[item]
        values[(bounds[item] + place)[place >= 0]] = row[place >= 0]
        for column in (values, lists.values, lists.bounds):
            spill.release(column)
    return Lists(bounds, values)
