"""Popularity, recent popularity and Markov, worked out by hand."""

import math

import numpy as np
import pytest

from baseline_logs import MARK, RESET, after, event, laid, random_sessions
from segue.data.events import log_of
from segue.data.sessions import lay_out
from segue.errors import ConfigError
from segue.models.markov import Markov
from segue.models.popularity import Popularity
from segue.models.recent_popularity import RecentPopularity


def test_popularity_counts_the_known_events() -> None:
    model = Popularity(4, rule=RESET).fit(laid(["aab", "ba?"], item=np.array([0, 0, 1, 1, 0, -1], np.int32)))
    assert after(model, "") == after(model, "b") == [3, 2, 0, 0]


def test_recent_popularity_halves_an_event_with_every_half_life() -> None:
    # times 0..4 and half of the span of 4 seconds: the half-life is 2. Sums before the logarithm:
    # a at 0, 2: 1/4 + 1/2; b at 1: 2^-1.5; c at 3, 4: 2^-0.5 + 1; d never: one below the lowest, b
    model = RecentPopularity(4, rule=RESET, half_life=0.5).fit(laid(["abacc"]))
    expected = [math.log2(0.75), -1.5, math.log2(1 + 2**-0.5), -2.5]
    assert after(model, "") == pytest.approx(expected, abs=1e-6)


def test_recent_popularity_counts_back_from_the_cutoff() -> None:
    # from 0 to the cutoff at 10, so the half-life is 1: a at 0 is ten half-lives old, b at 1 nine
    model = RecentPopularity(2, rule=RESET, half_life=0.1).fit(laid(["ab"]), cutoff=10.0)
    assert after(model, "") == pytest.approx([-10, -9])


def test_recent_popularity_keeps_items_of_very_many_half_lives_ago_apart() -> None:
    model = RecentPopularity(3, rule=RESET, half_life=1e-4).fit(laid(["ab"]))
    assert after(model, "")[1] > after(model, "")[0] > after(model, "")[2]


def test_recent_popularity_of_events_at_one_time_is_their_count() -> None:
    log = log_of(["u", "v", "w"], ["a", "a", "b"], [5.0, 5.0, 5.0])
    model = RecentPopularity(2, rule=RESET).fit(lay_out(log, gap=None, at_session_start="reset"))
    assert after(model, "") == pytest.approx([1, 0])


def test_markov_counts_what_followed_within_a_session_and_popularity_breaks_ties() -> None:
    # abab, ac: a->b 2, b->a 1, a->c 1, and no b->a across the boundary. Counts a 3, b 2, c 1, d 0 are four
    # distinct popularities, so their places are a 3/4, b 2/4, c 1/4, d 0, and half of that is added
    model = Markov(4, rule=RESET).fit(laid(["abab", "ac"]))
    assert after(model, "a") == [0.375, 2.25, 1.125, 0]
    assert after(model, "b") == [1.375, 0.25, 0.125, 0]


def test_markov_counts_nothing_across_the_sessions_of_one_user() -> None:
    log = log_of(["u", "u", "u"], ["a", "b", "c"], [0.0, 1.0, 500.0])
    model = Markov(3, rule=MARK).fit(lay_out(log, gap=100.0, at_session_start="mark"))
    assert after(model, "a")[1] == 1
    assert max(after(model, "b")) < 1


def test_markov_without_a_known_source_ranks_by_popularity() -> None:
    model = Markov(4, rule=RESET).fit(laid(["abab", "ac"]))
    assert after(model, "") == after(model, "?") == after(model, "d") == [0.375, 0.25, 0.125, 0]


def test_markov_skips_unknown_items_in_training_as_after_it() -> None:
    model = Markov(3, rule=RESET).fit(laid(["a?b"], item=np.array([0, -1, 1], np.int32)))
    assert after(model, "a")[1] > 1
    assert after(model, "a?") == after(model, "a")


def test_markov_keeps_its_item_over_a_boundary_with_mark() -> None:
    model = Markov(10, rule=MARK).fit(laid(random_sessions()))
    state = model.step(event(3, time=0.0, opens=True), model.initial_state(1))
    assert model.query(state, np.array([5000.0])).tolist() == [3]
    state = model.step(event(-1, time=5000.0, opens=True), state)
    assert model.query(state).tolist() == [3]
    assert state["time"].tolist() == [5000.0]


def test_a_popularity_tie_breaker_reorders_no_count_in_float32() -> None:
    model = Markov(3, rule=RESET).fit(laid(["abc", "bc", "c"]))
    large = 2**22 - 1
    arrays = model.arrays() | {
        "counts": np.array([10**9, 5, 1]),
        "next_bounds": np.array([0, 2, 2, 2]),
        "next_items": np.array([0, 1], np.int32),
        "next_counts": np.array([large, large + 1]),
    }
    model.load_arrays(arrays)
    assert after(model, "a")[0] < after(model, "a")[1]


def test_a_half_life_that_makes_no_sense_is_refused() -> None:
    for half_life in (0.0, -1.0, math.nan):
        with pytest.raises(ConfigError, match="half_life"):
            RecentPopularity(10, rule=RESET, half_life=half_life)
