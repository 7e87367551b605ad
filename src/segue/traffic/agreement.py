"""Whether a server says what the evaluation says."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from segue.metrics import RankMetric, parse
from segue.shapes import Array, Ints
from segue.traffic.online import Online
from segue.traffic.report import Percentiles, percentiles

WORDS = {
    "no_list": "lists were refused (their predictions count as misses)",
    "refused": "events were refused",
    "duplicate": "events were in the store before they were sent",
    "other_state": "answers came from a state of another number of events than the log has",
    "repeated": "calls were made again",
}


class Pair(Struct, frozen=True):
    """A metric by the server's lists, by the evaluation, and the first less the second."""

    online: float
    offline: float
    difference: float


class ReplayReport(Struct, frozen=True, kw_only=True):
    """What a replay found.

    Attributes:
        url, model, version: who answered.
        sent: events.
        predictions: lists compared with what came next.
        other_ranks: how many of them rank the item differently, as far as lists reach.
        metrics: by name.
        tolerance: how far a metric may be off.
        equal: whether all are within.
        lists_ms, events_ms: of calls for a list (with the event in it), and for an event alone; from sent to answered.
        together: calls at a time.
        seconds: of all of it.
        notes: what a reader must know.
    """

    url: str
    model: str
    version: str
    sent: int
    predictions: int
    other_ranks: int
    metrics: dict[str, Pair]
    tolerance: float
    equal: bool
    lists_ms: Percentiles | None
    events_ms: Percentiles | None
    together: int
    seconds: float
    notes: list[str]


def ranked_by(names: list[str]) -> dict[str, tuple[RankMetric, int]]:
    """The metrics among these that ranks suffice for, and no weights."""
    found = {name: parse(name) for name in dict.fromkeys(names)}
    return {
        name: (metric, k)
        for name, (metric, k) in found.items()
        if isinstance(metric, RankMetric) and not metric.marks.weighted
    }


def compared(names: list[str], online: Ints, offline: Array) -> dict[str, Pair]:
    """Each metric by both ranks."""
    found = {}
    for name, (metric, k) in ranked_by(names).items():
        values = [float(metric(rank, k).mean()) for rank in (online, offline)]
        found[name] = Pair(values[0], values[1], values[0] - values[1])
    return found


def agreement(
    names: list[str],
    online: Online,
    offline: Array,
    *,
    url: str,
    model: str,
    version: str,
    k: int,
    sent: int,
    tolerance: float,
    together: int,
) -> ReplayReport:
    """The report of a replay.

    Args:
        offline: (P,) ranks of the same predictions.
        k: how far lists reach.
    """
    pairs = compared(names, online.rank, offline)
    equal = all(abs(pair.difference) <= tolerance for pair in pairs.values())
    return ReplayReport(
        url=url,
        model=model,
        version=version,
        sent=sent,
        predictions=len(offline),
        other_ranks=int(np.count_nonzero(np.minimum(online.rank, k) != np.minimum(offline, k))),
        metrics=pairs,
        tolerance=tolerance,
        equal=equal,
        lists_ms=percentiles(1e3 * np.array(online.lists)),
        events_ms=percentiles(1e3 * np.array(online.events)),
        together=together,
        seconds=round(online.seconds, 3),
        notes=[
            f"{online.counts[what]:,} {words} (first: {online.examples[what]})"
            for what, words in WORDS.items()
            if online.counts[what]
        ],
    )
