"""What a training log says of each item, small enough to go with a model: for a server, which has no log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.sessions import Sequences
from segue.errors import ArtifactError
from segue.models.base import SessionRule
from segue.models.counts import Known, Lists, known_events, taken
from segue.models.recent_popularity import RecentPopularity
from segue.models.transitions import Transitions
from segue.shapes import Array, Doubles, Floats, Ints, Longs

NEXT, FEWEST, PAIRS = 50, 10, 10_000_000
"""So many followers of an item are kept at most; in a catalog of more than 200,000 items fewer, down to the second
number, so that there are no more than so many pairs: 80 MB."""

COLUMNS = ("left", "events", "targets", "recent", "first_seen", "until")

HALF_LIFE = 0.1
"""As a share of the training span, where none was tuned."""


class LogCounts(NamedTuple):
    """What a training log says of each of N items.

    Attributes:
        next: for each item those that came right after it in a session most often, the most frequent first.
        times: how often each of `next.values` did.
        left: (N,) how often anything came right after an item: also what is not kept.
        events: (N,) how often an item occurs.
        targets: (N,) how often it does where it is to be predicted: all of its events, but for an objective.
        recent: (N,) these with old events counting less, see `RecentPopularity`; (0,) in a log without times.
        first_seen: (N,) Unix seconds of its first event; (0,) in a log without times.
        until: (1,) of the last event of the log; (0,) in one without times.
    """

    next: Lists
    times: Ints
    left: Ints
    events: Ints
    targets: Ints
    recent: Floats
    first_seen: Doubles
    until: Doubles

    @classmethod
    def of(
        cls, sequences: Sequences, n_items: int, *, cutoff: float | None = None, half_life: float = HALF_LIFE
    ) -> LogCounts:
        """Count the events that a model learned from.

        Args:
            cutoff: Unix seconds to count back from; None: the last event.
            half_life: as a share of the training span.

        Raises:
            TrainingError: no event has an item of the catalog.
        """
        known = known_events(sequences, n_items)
        transitions = Transitions.of(known._replace(wanted=None), n_items)  # what people did, whatever is predicted
        kept = transitions.most_frequent(min(NEXT, max(FEWEST, PAIRS // n_items)))
        recent, first_seen, until = np.zeros(0, np.float32), np.zeros(0), np.zeros(0)
        if sequences.timed:
            model = RecentPopularity(n_items, rule=SessionRule(), half_life=half_life).fit(sequences, cutoff=cutoff)
            recent, first_seen = model.recent.astype(np.float32), first_times(known, n_items)
            until = np.array([max(float(sequences.time[b].max()) for b in spill.blocks(len(sequences)))])
        return cls(
            next=kept.next,
            times=kept.times.astype(np.int32),
            left=transitions.totals().astype(np.int32),
            events=spill.counted(known.item, n_items).astype(np.int32),
            targets=spill.counted(known.predicted.item, n_items).astype(np.int32),
            recent=recent,
            first_seen=first_seen,
            until=until,
        )

    @property
    def timed(self) -> bool:
        """Whether the log had times, so that there is a `recent` and a `first_seen`."""
        return len(self.first_seen) > 0

    def after(self, item: int) -> tuple[Ints, Ints]:
        """What came right after an item most often, and how often each did; both empty where nothing did."""
        place = self.next.place(item)
        return self.next.values[place], self.times[place]

    def between(self, before: Ints, after: Ints) -> Longs:
        """(A, C) how often each of `after` (C,) came right after each of `before` (A,); 0 where that is not kept."""
        found = np.zeros((len(before), len(after)), np.int64)
        for row, item in zip(found, before.tolist(), strict=True):
            values, times = self.after(item)
            at, which = np.nonzero(after[:, None] == values)
            row[at] = times[which]
        return found

    def arrays(self) -> dict[str, Array]:
        """All of it by name."""
        lists = {"next_bounds": self.next.bounds, "next_items": self.next.values, "next_times": self.times}
        return {**lists, **{name: getattr(self, name) for name in COLUMNS}}

    @classmethod
    def loaded(cls, arrays: Mapping[str, Array], n_items: int) -> LogCounts:
        """From saved arrays. Raises ArtifactError where they do not fit each other, or the catalog."""
        arrays = {"targets": arrays.get("events", np.zeros(0, np.int32)), **arrays}  # models of earlier days have none
        items = taken(arrays, {"next_items": (np.int32, None)})["next_items"]
        first_seen = taken(arrays, {"first_seen": (np.float64, None)})["first_seen"]
        if len(first_seen) not in (0, n_items):
            raise ArtifactError(f"the array `first_seen` has {len(first_seen)} numbers, expected {n_items} or none")
        found = taken(
            arrays,
            {
                "next_bounds": (np.int64, n_items + 1),
                "next_times": (np.int32, len(items)),
                "left": (np.int32, n_items),
                "events": (np.int32, n_items),
                "targets": (np.int32, n_items),
                "recent": (np.float32, len(first_seen)),
                "until": (np.float64, min(len(first_seen), 1)),
            },
        )
        return cls(
            next=Lists.checked("next", found["next_bounds"], items, n_items),
            times=found["next_times"],
            left=found["left"],
            events=found["events"],
            targets=found["targets"],
            recent=found["recent"],
            first_seen=first_seen,
            until=found["until"],
        )


def first_times(known: Known, n_items: int) -> Doubles:
    """(N,) Unix seconds of the first event of each item; infinite for one without events."""
    first = np.full(n_items, np.inf)
    for block in spill.blocks(len(known.item)):
        np.minimum.at(first, known.item[block], known.time[block])
    return first
