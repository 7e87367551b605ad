"""Session neighbours, worked out by hand and beside a plain count."""

import math
from collections import defaultdict
from itertools import product
from typing import Any

import numpy as np
import pytest

from baseline_logs import MARK, RESET, after, event, laid, random_sessions
from segue.choices import settings_tree
from segue.data.events import log_of
from segue.data.sessions import lay_out
from segue.data.synthetic import noisy_chain
from segue.errors import ConfigError
from segue.models.neighbours import Neighbours
from segue.models.session_index import SessionIndex
from segue.training.candidates import again, each_fitted, fit_baseline, validation_metric
from segue.training.plan import plan_of

# Sessions, oldest to newest: 0 ab, 1 bc, 2 acd, 3 ae. Of four sessions a is in 3 (0, 2, 3), b in 2 (0, 1),
# c in 2, d in 1, e in 1.
SHOP = ["ab", "bc", "acd", "ae"]


def test_neighbours_score_as_worked_out_by_hand() -> None:
    # evolving session b, a: place of b 1, of a 2, |s| 2. Similarities: session 0 (a and b) 3/2; 1 (b) 1/2;
    # 2 (a) 1; 3 (a) 1. Latest match a is 1 step from the end: 0.9; b alone 2 steps: 0.8.
    # Weights: 0: 1.35, 1: 0.4, 2: 0.9, 3: 0.9. idf: log(4/3) for a, log 2 for b and c, log 4 for d and e.
    # a (1.35 + 0.9 + 0.9) log(4/3); b (1.35 + 0.4) log 2; c (0.4 + 0.9) log 2; d, e 0.9 log 4; f has no vote.
    # f is the least popular (never seen): its place is 0, less 1
    model = Neighbours(6, rule=RESET).fit(laid(SHOP))
    two, four = math.log(2), math.log(4)
    expected = [3.15 * math.log(4 / 3), 1.75 * two, 1.3 * two, 0.9 * four, 0.9 * four, -1]
    assert after(model, "ba") == pytest.approx(expected, rel=1e-6)
    unweighted = Neighbours(6, rule=RESET, idf=False).fit(laid(SHOP))
    assert after(unweighted, "ba") == pytest.approx([3.15, 1.75, 1.3, 0.9, 0.9, -1], rel=1e-6)


def test_only_the_most_similar_neighbours_vote_and_ties_go_to_the_more_recent() -> None:
    # as above: 0 is the most similar, 2 and 3 tie, 3 is more recent; so c and d, of session 2, have no vote.
    # Counts a 3, b 2, c 2, d 1, e 1, f 0: four distinct, so c is 2/4 - 1, d 1/4 - 1
    model = Neighbours(6, rule=RESET, neighbours=2, idf=False).fit(laid(SHOP))
    assert after(model, "ba") == pytest.approx([2.25, 1.35, -0.5, -0.75, 0.9, -1], rel=1e-6)


def test_only_the_most_recent_sessions_are_looked_at() -> None:
    # two sessions an item: a in 2, 3; b in 0, 1. Two in all: 2 and 3, each with weight 0.9
    model = Neighbours(6, rule=RESET, sessions=2, idf=False).fit(laid(SHOP))
    assert after(model, "ba") == pytest.approx([1.8, -0.5, 0.9, 0.9, 0.9, -1], rel=1e-6)


def test_sessions_that_end_together_tie_to_the_one_laid_out_later() -> None:
    # u: a b, v: a c, both end at 9. Counts a 2, b 1, c 1: b, without a vote, has the lowest place
    log = log_of(["u", "v", "u", "v"], ["a", "a", "b", "c"], [0.0, 1.0, 9.0, 9.0])
    sequences = lay_out(log, gap=None, at_session_start="reset")
    model = Neighbours(3, rule=RESET, neighbours=1, idf=False).fit(sequences)
    assert after(model, "a") == pytest.approx([0.9, -1, 0.9], rel=1e-6)


def test_an_item_clicked_twice_counts_once_at_its_last_place() -> None:
    # a, b, a: a at place 3, b at 2, so the similarity of session ab is 5/3; its latest match is 1 step away
    model = Neighbours(3, rule=RESET, clicks=3, idf=False).fit(laid(["ab"]))
    assert after(model, "aba") == pytest.approx([1.5, 1.5, -1], rel=1e-6)


