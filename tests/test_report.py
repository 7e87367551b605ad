"""Phases that cannot leak, and a report that says loudly when the network does not win."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from segue.config import SplitSettings
from segue.data.events import log_of
from segue.data.splits import TEST, VALID, Split, split_log
from segue.data.synthetic import noisy_chain
from segue.evaluation import item_vectors as space
from segue.evaluation.groups import ITEMS, events_read, groups_of, tables_of
from segue.evaluation.judge import Entry, judge
from segue.evaluation.phase import Phase, phase_of
from segue.evaluation.replay import replay
from segue.evaluation.report import Report
from segue.models.base import Model, SessionRule
from segue.models.build import kind_of

RULE = SessionRule()


def phase(**options: object) -> Phase:
    log = noisy_chain(120, 30, 25, follow=0.8)
    return phase_of(log, split_log(log, SplitSettings()), RULE, ask=TEST, **options)  # type: ignore[arg-type]


def baseline(name: str, of: Phase) -> Model:
    return kind_of(name)(len(of.catalog), rule=RULE).fit(of.learned)


def report(**as_network: str) -> Report:
    """A report in which a baseline stands in for a network, to say how the verdict falls."""
    asked = phase()
    entries = {name: Entry(model=baseline(name, asked), baseline=True) for name in ("popularity", "markov")}
    entries |= {name: Entry(model=baseline(kind, asked), baseline=False) for name, kind in as_network.items()}
    split = {"kind": "time", "train": 1, "valid": 1, "test": 1}
    return judge(entries, asked, exclude="none", main="ndcg@10", split=split, replicates=200)


@pytest.mark.parametrize("ask", [VALID, TEST])
def test_nothing_is_learned_from_asked_or_later_events(ask: int) -> None:
    log = noisy_chain(120, 30, 25, follow=0.8)
    split = split_log(log, SplitSettings())
    found = phase_of(log, split, RULE, ask=ask)
    first_asked = found.replayed.time[found.asked].min()
    assert found.learned.time.max() < first_asked
    assert len(found.learned) == (split.role < ask).sum()
    assert found.cutoff is not None
    assert found.learned.time.max() < found.cutoff <= first_asked
    assert len(found.replayed) == (split.role <= ask).sum()


def test_an_item_that_was_not_learned_from_is_a_miss_for_everyone() -> None:
    users, items = ["u"] * 20, ["a", "b"] * 8 + ["a", "new", "a", "b"]
    log = log_of(users, items, list(range(20)))
    split = split_log(log, SplitSettings(valid=0.1, test=0.2))
    found = phase_of(log, split, RULE, ask=TEST)
    assert list(found.catalog.ids) == ["a", "b"]
    assert found.unknown_targets == 1


def test_a_cap_draws_whole_users_by_the_seed() -> None:
    whole, some = phase(), phase(at_most=50, seed=3)
    most = np.bincount(whole.replayed.user[whole.asked]).max()
    assert 50 <= some.asked.sum() < 50 + most
    assert some.left_out == whole.asked.sum() - some.asked.sum()
    drawn = set(some.replayed.user[some.asked])
    assert some.asked.sum() == np.isin(whole.replayed.user[whole.asked], list(drawn)).sum()
    assert np.array_equal(some.asked, phase(at_most=50, seed=3).asked)
    assert not np.array_equal(some.asked, phase(at_most=50, seed=4).asked)


def test_a_network_that_is_worse_is_told_so_in_capitals() -> None:
    found = report(gru="popularity")
    assert found.verdict.startswith("THE NETWORK DOES NOT WIN: gru is behind markov")
    assert "Serve markov" in found.verdict


def test_a_network_that_is_no_better_is_told_so_too() -> None:
    assert report(gru="markov").verdict.startswith("THE NETWORK DOES NOT WIN: gru and markov")
    assert "cannot be told apart" in report(gru="markov").verdict


def test_a_network_that_is_better_is_told_with_its_interval() -> None:
    asked = phase()
    entries = {
        "popularity": Entry(model=baseline("popularity", asked), baseline=True),
        "gru": Entry(model=baseline("markov", asked), baseline=False),
    }
    found = judge(entries, asked, exclude="none", main="ndcg@10", split={"kind": "time"}, replicates=200)
    assert found.verdict.startswith("gru beats popularity, the best baseline: +")
    assert [row.model for row in found.rows] == ["gru", "popularity"]


def test_a_few_users_tell_nothing_however_clear_the_difference_is() -> None:
    log = noisy_chain(60, 30, 25, follow=0.8)
    asked = phase_of(log, split_log(log, SplitSettings()), RULE, ask=TEST)
    entries = {
        "popularity": Entry(model=baseline("popularity", asked), baseline=True),
        "gru": Entry(model=baseline("markov", asked), baseline=False),
    }
    found = judge(entries, asked, exclude="none", main="ndcg@10", split={"kind": "time"}, replicates=200)
    assert len(np.unique(asked.replayed.user[asked.asked])) < 30
    assert found.verdict.startswith("too few users to tell gru from popularity, the best baseline, in ndcg@10")
    apart = found.rows[0].against_best_baseline
    assert apart is not None
    assert apart["difference"] is not None
    assert apart["difference"] > 0.1
    assert apart["low"] is apart["high"] is None


def test_the_report_has_the_form_that_machines_read() -> None:
    tree = msgspec.json.decode(msgspec.json.encode(report(gru="markov")))
    assert {"split", "rows", "exclude", "verdict", "notes"} <= tree.keys()
    asked = {row["predictions"] for row in tree["rows"]}
    assert asked == {tree["split"]["predictions"]}
    for row in tree["rows"]:
        assert {"model", "baseline", "predictions", "seconds", "metrics"} <= row.keys()
        for name in (f"{metric}@{k}" for metric in ("recall", "mrr", "ndcg", "hr") for k in (10, 20)):
            value = row["metrics"][name]
            assert value["low"] <= value["value"] <= value["high"]


def test_groups_part_the_predictions() -> None:
    found = report(gru="markov")
    pairs = [("warm users", "cold users"), ("repeated targets", "new targets")]
    present = [pair for pair in pairs if pair[0] in found.groups]
    assert ("repeated targets", "new targets") in present
    for one, other in present:
        assert found.groups[one] + found.groups[other] == found.split["predictions"]


def test_groups_tell_how_little_was_known() -> None:
    users = ["a"] * 6 + ["b"] * 3 + ["c"] * 4
    items = ["x", "x", "x", "y", "x", "y", "x", "y", "z", "x", "x", "y", "x"]
    times = [0, 1, 2, 3, 20, 21, 0, 30, 31, 40, 41, 42, 43]
    log = log_of(users, items, times)
    asked = phase_of(log, Split("time", np.where(log.time < 20, 0, TEST), 20.0, ()), SessionRule(), ask=TEST)
    assert dict(zip(asked.catalog.ids, asked.counts.tolist(), strict=True)) == {"x": 4, "y": 1}
    predictions = replay(baseline("popularity", asked), asked.replayed, asked.asked, exclude="none")
    found = groups_of(asked, predictions)
    # a has x and y after 4 and 5 events; b has y and z after 1 and 2; c has x, y and x after 1, 2 and 3
    told = {name: which.astype(int).tolist() for name, which in found.items() if name.startswith("after")}
    assert told == {
        "after 1 event": [0, 0, 1, 0, 1, 0, 0],
        "after 2 events": [0, 0, 0, 1, 0, 1, 0],
        "after 3 events": [0, 0, 0, 0, 0, 0, 1],
        "after 4-5 events": [1, 1, 0, 0, 0, 0, 0],
    }
    assert not any(name in found for name in ITEMS), "all known targets have 1 to 5 training events"
    found = groups_of(asked, predictions, np.array([12, 7]))
    assert found["target learned 10 times or more"].tolist() == [True, False, False, False, True, False, True]
    assert found["target learned 6-9 times"].tolist() == [False, True, True, False, False, True, False], "z is nobody's"
    tables = tables_of(found)
    assert [table[0] for table in tables][1:] == ["after 1 event", "target learned 6-9 times"]
    assert sorted(name for table in tables for name in table) == sorted(found)


@pytest.mark.parametrize(("at_start", "expected"), [("reset", [1, 2, 1]), ("mark", [1, 2, 4])])
def test_events_read_are_those_since_the_initial_state(at_start: str, expected: list[int]) -> None:
    log = log_of(["u"] * 5 + ["w"] * 5, ["x"] * 10, [0.0, 1, 2, 100, 101] * 2)
    asked = phase_of(
        log, Split("column", np.where(log.user == 1, TEST, 0), None, ()), SessionRule(50.0, at_start), ask=TEST
    )
    assert events_read(asked).tolist() == expected


def test_the_space_of_diversity_is_made_from_the_newest_users_where_there_are_too_many_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = phase()
    whole, name = space.item_vectors(asked, 1)
    assert name == "sessions in common in training"
    monkeypatch.setattr(space, "SPACE_EVENTS", 100)
    part, name = space.item_vectors(asked, 1)
    lengths = np.diff(asked.learned.bounds)
    users = next(n for n in range(1, len(lengths)) if lengths[-n - 1 :].sum() > 100)
    assert name == f"sessions in common in training, of the {users} newest users"
    assert whole.shape == part.shape
    assert not np.array_equal(whole, part)
    monkeypatch.setattr(space, "SPACE_EVENTS", 1)  # one user has more: that one is taken
    assert space.item_vectors(asked, 1)[1].endswith("of the 1 newest users")
