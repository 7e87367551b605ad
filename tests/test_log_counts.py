"""What a model keeps of its training log, counted by hand; and that it is saved, checked, and not missed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
import safetensors.numpy

from baseline_logs import laid, random_sessions
from segue.artifact import MANIFEST, load_artifact, save_artifact
from segue.artifact.content import COUNTS
from segue.data import spill
from segue.data.events import log_of
from segue.data.sessions import lay_out
from segue.errors import ArtifactError
from segue.models import log_counts
from segue.models.counts import known_events
from segue.models.log_counts import LogCounts
from segue.models.transitions import Transitions
from test_artifact_damage import artifact, with_file

N = 8


def after(counts: LogCounts, item: int) -> list[tuple[int, int]]:
    return list(zip(*(column.tolist() for column in counts.after(item)), strict=True))


def test_what_came_right_after_is_counted_the_most_frequent_first() -> None:
    counts = LogCounts.of(laid(["abacab", "ba", "bc"]), 4)
    assert after(counts, 0) == [(1, 2), (2, 1)]
    # of equals the lower index
    assert after(counts, 1) == [(0, 2), (2, 1)]
    assert after(counts, 2) == [(0, 1)]
    assert after(counts, 3) == []
    assert counts.left.tolist() == [3, 3, 1, 0]
    assert counts.events.tolist() == [4, 4, 2, 0]
    assert counts.between(np.array([0, 3, 1], np.int32), np.array([2, 1], np.int32)).tolist() == [
        [1, 2],
        [0, 0],
        [1, 0],
    ]


def test_nothing_is_counted_across_sessions_and_unknown_items_are_skipped() -> None:
    log = log_of(["u"] * 4, ["a", "b", "c", "d"], [0.0, 1.0, 500.0, 501.0])
    counts = LogCounts.of(lay_out(log, gap=100.0, at_session_start="mark", item=np.array([0, 1, 2, -1], np.int32)), 3)
    assert [after(counts, item) for item in range(3)] == [[(1, 1)], [], []]
    assert counts.events.tolist() == [1, 1, 1]


def test_when_an_item_came_first_and_how_often_of_late() -> None:
    # times 0..4; half of the span of 4 seconds halves: a 2^-2 + 2^-1, b 2^-1.5, c 2^-0.5 + 1
    counts = LogCounts.of(laid(["abacc"]), 4, half_life=0.5)
    assert counts.timed
    assert counts.first_seen.tolist() == [0, 1, 3, np.inf]
    expected = [np.log2(0.75), -1.5, np.log2(1 + 2**-0.5), -2.5]
    assert counts.recent.tolist() == pytest.approx(expected, abs=1e-6)
    untimed = LogCounts.of(laid(["abacc"]).other(timed=False), 4)
    assert not untimed.timed
    assert len(untimed.recent) == len(untimed.first_seen) == 0
    assert untimed.events.tolist() == [2, 1, 2, 0]


def test_only_the_most_frequent_are_kept_and_the_total_counts_all(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = LogCounts.of(laid(random_sessions()), N)
    monkeypatch.setattr(log_counts, "NEXT", 2)
    kept = LogCounts.of(laid(random_sessions()), N)
    assert len(kept.times) < len(whole.times)
    for item in range(N):
        assert after(kept, item) == after(whole, item)[:2]
    assert kept.left.tolist() == whole.left.tolist()
    assert whole.left.sum() == whole.times.sum()


def test_a_large_catalog_keeps_fewer_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_counts, "PAIRS", N * 3)
    monkeypatch.setattr(log_counts, "FEWEST", 1)
    kept = LogCounts.of(laid(random_sessions()), N)
    assert np.diff(kept.next.bounds).max() == 3


def test_the_size_of_a_block_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    transitions = Transitions.of(known_events(laid(random_sessions()), N), N)
    whole, totals = transitions.most_frequent(3), transitions.totals().tolist()
    monkeypatch.setattr(spill, "BLOCK", 5)
    parts = transitions.most_frequent(3)
    assert (parts.next.bounds == whole.next.bounds).all()
    assert parts.next.values.tolist() == whole.next.values.tolist()
    assert parts.times.tolist() == whole.times.tolist()
    assert transitions.totals().tolist() == totals


def test_counts_are_saved_with_a_model_and_read_with_it(tmp_path: Path) -> None:
    counts = LogCounts.of(laid(random_sessions()), 8)
    six = LogCounts.of(laid(["abcdef", "fedab"]), 6)
    assert LogCounts.loaded(counts.arrays(), 8).arrays().keys() == counts.arrays().keys()
    save_artifact(msgspec.structs.replace(artifact(), counts=six), tmp_path / "model")
    for light in (False, True):
        loaded = load_artifact(tmp_path / "model", light=light).counts
        assert loaded is not None
        for name, array in six.arrays().items():
            np.testing.assert_array_equal(loaded.arrays()[name], array)
    save_artifact(msgspec.structs.replace(artifact(), counts=six), tmp_path / "model", overwrite=True)


def test_a_model_of_earlier_days_has_no_counts(tmp_path: Path) -> None:
    save_artifact(artifact(), tmp_path / "model")
    assert not (tmp_path / "model" / COUNTS).exists()
    assert load_artifact(tmp_path / "model").counts is None


def test_counts_of_another_catalog_are_refused(tmp_path: Path) -> None:
    save_artifact(msgspec.structs.replace(artifact(), counts=LogCounts.of(laid(["abc"]), 6)), tmp_path / "model")
    with_file(tmp_path / "model", COUNTS, safetensors.numpy.save(LogCounts.of(laid(["abc"]), 5).arrays()))
    with pytest.raises(ArtifactError, match=r"damaged or was made by another version: the array `first_seen` has 5"):
        load_artifact(tmp_path / "model")
    for name in ("next_items", "left", "recent"):
        arrays = LogCounts.of(laid(["abc"]), 6).arrays()
        broken = arrays | {name: np.full(len(arrays[name]) + (name != "next_items"), 9, arrays[name].dtype)}
        with pytest.raises(ArtifactError, match=r"next` are damaged|expected"):
            LogCounts.loaded(broken, 6)
    manifest = msgspec.json.decode((tmp_path / "model" / MANIFEST).read_bytes())
    assert manifest["files"][COUNTS] == hashlib.sha256((tmp_path / "model" / COUNTS).read_bytes()).hexdigest()