def test_neighbours_without_a_known_click_rank_by_popularity() -> None:
    # counts a 3, b 2, c 2, d 1, e 1, f 0: four distinct popularities, a quarter apart
    model = Neighbours(6, rule=RESET).fit(laid(SHOP))
    by_popularity = [-0.25, -0.5, -0.5, -0.75, -0.75, -1]
    assert after(model, "") == after(model, "?") == after(model, "f") == by_popularity


def test_neighbours_begin_anew_where_a_session_opens_even_with_mark() -> None:
    model = Neighbours(10, rule=MARK, clicks=2).fit(laid(random_sessions()))
    state = model.step(event(3, time=0.0, opens=True), model.initial_state(1))
    state = model.step(event(-1, time=1.0), state)
    assert state["last"].tolist() == [[-1, 3]]
    assert model.query(state, np.array([50.0])).tolist() == [[-1, 3]]
    assert model.query(state, np.array([5000.0])).tolist() == [[-1, -1]]
    assert model.step(event(-1, time=5000.0, opens=True), state)["last"].tolist() == [[-1, -1]]
    assert model.step(event(2, time=5000.0, opens=True), state)["last"].tolist() == [[-1, 2]]


@pytest.mark.parametrize(("sessions", "neighbours", "clicks"), [(500, 100, 2), (7, 3, 4), (20, 10, 12)])
def test_neighbours_equal_a_plain_count_over_all_sessions(sessions: int, neighbours: int, clicks: int) -> None:
    words = random_sessions()
    size: Any = {"sessions": sessions, "neighbours": neighbours, "clicks": clicks}
    model = Neighbours(10, rule=RESET, **size).fit(laid(words))
    for evolving in random_sessions(seed=11, n=40):
        votes = plain_votes(words, evolving[-clicks:], sessions, neighbours)
        scores = after(model, evolving)
        for i, score in enumerate(scores):
            if votes[i] > 0:
                assert score == pytest.approx(votes[i], rel=1e-5)
            else:
                assert score < 0


def plain_votes(words: list[str], s: str, m: int, k: int) -> dict[int, float]:
    """The equation of the class, one session after another."""
    similarity = {n: sum(s.rfind(x) + 1 for x in set(s) & set(word)) for n, word in enumerate(words)}
    recent = sorted(n for n in similarity if similarity[n])[-m:]
    votes: dict[int, float] = defaultdict(float)
    for n in sorted(recent, key=lambda n: (similarity[n], n))[-k:]:
        steps = len(s) - max(s.rfind(x) for x in set(words[n]) & set(s))
        for x in set(words[n]):
            rarity = math.log(len(words) / sum(x in word for word in words))
            votes[ord(x) - ord("a")] += similarity[n] / len(s) * max(0.0, 1 - steps / 10) * rarity
    return votes


def test_the_grid_indexes_the_log_once_for_each_number_of_sessions_and_finds_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = plan_of(noisy_chain(60, 12, 20, follow=0.6), settings_tree(None, (), {"sessions.gap": 240.0}))
    grid = {"sessions": (3, 10, 50), "neighbours": (2, 5, 20), "clicks": (1, 2, 5)}
    points = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    phase, rule, settings = plan.choose, plan.rule, plan.settings
    apart = [validation_metric(again(Neighbours, point, phase, rule), phase, settings) for point in points]
    assert len(set(apart)) > 5
    built, real = [], SessionIndex.of

    def counted(*arguments: Any, sessions: int) -> SessionIndex:
        built.append(sessions)
        return real(*arguments, sessions=sessions)

    monkeypatch.setattr(SessionIndex, "of", counted)
    monkeypatch.setattr(Neighbours, "GRID", grid)
    tried = [validation_metric(model, phase, settings) for model in each_fitted(Neighbours, points, phase, rule)]
    assert (tried, built) == (apart, [3, 10, 50])
    built.clear()
    fitted = fit_baseline("sknn", phase, plan.judge, rule, settings, lambda _: None)
    assert fitted.settings == points[int(np.argmax(apart))]
    assert built == [3, 10, 50, fitted.settings["sessions"]], "and once more from all that may be seen"


def test_sizes_below_one_are_refused() -> None:
    for name in ("sessions", "neighbours", "clicks"):
        size: Any = {name: 0}
        with pytest.raises(ConfigError, match=f"`{name}` is 0"):
            Neighbours(10, rule=RESET, **size)
