"""Under an objective: what leave-one-out holds out, what a basket is, and what session neighbours vote for."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segue
from api_log import QUICK
from baseline_logs import RESET, after, laid, random_sessions
from segue.config import SplitSettings
from segue.data import spill
from segue.data.events import log_of
from segue.data.sessions import Sequences
from segue.data.splits import TEST, TRAIN, VALID, Split, split_log
from segue.errors import EvaluationError, SplitError
from segue.evaluation.baskets import baskets_of
from segue.evaluation.phase import phase_of
from segue.metrics import METRICS
from segue.models.base import SessionRule
from segue.models.neighbours import Neighbours
from segue.shapes import Array

R, V, T = TRAIN, VALID, TEST
LEAVE = SplitSettings(kind="leave-one-out")
BUYING: dict[str, Any] = {**QUICK, "objective.targets": ["purchase"], "evaluate.exclude": "none"}


def test_leave_one_out_holds_out_the_last_events_that_are_to_be_predicted_with_what_came_after() -> None:
    log = log_of(list("aaaaaa") + list("bbb") + list("cc") + list("d"), ["i"] * 12, [float(t) for t in range(12)])
    #                 of a three      |  of b the first |  c   | of d the only one
    worth = np.array([1, 0, 0.5, 0, 2, 0, 1, 0, 0, 0, 1, 1], np.float32)
    found = split_log(log, LEAVE, worth)
    assert found.role.tolist() == [R, R, V, V, T, T, R, R, R, R, T, R]
    assert any("last event that is to be predicted" in note for note in found.notes)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.0, 1.0])), min_size=1, max_size=40),
    st.sampled_from([1, 3, 999]),
)
def test_leave_one_out_is_the_same_in_blocks_and_as_written_down(events: list[tuple[int, float]], block: int) -> None:
    log = log_of([f"u{user}" for user, _ in events], ["i"] * len(events), [float(t) for t in range(len(events))])
    worth = np.array([value for _, value in events], np.float32)
    expected = [R] * len(events)
    for user in {user for user, _ in events}:
        places = [place for place, (of, _) in enumerate(events) if of == user]
        held_out = [place for place in places[1:] if worth[place] > 0][-2:]
        for part, begin in zip([V, T][-len(held_out) :] if held_out else [], held_out, strict=True):
            for place in places:
                expected[place] = part if place >= begin else expected[place]
    missing = [name for name, part in (("train", R), ("valid", V), ("test", T)) if part not in expected]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "BLOCK", block)
        if missing:
            with pytest.raises(SplitError, match=f"leaves no {missing[0]} event"):
                split_log(log, LEAVE, worth)
        else:
            assert split_log(log, LEAVE, worth).role.tolist() == expected


@pytest.mark.parametrize(
    ("worth", "words"),
    [
        ([1, 0, 0], "no valid event out of 3: no user has an event that is"),
        ([0, 0, 1], "no valid .*has two events that are"),
    ],
)
def test_too_few_events_that_are_to_be_predicted_are_said_to_be_the_cause(worth: list[int], words: str) -> None:
    log = log_of(list("aaa"), ["i"] * 3, [0.0, 1.0, 2.0])
    with pytest.raises(SplitError, match=f"leaves {words}.*as the objective asks.*--split time"):
        split_log(log, LEAVE, np.array(worth, np.float32))


def shop(users: int = 40) -> pl.DataFrame:
    """Three visits a user: views, a purchase of the item after the first one, and a view at last."""
    rng, rows = np.random.default_rng(4), []
    for user in range(users):
        for visit in range(3):
            first, at = int(rng.integers(12)), 1_700_000_000 + user * 1000 + visit * 100_000
            steps = [first, *rng.integers(12, size=2).tolist(), (first + 1) % 12, int(rng.integers(12))]
            kinds = ["view"] * 3 + ["purchase", "view"]
            rows += [
                (f"u{user}", f"i{item}", at + 10 * n, kind)
                for n, (item, kind) in enumerate(zip(steps, kinds, strict=True))
            ]
    return pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp", "kind"], orient="row").sort("timestamp")


@pytest.mark.parametrize("model", ["markov", "sknn"])
def test_where_views_come_last_the_last_purchases_are_asked_and_asked_again_by_evaluate(model: str) -> None:
    chosen = {**BUYING, "split.kind": "leave-one-out"}
    recommender = segue.fit(shop(), model=model, settings=chosen, type_col="kind")
    report = recommender.trained_report
    assert {row.predictions for row in report.rows} == {40}
    assert report.split["test"] == 80, "the purchase, and the view after it"
    assert any(
        "only purchase is predicted: 40 of 80 events of the test part are not asked for" in n for n in report.notes
    )
    again = recommender.evaluate(shop(), type_col="kind")
    assert [row.metrics for row in again.rows] == [row.metrics for row in report.rows]


def test_what_comes_after_the_held_out_purchase_changes_nothing() -> None:
    log = shop().with_row_index("place")
    last = pl.col("place") == pl.col("place").max().over("user_id")
    other = log.with_columns(item_id=pl.when(last).then(pl.lit("i0")).otherwise("item_id"))
    chosen = {**BUYING, "split.kind": "leave-one-out"}
    found = [
        segue.fit(one, model="markov", settings=chosen, type_col="kind").trained_report.rows for one in (log, other)
    ]
    assert [(row.model, row.metrics) for row in found[0]] == [(row.model, row.metrics) for row in found[1]]


def test_of_a_basket_counts_what_is_to_be_predicted_and_one_without_is_none() -> None:
    # u: a session of i j, then one of i (view), k k (purchases), j (cart); then one of a view alone; v: i, then k
    users = list("uu") + list("uuuu") + list("u") + list("vv")
    log = log_of(users, list("ij") + list("ikkj") + list("i") + list("ik"), [0, 1, 100, 101, 102, 103, 200, 5, 105])
    role = np.where(log.time >= 100, T, R).astype(np.int8)
    split = Split("time", role, 100.0, ())
    worth = np.where(np.isin(log.time, [101, 102, 105]), 2.0, 0.0).astype(np.float32)
    rule = SessionRule(50.0, "reset")
    plain, asked = phase_of(log, split, rule, ask=TEST), phase_of(log, split, rule, ask=TEST, worth=worth)
    whole, wanted = baskets_of(plain), baskets_of(asked)
    items = [log.items[place] for place in range(len(log.items))]

    def bought(baskets: Any, phase: Any) -> list[list[str]]:
        names = [items[log.item[place]] for place in phase.replayed.order]
        codes = {int(code): name for code, name in zip(phase.replayed.item, names, strict=True) if code >= 0}
        runs = baskets.events
        return [
            [codes.get(int(code), "?") for code in runs.item[begin:end]]
            for begin, end in zip(runs.begins, runs.ends, strict=True)
        ]

    # k is bought in the test part alone, so that the catalog does not have it
    assert bought(whole, plain) == [["i", "?", "?", "j"], ["i"], ["?"]]
    assert bought(wanted, asked) == [["?", "?"], ["?"]]
    assert wanted.first.sum() == 2
    none = np.where(log.time < 100, 1.0, 0.0).astype(np.float32)
    with pytest.raises(EvaluationError, match="no session of the asked part has an event that is to be predicted"):
        baskets_of(phase_of(log, split, rule, ask=TEST, worth=none))


def test_basket_recall_is_of_what_is_to_be_predicted_from_a_log_to_a_report() -> None:
    log = shop()
    chosen = {**BUYING, "sessions.gap": 1000.0, "evaluate.metrics": ["basket_recall@1"]}
    recommender = segue.fit(log, model="popularity", settings=chosen, type_col="kind")
    report = recommender.trained_report
    cutoff = report.split["cutoff"]
    begins = pl.col("timestamp").min().over("user_id", pl.col("timestamp") // 50_000)
    baskets = log.filter((begins >= cutoff) & (pl.col("kind") == "purchase"))
    top = recommender.recommend(items=["i5"], k=1)[0].item_id
    value = {row.model: row for row in report.rows}["popularity"].metrics["basket_recall@1"].value
    assert len(baskets) > 5
    assert value == pytest.approx((baskets["item_id"] == top).mean())
    assert any("of a basket counts what is to be predicted" in note for note in report.notes)
    assert "basket_recall" in METRICS


def with_worth(sequences: Sequences, wanted: Array) -> Sequences:
    fields = {name: getattr(sequences, name) for name in sequences._fields}
    return Sequences(**{**fields, "worth": wanted.astype(np.float32)})


def test_session_neighbours_are_found_by_all_events_and_vote_for_what_is_to_be_predicted() -> None:
    words = random_sessions()
    sequences = laid(words)
    wanted = np.random.default_rng(8).random(len(sequences)) < 0.4
    model = Neighbours(10, rule=RESET, neighbours=8, clicks=4).fit(with_worth(sequences, wanted))
    bounds = sequences.bounds.tolist()
    bought = [
        {letter for letter, mark in zip(word, wanted[begin:], strict=False) if mark}
        for word, begin in zip(words, bounds[:-1], strict=True)
    ]
    for evolving in random_sessions(seed=11, n=25):
        s, votes = evolving[-4:], defaultdict(float)
        similarity = {n: sum(s.rfind(x) + 1 for x in set(s) & set(word)) for n, word in enumerate(words)}
        recent = sorted(n for n in similarity if similarity[n])
        for n in sorted(recent, key=lambda n: (similarity[n], n))[-8:]:
            steps = len(s) - max(s.rfind(x) for x in set(words[n]) & set(s))
            for x in bought[n]:
                rarity = math.log(len(words) / sum(x in some for some in bought))
                votes[ord(x) - ord("a")] += similarity[n] / len(s) * max(0.0, 1 - steps / 10) * rarity
        for item, score in enumerate(after(model, evolving)):
            assert score == pytest.approx(votes[item], rel=1e-5) if votes[item] > 0 else score < 0
    counts = np.bincount(sequences.item[wanted], minlength=10)
    floor = np.array(after(model, ""))
    assert (
        np.argsort(floor, kind="stable") == np.argsort(np.unique(counts, return_inverse=True)[1], kind="stable")
    ).all()
