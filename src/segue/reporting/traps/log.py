"""Rows that are missing or stand there twice, and times that tell of the source and not of people."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from segue.reporting.data import Data
from segue.reporting.traps.base import Trap, level
from segue.reporting.words import counted, lasting, share


def of_rows(data: Data) -> Iterator[Trap]:
    """Rows that were left out, and rows that stand there twice."""
    rows = sum(one.rows for one in data.rejected)
    part = rows / (rows + data.statistics.events)
    yield Trap(
        "Rows left out",
        level(part, 0, 0.01),
        f"{counted(rows, 'row')} ({share(part)})" if rows else "none",
        "No figure tells of these; the reasons are below." if rows else "Every row could be used.",
    )
    if data.timed:
        part = data.census.doubled / data.statistics.events
        yield Trap(
            "Events twice",
            level(part, 0.001, 0.02),
            f"{counted(data.census.doubled, 'event')} ({share(part)})" if data.census.doubled else "none",
            "The same user, item and time as the event before: a second copy is easily foreseen and flatters every "
            "model that may repeat an item."
            if data.census.doubled
            else "No event stands beside its own copy.",
        )


def of_times(data: Data) -> Iterator[Trap]:
    """Ties, and days on which a log was filled rather than lived."""
    known, days = data.statistics, data.census.days
    if not data.timed:
        yield Trap(
            "Times",
            "matters",
            "none",
            "There is an order, and no times: what is later for one user may be "
            "earlier for another, so a model may have learned from what came after.",
        )
        return
    artefact = known.tied > 0.1 and known.ascending > 0.9
    why = "Within a tie the log's own order is taken."
    if artefact:
        why = f"{share(known.ascending)} of these stand in ascending order of the item id: that order is an artefact "
        why += "of the source, and a model is rewarded for learning it."
    yield Trap(
        "Ties in time",
        "matters" if artefact else level(known.tied, 0.1, 1),
        f"{share(known.tied)} of neighbouring events",
        why,
    )
    fast = data.census.fast / max(data.census.pairs, 1)
    yield Trap(
        "Pace",
        level(fast, 0.2, 1),
        f"{share(fast)} of a user's events within a second of the one before, "
        f"median pause {lasting(known.median_pause or 0)}",
        "Faster than a person chooses: times tell when events were entered, not when they happened."
        if fast > 0.2
        else "A pace that people have.",
    )
    if len(days) > 2:
        first, usual = int(days[0]), float(np.median(days[days > 0]))
        part, heavy = first / known.events, first > 5 * usual
        yield Trap(
            "First day",
            level(part if heavy else 0, 0.02, 0.1),
            f"{share(part)} of all events, a usual day has {usual:,.0f}",
            "Many times a usual day: a history that was loaded at once, rather than lived."
            if heavy
            else "Like other days, or quieter.",
        )
