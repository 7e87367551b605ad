"""Packing sequences into windows: nothing lost, nothing mixed, nothing wasted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.data import batches
from segue.data.batches import Batch, runs, windows
from segue.data.events import log_of
from segue.data.sessions import Sequences, lay_out
from segue.data.targets import targets_of
from segue.rng import stream

GAP = 5.0


def laid(lengths: list[list[int]], at_session_start: str = "reset") -> Sequences:
    """For each user the lengths of the sessions; every event has an item of its own."""
    users, times = [], []
    for user, sessions in enumerate(lengths):
        now = float(user)
        for session in sessions:
            users += [f"u{user}"] * session
            times += [now + step for step in range(session)]
            now += session + GAP
    return lay_out(
        log_of(users, [f"i{e}" for e in range(len(users))], times), gap=GAP, at_session_start=at_session_start
    )


LOGS = st.builds(
    laid,
    st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=4), min_size=1, max_size=12),
    st.sampled_from(["reset", "mark"]),
)
SEEDS = st.none() | st.integers(0, 5)


def generator(seed: int | None) -> np.random.Generator | None:
    return None if seed is None else stream(seed, "batches")


EVERY_PATH = pytest.mark.parametrize("balanced", [20_000, 5], ids=["levelled", "in bulk"])


def packed(balanced: int, sequences: Sequences, **how: Any) -> list[Batch]:
    """The windows, with so many sequences dealt out one by one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "BALANCED", balanced)
        return list(windows(sequences, **how))


@EVERY_PATH
@given(LOGS, st.integers(1, 6), st.integers(1, 7), SEEDS)
def test_every_event_comes_exactly_once_in_windows_of_one_shape(
    balanced: int, sequences: Sequences, rows: int, window: int, seed: int | None
) -> None:
    found = packed(balanced, sequences, rows=rows, window=window, rng=generator(seed))
    assert {batch.place.shape for batch in found} == {(window, rows)}
    assert {batch.starts.shape for batch in found} == {(window, rows)}
    places = np.concatenate([batch.place.ravel() for batch in found])
    assert sorted(places[places >= 0]) == list(range(len(sequences)))
    assert (found[-1].place >= 0).any()


@EVERY_PATH
@given(LOGS, st.integers(1, 6), st.integers(1, 7), SEEDS)
def test_a_row_goes_on_to_the_next_event_unless_a_sequence_starts_also_across_windows(
    balanced: int, sequences: Sequences, rows: int, window: int, seed: int | None
) -> None:
    found = packed(balanced, sequences, rows=rows, window=window, rng=generator(seed))
    place = np.concatenate([batch.place for batch in found])
    starts = np.concatenate([batch.starts for batch in found])
    assert (starts == ((place >= 0) & sequences.starts[place])).all()
    for row, begins in zip(place.T, starts.T, strict=True):
        filled = int((row >= 0).sum())
        assert (row[filled:] == -1).all()
        assert not begins[filled:].any()
        assert begins[:filled][:1].all()
        goes_on = row[1:filled] == row[: max(filled - 1, 0)] + 1
        assert (goes_on | begins[1:filled]).all()


@EVERY_PATH
@given(LOGS, st.integers(1, 6), SEEDS)
def test_rows_are_nearly_equal(balanced: int, sequences: Sequences, rows: int, seed: int | None) -> None:
    place = np.concatenate([b.place for b in packed(balanced, sequences, rows=rows, window=4, rng=generator(seed))])
    lengths = (place >= 0).sum(0)
    longest = np.diff(np.append(np.flatnonzero(sequences.starts), len(sequences))).max()
    # a bulk that five sequences cannot level is off by at most one sequence at each of a row's two ends
    slack = longest if balanced > 5 else 2 * longest
    assert lengths.max() - lengths.min() <= slack


@EVERY_PATH
def test_the_same_seed_gives_the_same_batches_and_another_seed_another_order(balanced: int) -> None:
    sequences = laid([[3, 2, 4]] * 10)

    def places(seed: int | None) -> list[list[list[int]]]:
        return [b.place.tolist() for b in packed(balanced, sequences, rows=3, window=4, rng=generator(seed))]

    assert places(1) == places(1)
    assert places(None) == places(None)
    assert places(1) != places(2)
    assert places(1) != places(None)


def test_windows_by_hand() -> None:
    """Longest first to the shortest row: 4 to row 0, 3 to row 1, 2 to row 1, 1 to row 0."""
    sequences = laid([[2, 4], [1], [3]])
    first, second = windows(sequences, rows=2, window=3)
    assert first.place.T.tolist() == [[2, 3, 4], [7, 8, 9]]
    assert first.starts.T.tolist() == [[True, False, False], [True, False, False]]
    assert second.place.T.tolist() == [[5, 6, -1], [0, 1, -1]]
    assert second.starts.T.tolist() == [[False, True, False], [True, False, False]]


def test_an_epoch_has_other_orders_of_the_same_rng() -> None:
    sequences, rng = laid([[3, 2, 4]] * 10), stream(1, "batches")
    one, two = (np.concatenate([b.place for b in windows(sequences, rows=2, window=4, rng=rng)]) for _ in range(2))
    assert one.shape != two.shape or (one != two).any()


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 5)), max_size=8))
def test_runs_are_ranges_end_to_end(pieces: list[tuple[int, int]]) -> None:
    begins, lengths = (np.array([piece[at] for piece in pieces], np.int64) for at in (0, 1))
    expected = [place for begin, length in pieces for place in range(begin, begin + length)]
    assert runs(begins, lengths).tolist() == expected


@given(LOGS)
def test_a_target_is_the_next_event_of_the_same_session_of_the_same_user(sequences: Sequences) -> None:
    session = np.cumsum(sequences.opens)
    expected = [
        sequences.item[e + 1]
        if e + 1 < len(sequences) and sequences.user[e] == sequences.user[e + 1] and session[e] == session[e + 1]
        else -1
        for e in range(len(sequences))
    ]
    assert targets_of(sequences).tolist() == expected


def test_targets_by_hand() -> None:
    sequences = laid([[2, 3], [1], [2]], "mark")
    assert sequences.starts.tolist() == [True, False, False, False, False, True, True, False]
    item = sequences.item.tolist()
    assert targets_of(sequences).tolist() == [item[1], -1, item[3], item[4], -1, -1, item[7], -1]
