"""What one replay tells of each prediction, by hand; baselines on logs without a clock; the choice of a setting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from segue.config import Settings, SplitSettings
from segue.data.events import log_of
from segue.data.proposals import propose
from segue.data.sessions import Sequences, lay_out
from segue.data.splits import TEST, VALID, split_log
from segue.data.statistics import measure
from segue.data.synthetic import noisy_chain
from segue.evaluation.phase import phase_of
from segue.evaluation.replay import Predictions, replay
from segue.models.base import Model, SessionRule
from segue.models.build import kind_of
from segue.ranking import NEVER
from segue.training import candidates
from segue.training.candidates import fit_baseline

RULE = SessionRule()


def one_user(*items: int) -> Sequences:
    log = log_of(["u"] * len(items), [str(n) for n in range(len(items))], [float(n) for n in range(len(items))])
    return lay_out(log, gap=None, at_session_start="reset", item=np.array(items, np.int32))


def by_popularity() -> Model:
    """Five items: 3 events of item 0, then 2 of item 1, one each of 2 and 3, none of 4."""
    return kind_of("popularity")(5, rule=RULE).fit(one_user(0, 0, 0, 1, 1, 2, 3))


def asked_last(*items: int, exclude: str = "none", k: int = 5) -> Predictions:
    asked = np.zeros(len(items), bool)
    asked[-1] = True
    return replay(by_popularity(), one_user(*items), asked, exclude=exclude, k=k)


def test_the_list_says_which_items_the_user_had() -> None:
    # the list is 0 1 2 3 4 (2 and 3 tie, the lower goes first); the user had 3 and 1 before the asked 2
    found = asked_last(3, 1, 3, 2)
    assert found.lists.tolist() == [[0, 1, 2, 3, 4]]
    assert found.had.tolist() == [[False, True, False, True, False]]
    assert found.repeated.tolist() == [False]
    # 2 ties with 3, and ties count against us: 0, 1, 3 score as high
    assert found.rank.tolist() == [4]


def test_a_target_that_the_user_had_is_repeated() -> None:
    found = asked_last(2, 0, 2)
    assert found.repeated.tolist() == [True]
    assert found.had.tolist() == [[True, False, True, False, False]]


def test_excluded_items_are_in_no_list_and_an_excluded_target_is_never_found() -> None:
    seen = asked_last(1, 0, 1, exclude="seen")
    assert seen.lists.tolist() == [[2, 3, 4, -1, -1]]
    assert seen.rank.tolist() == [NEVER]
    assert not seen.had.any()
    current = asked_last(1, 0, 1, exclude="current")
    assert current.lists.tolist() == [[1, 2, 3, 4, -1]]
    assert current.rank.tolist() == [1]
    assert current.had.tolist() == [[True, False, False, False, False]]


def test_an_unknown_item_is_no_one_elses() -> None:
    found = asked_last(-1, 0, -1)
    assert found.target.tolist() == [-1]
    assert found.rank.tolist() == [NEVER]
    assert found.repeated.tolist() == [False]
    assert found.had.tolist() == [[True, False, False, False, False]]


def test_a_phase_of_a_log_without_a_clock_has_no_cutoff_and_asks_each_users_last() -> None:
    log = replace(noisy_chain(20, 8, 10, follow=0.8), timed=False)
    found = phase_of(log, split_log(log, SplitSettings(kind="leave-one-out")), RULE, ask=TEST)
    assert found.cutoff is None
    assert np.flatnonzero(found.asked).tolist() == (found.replayed.bounds[1:] - 1).tolist()
    assert len(found.learned) == 20 * 7


def test_the_setting_that_does_best_on_validation_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    log = noisy_chain(40, 20, 10, follow=0.8)
    split = split_log(log, SplitSettings())
    choose, judged = (phase_of(log, split, RULE, ask=part) for part in (VALID, TEST))
    wanted, told = {"half_life": 0.03}, []

    def valued(model: Any, phase: Any, settings: Settings) -> float:
        assert phase is choose
        return 0.9 if model.settings() == wanted else 0.1

    monkeypatch.setattr(candidates, "validation_metric", valued)
    found = fit_baseline("recent_popularity", choose, judged, RULE, Settings(), told.append)
    assert found.settings == wanted
    expected = kind_of("recent_popularity")(len(judged.catalog), rule=RULE, **wanted)
    expected.fit(judged.learned, cutoff=judged.cutoff)
    np.testing.assert_array_equal(found.model.arrays()["recent"], expected.arrays()["recent"])
    assert "half_life 0.03 is best of 4 settings" in told[0]


def test_an_order_without_times_proposes_no_gap_and_the_last_events_to_judge() -> None:
    log = replace(noisy_chain(30, 10, 8, follow=0.8), timed=False)
    found = {one.key: one.value for one in propose(log, measure(log))}
    assert found["split.kind"] == "leave-one-out"
    assert found["sessions.gap"] == "never"
    assert found["sessions.at_session_start"] == "reset"


def test_a_log_that_names_its_sessions_needs_no_gap_and_keeps_the_past_of_users_who_come_back() -> None:
    log = noisy_chain(30, 12, 8, follow=0.8)
    log = replace(log, session=(log.user * 4 + np.arange(len(log)) // 90).astype(np.int32))
    found = {one.key: one.value for one in propose(log, measure(log))}
    assert found["sessions.gap"] == "never"
    assert found["sessions.at_session_start"] == "mark"
