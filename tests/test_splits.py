"""Which events train, choose and judge: by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.config import SplitSettings
from segue.data.events import EventLog, log_of
from segue.data.splits import TEST, TRAIN, VALID, Split, split_log
from segue.errors import SplitError

R, V, T = TRAIN, VALID, TEST


def log(users: str, times: list[float] | None = None, **columns: Any) -> EventLog:
    """A letter a user; by default an event a second, in this order."""
    moments = [float(t) for t in range(len(users))] if times is None else times
    return log_of(list(users), ["i"] * len(users), moments, **columns)


def split(of: EventLog, kind: str, **shares: float) -> Split:
    return split_log(of, SplitSettings(kind=kind, **shares))  # type: ignore[arg-type]


@given(
    times=st.lists(st.integers(0, 200), min_size=50, max_size=120),
    valid=st.sampled_from([0.1, 0.2, 0.3]),
    test=st.sampled_from([0.1, 0.2, 0.3]),
)
def test_with_the_time_split_training_ends_before_validation_and_that_before_the_test(
    times: list[int], valid: float, test: float
) -> None:
    one = log("u" * len(times), [float(t) for t in times])
    most_at_once = int(np.bincount(times).max())
    try:
        found = split(one, "time", valid=valid, test=test)
    except SplitError:  # only where so many events share a time that a part is swallowed
        assert most_at_once > 0.05 * len(times)
        return
    part = [one.time[found.role == role] for role in (TRAIN, VALID, TEST)]
    assert part[0].max() < part[1].min()
    assert part[1].max() < part[2].min() == found.cutoff
    # events at the cutoff stay together, so a part may be larger by those that share its first moment
    assert abs(len(part[2]) - test * len(times)) <= 1 + most_at_once
    assert abs(len(part[1]) - valid * len(times)) <= 1 + most_at_once


def test_the_time_split_gives_about_the_shares_asked_for() -> None:
    counts = split(log("ab" * 500), "time", valid=0.1, test=0.2).counts()
    assert sum(counts.values()) == 1000
    assert counts["test"] == pytest.approx(200, abs=1)
    assert counts["valid"] == pytest.approx(100, abs=1)


def test_events_at_the_cutoff_are_all_test_whoever_they_belong_to() -> None:
    found = split(log("abcabcabc", [0.0, 1, 2, 3, 4, 5, 6, 6, 6]), "time", valid=0.3, test=0.2)
    # of 9 events the test begins at the time of place ceil(9 x 0.8) = 8, validation at place ceil(9 x 0.5) = 5
    assert found.role.tolist() == [R, R, R, R, R, V, T, T, T]
    assert found.cutoff == 6.0
    assert found.notes == ()


def test_a_log_with_only_an_order_is_refused_by_the_time_split() -> None:
    with pytest.raises(SplitError, match=r"only an order.*leave-one-out"):
        split(replace(log("ab" * 20), timed=False), "time")


def test_shares_that_leave_nothing_to_train_on_are_refused() -> None:
    with pytest.raises(SplitError, match=r"0\.5 and split\.test 0\.5 leave nothing"):
        split(log("ab" * 20), "time", valid=0.5, test=0.5)


@pytest.mark.parametrize(
    ("times", "part"),
    [([5.0] * 20, "train"), ([0.0] * 10 + [5.0] * 10, "valid")],
    ids=["all at once", "at two moments"],
)
def test_a_time_split_with_an_empty_part_is_refused(times: list[float], part: str) -> None:
    with pytest.raises(SplitError, match=f"leaves no {part} event out of 20"):
        split(log("a" * 20, times), "time")


def test_leave_one_out_takes_the_last_to_test_and_the_one_before_to_choose() -> None:
    found = split(log("abcadbada"), "leave-one-out")
    #        a: 4 events, b: 2, c: 1, d: 2
    assert found.role.tolist() == [R, R, R, R, R, T, V, T, T]
    assert found.counts() == {"train": 5, "valid": 1, "test": 3}
    assert found.cutoff is None
    assert "mixes times" in found.notes[0]


def test_leave_one_out_of_exactly_three_events_has_one_of_each() -> None:
    assert split(log("aaa"), "leave-one-out").role.tolist() == [R, V, T]


def test_leave_one_out_works_on_an_order() -> None:
    ordered = replace(log("abab" + "ab", [0.0, 0, 1, 1, 2, 2]), timed=False)
    assert split(ordered, "leave-one-out").role.tolist() == [R, R, V, V, T, T]


@pytest.mark.parametrize(("users", "part"), [("abc", "valid"), ("aabb", "valid")])
def test_leave_one_out_with_an_empty_part_is_refused(users: str, part: str) -> None:
    with pytest.raises(SplitError, match=f"leaves no {part} event out of {len(users)}"):
        split(log(users), "leave-one-out")


def test_the_column_split_is_the_publishers_own() -> None:
    found = split(log("aabbcc", split=[R, R, V, V, T, T]), "column")
    assert found.role.tolist() == [R, R, V, V, T, T]
    assert found.notes == ()
    assert found.cutoff is None


def test_the_column_split_needs_its_column() -> None:
    with pytest.raises(SplitError, match="needs a column `split`"):
        split(log("abc"), "column")


def test_sequences_in_more_than_one_part_are_refused_and_counted() -> None:
    with pytest.raises(SplitError, match="2 users have events in more than one part"):
        split(log("abcabcd", split=[R, R, V, T, V, V, T]), "column")
    with pytest.raises(SplitError, match="1 sessions have events in more than one part"):
        split(log("aaabbb", split=[R, R, V, V, T, T], session=np.array([0, 0, 1, 3, 3, 2])), "column")


def test_a_user_may_have_sessions_in_every_part() -> None:
    found = split(log("aaa", split=[R, V, T], session=np.array([0, 1, 2])), "column")
    assert found.role.tolist() == [R, V, T]


def test_events_after_the_first_test_event_are_counted_in_a_note() -> None:
    found = split(log("abcabcc", [0.0, 1, 2, 3, 4, 5, 2], split=[R, V, T, R, V, T, T]), "column")
    # sorted by time: a 0, b 1, c 2, c 2, a 3, b 4, c 5
    assert found.role.tolist() == [R, V, T, T, R, V, T]
    (note,) = found.notes
    assert "overlap in time: 1 training and 1 validation events fall after the first test event" in note


def sessions_of(n: int) -> dict[str, Any]:
    """n training sessions of two events, of which the first to begin is the last to end; then one of the test."""
    session = np.array([*range(n), *reversed(range(n)), n])
    return {"session": session, "split": np.array([R] * 2 * n + [T])}


@pytest.mark.parametrize(("n", "chosen"), [(20, [0, 1]), (9, [0]), (2, [0])])
@pytest.mark.parametrize("timed", [True, False])
def test_without_a_valid_part_the_last_tenth_of_the_training_sessions_chooses(
    n: int, chosen: list[int], timed: bool
) -> None:
    one = replace(log("u" * (2 * n + 1), **sessions_of(n)), timed=timed)
    found = split(one, "column")
    assert one.session is not None
    expected = [T if s == n else V if s in chosen else R for s in one.session.tolist()]
    assert found.role.tolist() == expected
    assert found.notes == (f"the log has no valid part: the last {len(chosen)} training sessions choose",)
    assert one.split is not None
    assert set(one.split.tolist()) == {R, T}


@pytest.mark.parametrize(("parts", "missing"), [([R, R, V, V], "test"), ([V, V, T, T], "train")])
def test_a_column_split_with_an_empty_part_is_refused(parts: list[int], missing: str) -> None:
    with pytest.raises(SplitError, match=f"leaves no {missing} event out of 4"):
        split(log("aabb", split=parts), "column")


@pytest.mark.parametrize("kind", ["time", "leave-one-out", "column"])
def test_a_log_without_events_is_refused(kind: str) -> None:
    with pytest.raises(SplitError, match="no events"):
        split(log("a", split=[R]).where(np.array([False])), kind)
