"""The index behind session neighbours: sessions by item, items by session, sessions numbered by recency."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.models.counts import Known, Lists, taken
from segue.shapes import Array, Longs

MATCH_REACH = 10
"""Steps from the end of the evolving session at which a match is worth nothing."""


class SessionIndex(NamedTuple):
    """S training sessions, numbered by the time of their last event: a higher number is more recent.

    Attributes:
        counts: (N,) events with the item.
        spread: (N,) sessions with the item.
        sessions_with: for each item the most recent sessions with it, rising.
        items_of: for each session its distinct items, rising.
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
        ends = np.flatnonzero(np.diff(known.session, append=-1))
        recency = np.empty(len(ends), np.int64)
        recency[np.argsort(known.time[ends], kind="stable")] = np.arange(len(ends))
        session = np.repeat(recency, np.diff(ends, prepend=-1))
        session, item = np.divmod(np.unique(session * n_items + known.item), n_items)
        items_of = Lists.grouped(session, item, len(ends))

        by_item = np.argsort(item, kind="stable")
        item, session = item[by_item], session[by_item]
        spread = np.bincount(item, minlength=n_items)
        recent = np.cumsum(spread)[item] - np.arange(len(item)) <= sessions
        sessions_with = Lists.grouped(item[recent], session[recent], n_items)
        return cls(np.bincount(known.item, minlength=n_items), spread, sessions_with, items_of)

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
