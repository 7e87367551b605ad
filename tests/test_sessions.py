"""Where sessions begin: the rule by hand, and the layout against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.data.events import EventLog, log_of
from segue.data.sessions import Moment, lay_out, opens_session

NAN = float("nan")


@pytest.mark.parametrize(
    ("previous", "event", "gap", "opens"),
    [
        (None, Moment(5.0), 10.0, True),
        (None, Moment(5.0, "a"), None, True),
        (Moment(NAN), Moment(5.0), 10.0, True),
        (Moment(NAN), Moment(5.0), None, True),
        (Moment(NAN, "a"), Moment(5.0, "a"), 10.0, True),
        (Moment(0.0), Moment(10.0), 10.0, False),
        (Moment(0.0), Moment(10.5), 10.0, True),
        (Moment(0.0), Moment(0.0), 0.0, False),
        (Moment(9.0), Moment(2.0), 1.0, False),
        (Moment(0.0), Moment(9e9), None, False),
        (Moment(0.0, "a"), Moment(9e9, "a"), 10.0, False),
        (Moment(0.0, "a"), Moment(0.0, "b"), 10.0, True),
        (Moment(0.0, "a"), Moment(0.0, "b"), None, True),
        (Moment(0.0, "a"), Moment(5.0), 10.0, False),
        (Moment(0.0), Moment(50.0, "a"), 10.0, True),
        (Moment(0.0), Moment(50.0, "a"), None, False),
    ],
)
def test_one_event_opens_a_session_by_id_else_by_pause(
    previous: Moment | None, event: Moment, gap: float | None, opens: bool
) -> None:
    assert bool(opens_session(previous, event, gap)) is opens


def test_arrays_are_compared_elementwise() -> None:
    before, now = np.array([0.0, 0.0, NAN, 7.0]), np.array([10.0, 11.0, 5.0, 7.0])
    assert opens_session(Moment(before), Moment(now), 10.0).tolist() == [False, True, True, False]
    assert opens_session(Moment(before), Moment(now), None).tolist() == [False, False, True, False]
    assert opens_session(None, Moment(now), None).tolist() == [True] * 4
    ids = Moment(before, np.array([1, 1, 1, 1])), Moment(now, np.array([1, 1, 1, 2]))
    assert opens_session(*ids, 10.0).tolist() == [False, False, True, True]


def test_one_moment_is_compared_with_many() -> None:
    assert opens_session(Moment(np.array([0.0, 95.0, NAN])), Moment(np.asarray(100.0)), 10.0).tolist() == [
        True,
        False,
        True,
    ]


def log() -> EventLog:
    """Two users taking turns; b pauses for 50 seconds, a changes the session id at once."""
    return log_of(
        ["a", "b", "a", "b", "a"], ["v", "w", "x", "y", "z"], [0.0, 1, 2, 51, 52], session=np.array([0, 1, 0, 1, 2])
    )


def test_a_log_is_laid_out_user_by_user_in_time_order() -> None:
    laid = lay_out(log(), gap=10.0, at_session_start="reset")
    assert laid.order.tolist() == [0, 2, 4, 1, 3]
    assert laid.user.tolist() == [0, 0, 0, 1, 1]
    assert laid.item.tolist() == [0, 2, 4, 1, 3]
    assert laid.time.tolist() == [0, 2, 52, 1, 51]
    assert laid.bounds.tolist() == [0, 3, 5]
    assert laid.of.tolist() == [0, 1]
    assert laid.opens.tolist() == [True, False, True, True, False]
    assert laid.starts.tolist() == [True, False, True, True, False]
    assert len(laid) == 5
    assert laid.timed


def test_with_mark_only_a_users_first_event_starts() -> None:
    laid = lay_out(log(), gap=10.0, at_session_start="mark")
    assert laid.opens.tolist() == [True, False, True, True, False]
    assert laid.starts.tolist() == [True, False, False, True, False]


def test_other_item_indices_may_be_used() -> None:
    laid = lay_out(log(), gap=None, at_session_start="reset", item=np.array([7, -1, 5, 4, 3], np.int32))
    assert laid.item.tolist() == [7, 5, 3, -1, 4]


def test_a_part_keeps_what_each_event_is() -> None:
    laid = lay_out(log(), gap=10.0, at_session_start="mark")
    part = laid.part(slice(3, 5), bounds=np.array([0, 2]), of=np.array([1]))
    assert part.order.tolist() == [1, 3]
    assert part.item.tolist() == [1, 3]
    assert part.opens.tolist() == [True, False]
    assert part.bounds.tolist() == [0, 2]


def test_a_log_without_events_has_no_sequences() -> None:
    nobody = log().where(np.zeros(5, bool))
    laid = lay_out(nobody, gap=10.0, at_session_start="reset")
    assert len(laid) == 0
    assert laid.bounds.tolist() == [0]
    assert laid.of.tolist() == []


EVENT = st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 30), st.integers(0, 2))


@given(
    events=st.lists(EVENT, min_size=1, max_size=40),
    with_sessions=st.booleans(),
    gap=st.none() | st.sampled_from([0.0, 1.0, 5.0]),
    at_session_start=st.sampled_from(["reset", "mark"]),
)
def test_the_layout_is_that_of_a_plain_loop(
    events: list[tuple[int, int, int, int]], with_sessions: bool, gap: float | None, at_session_start: str
) -> None:
    columns = {"session": np.array([e[3] for e in events])} if with_sessions else {}
    log = log_of([f"u{e[0]}" for e in events], [f"i{e[1]}" for e in events], [float(e[2]) for e in events], **columns)
    laid = lay_out(log, gap=gap, at_session_start=at_session_start)

    expected, bounds, of = [], [0], []
    for user in range(len(log.users)):
        before = None
        for e in range(len(log)):
            if log.user[e] != user:
                continue
            if before is None:
                opens = True
            elif log.session is not None:
                opens = log.session[e] != log.session[before]
            else:
                opens = gap is not None and log.time[e] - log.time[before] > gap
            starts = opens if at_session_start == "reset" else before is None
            expected.append((e, user, log.item[e], log.time[e], opens, starts))
            before = e
        if before is not None:
            bounds.append(len(expected))
            of.append(user)
    found = zip(laid.order, laid.user, laid.item, laid.time, laid.opens, laid.starts, strict=True)
    assert list(found) == expected
    assert laid.bounds.tolist() == bounds
    assert laid.of.tolist() == of
