"""The library as a user meets it: ids and frames outside, one answer whichever way it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import segue
from api_log import ITEMS, LENGTH, QUICK, USERS, clicks, titles, write_shop
from segue import Recommender
from segue.errors import RequestError

# Float32 batches of another shape differ in the last bits.
TOLERANCE = 5e-6


@pytest.fixture(scope="module")
def gru() -> Recommender:
    settings = {**QUICK, "train.epochs": 2, "model.time_gap": True}
    return segue.fit(clicks(), items=titles(), settings=settings)


@pytest.fixture(scope="module")
def markov() -> Recommender:
    return segue.fit(clicks(), model="markov", settings=QUICK)


def of_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(frame.to_dict(as_series=False))


def pairs(found: list[Any]) -> list[tuple[str, float]]:
    return [(one.item_id, one.score) for one in found]


def test_a_frame_of_polars_or_pandas_and_a_file_give_the_same_model(tmp_path: Path) -> None:
    write_shop(tmp_path)
    sources = [clicks(), of_pandas(clicks()), tmp_path / "clicks.csv", str(tmp_path / "clicks.csv")]
    found = [segue.fit(source, settings=QUICK) for source in sources]
    expected = found[0].recommend(items=["i1", "i2"], k=ITEMS)
    assert len(expected) == ITEMS - 1
    for other in found[1:]:
        assert other.artifact.facts.trained_on == found[0].artifact.facts.trained_on
        assert other.recommend(items=["i1", "i2"], k=ITEMS) == expected


def test_a_list_is_ranked_titled_and_free_of_the_item_just_seen(gru: Recommender) -> None:
    found = gru.recommend(items=["i1", "i2"], k=5)
    assert [one.rank for one in found] == [1, 2, 3, 4, 5]
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(one.title == f"Title of {one.item_id}" for one in found)
    everything = set(gru.item_ids)
    for exclude, left in (("none", set()), ("current", {"i2"}), ("seen", {"i1", "i2"})):
        listed = gru.recommend(items=["i1", "i2"], k=ITEMS + 100, exclude=exclude)
        assert sorted(one.item_id for one in listed) == sorted(everything - left)


def test_what_follows_in_the_log_comes_first(markov: Recommender) -> None:
    assert markov.recommend(items=["i3"], k=1)[0].item_id == "i4"
    assert markov.similar("i3", k=1)[0].item_id == "i4"


def test_where_no_item_is_known_what_is_popular_comes(markov: Recommender) -> None:
    empty = markov.recommend(items=[], k=ITEMS)
    unknown = markov.recommend(items=["no such item"], k=ITEMS)
    assert pairs(unknown) == pairs(empty)
    assert {one.source for one in [*unknown, *empty]} == {"initial_state"}
    counts = dict(clicks().filter(pl.col("timestamp") < markov.artifact.facts.cutoff)["item_id"].value_counts().rows())
    assert [counts[one.item_id] for one in empty] == sorted(counts.values(), reverse=True)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"items": "i1"}, r"`items` is the string 'i1'; expected a list"),
        ({"items": ["i1"], "k": 0}, "`k` is 0; expected at least 1"),
        ({"items": [""]}, r"`items\[0\]` is empty"),
        ({"items": [7]}, r"`items\[0\]` is 7 \(int\); expected text"),
        ({"items": ["i1"], "exclude": "sene"}, r"`exclude` is 'sene'.*did you mean `seen`"),
        ({"items": ["i1"], "timestamp": 1.7e12}, "looks like milliseconds"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(asked: dict[str, Any], message: str, markov: Recommender) -> None:
    with pytest.raises(RequestError, match=message):
        markov.recommend(**asked)


def test_reasons_are_differences_of_scores_with_and_without_an_event(gru: Recommender) -> None:
    had = ["i1", "i2", "i3"]
    scores = dict(pairs(gru.recommend(items=had, k=ITEMS, exclude="none")))
    for reason in gru.explain(gru.recommend(items=had, k=5, exclude="none"), items=had):
        assert [event.seq for event in reason.events]
        for event in reason.events:
            without = [item for item in had if item != event.item_id]
            other = dict(pairs(gru.recommend(items=without, k=ITEMS, exclude="none")))
            expected = scores[reason.item_id] - other[reason.item_id]
            assert event.difference == pytest.approx(expected, abs=1e-5)


def test_reasons_say_how_often_people_went_on_as_the_training_log_has_it(markov: Recommender) -> None:
    log = clicks().filter(pl.col("timestamp") < markov.artifact.facts.cutoff).sort("user_id", "timestamp")
    after = log.with_columns(pl.col("item_id", "timestamp").shift(-1).over("user_id").name.prefix("next_"))
    together = after.filter((pl.col("next_timestamp") - pl.col("timestamp") <= 1800) & (pl.col("item_id") == "i3"))
    times = together.filter(pl.col("next_item_id") == "i4").height
    assert times > 3
    (reason,) = markov.explain(["i4"], events=[{"item_id": "i9", "timestamp": 5}, "i3"])
    assert [tuple(one) for one in reason.followed][:1] == [("i3", times, together.height)]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"ranked": ["i1"]}, "`items` and `events`: neither given"),
        ({"ranked": ["i1"], "items": [], "events": []}, "`items` and `events`: both given"),
        ({"ranked": "i1", "items": []}, "`ranked` is the string 'i1'; expected a list"),
        ({"ranked": ["i99"], "items": []}, r"item `i99` is not in the catalog.*did you mean `i9`"),
        ({"ranked": ["i1"], "items": ["i2"], "most": 0}, "`most` is 0"),
        ({"ranked": ["i1"], "items": [""]}, r"`items\[0\]` is empty"),
        ({"ranked": ["i1"], "events": [{"item": "i2"}]}, "expected `item_id` and some of"),
        ({"ranked": ["i1"], "items": ["i2"], "timestamp": 1.7e12}, "looks like milliseconds"),
    ],
)
def test_reasons_that_cannot_be_given_are_refused(asked: dict[str, Any], message: str, markov: Recommender) -> None:
    with pytest.raises(RequestError, match=message):
        markov.explain(**asked)


def test_frames_in_give_frames_of_the_same_kind_out(markov: Recommender, tmp_path: Path) -> None:
    write_shop(tmp_path)
    columns = ["user_id", "item_id", "score", "rank"]
    found = markov.recommend_users(clicks(), k=3)
    assert isinstance(found, pl.DataFrame)
    assert found.columns == columns
    assert found["rank"].to_list() == [1, 2, 3] * USERS
    other = markov.recommend_users(of_pandas(clicks()), k=3)
    assert isinstance(other, pd.DataFrame)
    assert list(other.columns) == columns
    assert list(other.itertuples(index=False, name=None)) == found.rows()
    nobody = markov.recommend_users(of_pandas(clicks()), users=[])
    assert (list(nobody.columns), len(nobody)) == (columns, 0)
    assert markov.recommend_users(tmp_path / "clicks.csv", k=3).equals(found)


@pytest.mark.parametrize("exclude", ["none", "current", "seen"])
@pytest.mark.parametrize("name", ["gru", "markov"])
def test_lists_of_many_users_are_those_of_each_user_event_by_event(
    name: str, exclude: str, request: pytest.FixtureRequest
) -> None:
    recommender: Recommender = request.getfixturevalue(name)
    found = recommender.recommend_users(clicks(), k=ITEMS, exclude=exclude)
    for user, events in clicks().group_by("user_id"):
        state = recommender.initial_state()
        for _, item, time in events.sort("timestamp", maintain_order=True).rows():
            state = recommender.step({"item_id": item, "timestamp": time}, state)
        had = set(events["item_id"])
        left = {"none": set(), "current": {events["item_id"][-1]}, "seen": had}[exclude]
        # The state API leaves out what the model's own setting says: here `current`.
        wanted = dict(pairs(recommender.top_k(state, k=ITEMS)))
        rows = dict(found.filter(pl.col("user_id") == user[0]).select("item_id", "score").rows())
        assert len(rows) == ITEMS - len(left)
        assert not rows.keys() & left
        scale = max(map(abs, wanted.values()))
        compared = [abs(rows[item] - score) for item, score in wanted.items() if item in rows]
        assert len(compared) >= ITEMS - LENGTH
        assert max(compared) <= TOLERANCE * scale


def test_some_users_can_be_asked_for_and_unknown_ones_are_named(markov: Recommender) -> None:
    everyone = markov.recommend_users(clicks(), k=2)
    some = markov.recommend_users(clicks(), users=["u5", "u3"], k=2)
    assert some.equals(everyone.filter(pl.col("user_id").is_in(["u3", "u5"])))
    with pytest.raises(RequestError, match=r"user `u333` is not in the log \(did you mean `u3"):
        markov.recommend_users(clicks(), users=["u5", "u333"])
    with pytest.raises(RequestError, match='expected "all" or a list'):
        markov.recommend_users(clicks(), users="u5")
    with pytest.raises(RequestError, match="`k` is 0"):
        markov.recommend_users(clicks(), k=0)
    assert markov.recommend_users(clicks(), users=[]).columns == ["user_id", "item_id", "score", "rank"]


def test_similar_items_are_those_of_the_nearest_vectors(gru: Recommender) -> None:
    table = gru.artifact.model.arrays()["table"].astype(np.float64)
    place = gru.item_ids.index("i7")
    cosine = {
        item: float(row @ table[place] / np.linalg.norm(row) / np.linalg.norm(table[place]))
        for item, row in zip(gru.item_ids, table, strict=True)
        if item != "i7"
    }
    found = gru.similar("i7", k=1000)
    assert [one.item_id for one in found] == sorted(cosine, key=lambda item: -cosine[item])
    assert [one.score for one in found] == pytest.approx(sorted(cosine.values(), reverse=True), abs=1e-5)
    with pytest.raises(RequestError, match=r"item `i777` is not in the catalog of 25 items \(did you mean `i"):
        gru.similar("i777")


@pytest.mark.parametrize("name", ["gru", "markov"])
def test_a_model_that_was_saved_answers_the_same(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    recommender: Recommender = request.getfixturevalue(name)
    recommender.save(tmp_path / "model")
    loaded = segue.load(tmp_path / "model")
    assert loaded.recommend(items=["i1", "i2"], k=ITEMS) == recommender.recommend(items=["i1", "i2"], k=ITEMS)
    assert loaded.similar("i1") == recommender.similar("i1")
    assert loaded.recommend_users(clicks(), k=4).equals(recommender.recommend_users(clicks(), k=4))
    assert loaded.trained_report == recommender.trained_report
