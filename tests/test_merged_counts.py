"""What new days add to the counts of a log: the same as counting both at once."""

from __future__ import annotations

import numpy as np
import pytest

from segue.data.sessions import lay_out
from segue.data.synthetic import noisy_chain
from segue.models import merged_counts
from segue.models.counts import known_events
from segue.models.log_counts import LogCounts
from segue.models.merged_counts import enlarged, merged
from segue.models.recent_popularity import decayed_counts

N, HALF_LIFE = 12, 0.1
LOG = noisy_chain(30, 40, N, follow=0.8)
FIRST = int(len(LOG) * 0.7)
BEFORE, LAST = float(LOG.time[FIRST]), float(LOG.time[-1])


def laid(last_items: int = N, worth: bool = False):  # type: ignore[no-untyped-def]
    """The log, where the last items come only in its later part; and which events are new."""
    item = np.where((np.arange(len(LOG)) < FIRST) & (LOG.item >= last_items), 0, LOG.item).astype(np.int32)
    value = (np.arange(len(LOG)) % 3 < 2).astype(np.float32) if worth else None
    sequences = lay_out(LOG, gap=300.0, at_session_start="reset", item=item, worth=value)
    old = lay_out(
        LOG.where(np.arange(len(LOG)) < FIRST),
        gap=300.0,
        at_session_start="reset",
        item=item[:FIRST],
        worth=None if value is None else value[:FIRST],
    )
    return old, sequences, sequences.order >= FIRST


@pytest.mark.parametrize("known", [N, 9], ids=["all items known", "three new items"])
@pytest.mark.parametrize("worth", [False, True], ids=["all predicted", "some predicted"])
def test_they_are_the_counts_of_one_log(known: int, worth: bool) -> None:
    before, both, new = laid(known, worth)
    old = LogCounts.of(before, known, cutoff=BEFORE, half_life=HALF_LIFE)
    expected = LogCounts.of(both, N, cutoff=LAST)
    found = merged(old, both, new, N, before=BEFORE, cutoff=LAST, half_life=HALF_LIFE)
    for name in ("left", "events", "targets", "first_seen", "until", "times"):
        wanted = getattr(expected, name)
        assert getattr(found, name).dtype == wanted.dtype
        assert np.array_equal(getattr(found, name), wanted), name
    assert np.array_equal(found.next.bounds, expected.next.bounds)
    assert np.array_equal(found.next.values, expected.next.values)
    seconds = HALF_LIFE * (BEFORE - float(LOG.time[0]))
    recent = decayed_counts(known_events(both, N).predicted, N, LAST, seconds)
    assert found.recent == pytest.approx(recent, abs=1e-5)
    loaded = LogCounts.loaded(found.arrays(), N)
    assert np.array_equal(loaded.times, found.times)


def test_followers_beyond_those_kept_are_counted_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    before, both, new = laid()
    monkeypatch.setattr(merged_counts, "NEXT", 3)
    old = LogCounts.of(before, N, cutoff=BEFORE)
    found = merged(old, both, new, N, before=BEFORE, cutoff=LAST, half_life=HALF_LIFE)
    assert np.diff(found.next.bounds).tolist() == [3] * N
    assert found.left.sum() == LogCounts.of(both, N, cutoff=LAST).left.sum() > found.times.sum()


def test_a_larger_catalog_knows_nothing_of_its_new_items() -> None:
    old = LogCounts.of(laid()[0], N, cutoff=BEFORE)
    found = enlarged(old, N + 2)
    assert found.after(N)[0].tolist() == []
    assert (found.events[N:].tolist(), found.left[N:].tolist()) == ([0, 0], [0, 0])
    assert np.isinf(found.first_seen[N:]).all()
    assert (found.recent[N:] <= old.recent.min()).all()
    for item in range(N):
        assert [array.tolist() for array in found.after(item)] == [array.tolist() for array in old.after(item)]
    assert enlarged(old, N).arrays().keys() == old.arrays().keys()
