"""What a training log says of each item, and what new days add to it."""

from __future__ import annotations

import numpy as np

from segue.data import spill
from segue.data.sessions import Sequences
from segue.models.counts import Known, Lists
from segue.models.log_counts import FEWEST, NEXT, PAIRS, LogCounts, first_times
from segue.models.recent_popularity import decayed_counts
from segue.models.transitions import Transitions
from segue.shapes import Array, Bools, Doubles, Floats


def merged(
    old: LogCounts,
    sequences: Sequences,
    new: Bools,
    n_items: int,
    *,
    before: float,
    cutoff: float,
    half_life: float,
) -> LogCounts:
    """The counts of a log with times and of new days together.

    They are those of one log of both, but for followers that the old counts did not keep, and for the half-life of
    `recent`: it stays the one of the old log's span.

    Args:
        old: of the first items of the catalog.
        sequences: new events, and old ones before them, with the items of a catalog.
        new: (E,) which of them are new.
        n_items: of the catalog now.
        before, cutoff: Unix seconds until which the old and all events lie.
        half_life: as a share of the old log's span.
    """
    old = enlarged(old, n_items)
    keep = np.asarray(sequences.item) >= 0
    fresh = np.asarray(new)[keep]
    session = spill.cumulated(sequences.opens)[1:]
    known = Known(sequences.item[keep], session[keep], np.asarray(sequences.time)[keep])
    wanted = fresh if sequences.worth is None else fresh & (np.asarray(sequences.worth)[keep] > 0)
    rows = np.repeat(np.arange(n_items), np.diff(old.next.bounds))
    added = Transitions.of(known._replace(wanted=fresh), n_items)
    kept = summed(rows, old.next.values, old.times, added, n_items).most_frequent(
        min(NEXT, max(FEWEST, PAIRS // n_items))
    )
    targets = spill.counted(known.item[wanted], n_items)
    late = Known(known.item[fresh], known.session[fresh], known.time[fresh])
    asked = Known(known.item[wanted], known.session[wanted], known.time[wanted])
    return LogCounts(
        next=kept.next,
        times=kept.times.astype(np.int32),
        left=(old.left + added.totals()).astype(np.int32),
        events=(old.events + spill.counted(late.item, n_items)).astype(np.int32),
        targets=(old.targets + targets).astype(np.int32),
        recent=recent_of(old, asked, n_items, before=before, cutoff=cutoff, half_life=half_life),
        first_seen=np.minimum(old.first_seen, first_times(late, n_items)),
        until=np.maximum(old.until, late.time.max(initial=-np.inf)),
    )


def enlarged(old: LogCounts, n_items: int) -> LogCounts:
    """The same counts for a catalog with more items, of which nothing is known."""
    more = n_items - len(old.events)

    def padded(column: Array, value: float) -> Array:
        return np.concatenate([column, np.full(more, value, column.dtype)])

    bounds = padded(old.next.bounds, int(old.next.bounds[-1]))
    return old._replace(
        next=Lists(bounds, old.next.values),
        **{name: padded(getattr(old, name), 0) for name in ("left", "events", "targets")},
        recent=padded(old.recent, float(old.recent.min())),  # of one without events, one below the lowest
        first_seen=padded(old.first_seen, np.inf),
    )


def summed(rows: Array, values: Array, times: Array, added: Transitions, n_items: int) -> Transitions:
    """Two lists of followers for each item as one, each follower once; an item's list rises."""
    more = np.repeat(np.arange(n_items), np.diff(added.next.bounds))
    pair = np.concatenate([rows * n_items + values, more * n_items + added.next.values])
    found, where = np.unique(pair, return_inverse=True)
    total = np.bincount(where, np.concatenate([times, added.times]), minlength=len(found)).astype(np.int64)
    first, second = np.divmod(found, n_items)
    return Transitions(Lists.grouped(first, second, n_items), total)


def recent_of(old: LogCounts, asked: Known, n_items: int, *, before: float, cutoff: float, half_life: float) -> Floats:
    """(N,) the logarithm of the decayed count of what is to be predicted, see `RecentPopularity`."""
    seen = old.first_seen[np.isfinite(old.first_seen)]
    span = before - float(seen.min()) if len(seen) else 0.0
    seconds = half_life * span if span > 0 else 1.0
    counted = old.targets > 0
    scores: Doubles = np.where(counted, old.recent - (cutoff - before) / seconds, -np.inf)
    if len(asked.item):
        came = spill.counted(asked.item, n_items) > 0
        late = decayed_counts(asked, n_items, cutoff, seconds)
        scores = np.logaddexp2(scores, np.where(came, late, -np.inf))
    finite = np.isfinite(scores)
    return np.where(finite, scores, scores[finite].min() - 1).astype(np.float32)
