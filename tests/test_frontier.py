"""What diversity costs: the same predictions as an evaluation, at every place of a knob."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import numpy as np
import polars as pl
import pytest

import segue
from api_log import ITEMS, QUICK, clicks, titles
from segue.data.sessions import Sequences
from segue.errors import ConfigError, RequestError
from segue.evaluation.knee import best_within, knee
from segue.evaluation.pools import Asked, pools_of
from segue.evaluation.replay import replay
from segue.evaluation.space import new_items
from segue.evaluation.walk import walk
from segue.models.known_items import words_of
from segue.ranking import NEVER
from segue.ranking.diversity import STRATEGIES, Known
from segue.training.evaluate import asked_of, split_for
from small_shop import Ran, shop_of

METRICS = {f"{name}@10" for name in ("ndcg", "intra_list_diversity", "coverage", "gini", "novelty")}


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop_of(tmp_path_factory)


@cache
def fitted(model: str) -> segue.Recommender:
    return segue.fit(clicks(), items=titles(), model=model, settings=QUICK)


def test_points_as_json_and_a_picture(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chart = tmp_path / "frontier.svg"
    words = ("--strategies", "mmr,quotas", "--knobs", "0.5,1", "--chart", chart, "--no-keep", "--json")
    found = Ran(capsys, "frontier", shop / "gru", shop / "clicks.csv", *words).json
    assert [(point["strategy"], point["diversity"]) for point in found["points"]] == [
        (name, knob) for name in ("mmr", "quotas") for knob in (0.0, 0.5, 1.0)
    ]
    for point in found["points"]:
        assert set(point["metrics"]) == set(point["change"]) == METRICS
        worth = point["metrics"]["ndcg@10"]
        assert worth["low"] <= worth["value"] <= worth["high"]
    assert found["similarity"] == found["measured_by"] == "the items' categories"
    assert len(found["verdicts"]) == 2
    circles = list(ElementTree.fromstring(chart.read_text()).iter("{http://www.w3.org/2000/svg}circle"))
    assert len([one for one in circles if one.attrib["r"] == "2.5"]) == 4 * 6


def test_at_0_it_is_what_an_evaluation_says(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (shop / "gru", shop / "clicks.csv")
    found = Ran(capsys, "frontier", *arguments, "--knobs", "0", "--no-keep", "--json", "-").json
    rows = Ran(capsys, "evaluate", *arguments, "--json").json["rows"]
    expected = next(row for row in rows if row["model"] == "gru")["metrics"]
    assert {point["strategy"] for point in found["points"]} == set(STRATEGIES) - {"exploration"}
    for point in found["points"]:
        for name in METRICS:
            assert point["metrics"][name] == expected[name], name
        assert point["loss"]["value"] == 0
    assert any(
        note.startswith("left out: the strategy `exploration` needs which items are new") for note in found["notes"]
    )


@pytest.mark.parametrize("model", ["popularity", "markov", "gru"])
def test_ties_count_against_us_as_in_an_evaluation(model: str) -> None:
    recommender = fitted(model)
    found = recommender.frontier(clicks(), strategies=["rotation"], knobs=[0])
    row = next(row for row in recommender.evaluate(clicks()).rows if row.model == model)
    assert found.points[0].metrics["ndcg@10"] == row.metrics["ndcg@10"]
    assert found.points[0].metrics["coverage@10"] == row.metrics["coverage@10"]


def test_the_rank_in_a_list_is_the_place_in_it_and_beyond_it_is_a_miss() -> None:
    artifact = fitted("gru").artifact
    phase = asked_of(artifact, (log := segue.read_log(clicks())), split_for(artifact, log))
    vectors = np.random.default_rng(3).normal(size=(len(phase.catalog), 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    known, exclude, mmr = Known(vectors=vectors), artifact.facts.exclude, STRATEGIES["mmr"]
    asked = Asked.of(phase.replayed, phase.asked)
    given: dict[str, Any] = {"exclude": exclude, "k": 6, "size": 15, "users": log.users, "say": lambda _: None}
    walked = walk(artifact.model, asked, known, [(mmr, 0.0), (mmr, 0.6)], memory_mb=256, **given)
    plain = replay(artifact.model, phase.replayed, phase.asked, exclude=exclude, k=15)
    first, second = walked.predictions(0), walked.predictions(1)
    np.testing.assert_array_equal(first.lists, plain.lists[:, :6])
    np.testing.assert_array_equal(first.rank, np.where(plain.rank <= 6, plain.rank, NEVER))
    np.testing.assert_array_equal(first.user, plain.user)
    moved = 0
    for lists, rank, target in zip(second.lists.tolist(), second.rank.tolist(), plain.target.tolist(), strict=True):
        assert rank == (lists.index(target) + 1 if target in lists else NEVER)
        moved += rank != NEVER
    assert moved > 10
    assert (second.lists != first.lists).any()
    for row, kept in zip(second.lists, plain.lists, strict=True):
        assert set(row.tolist()) <= set(kept.tolist()), "chosen from the pool"
    small = walk(artifact.model, asked, known, [(mmr, 0.6)], memory_mb=1, **given)
    np.testing.assert_array_equal(small.lists[0], walked.lists[1])


def test_pools_do_not_depend_on_how_much_memory_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = fitted("markov").artifact
    phase = asked_of(artifact, (log := segue.read_log(clicks())), split_for(artifact, log))
    asked = Asked.of(phase.replayed, phase.asked)
    given: dict[str, Any] = {"exclude": "seen", "size": 8}
    whole = list(pools_of(artifact.model, asked, **given))
    monkeypatch.setattr("segue.evaluation.pools.rows_within", lambda *_: 3)
    parts = list(pools_of(artifact.model, asked, **given))
    assert len(parts) > len(whole)
    for one, other in zip(zip(*whole, strict=True), zip(*parts, strict=True), strict=True):
        if one[0] is not None:
            np.testing.assert_array_equal(np.concatenate(one), np.concatenate(other))
    assert sorted(np.concatenate([part.number for part in parts]).tolist()) == list(range(len(asked.place)))


def test_the_same_seed_gives_the_same_points_and_few_predictions_are_said_to_be() -> None:
    recommender = fitted("markov")
    given: dict[str, Any] = {"strategies": ["rotation"], "knobs": [0.3], "predictions": 40}
    found = recommender.frontier(clicks(), **given)
    assert found == recommender.frontier(clicks(), **given)
    assert 40 <= found.split["predictions"] < 60
    assert any("predictions were left out (--predictions 40," in note for note in found.notes)


def test_without_categories_words_of_titles_tell_or_the_models_vectors_and_what_cannot_be_is_left_out() -> None:
    found = fitted("gru").frontier(clicks(), knobs=[0.5])
    assert found.similarity == found.measured_by == "the words of the items' titles"
    assert {point.strategy for point in found.points} == {"mmr", "dpp", "less_popular", "long_tail", "rotation"}
    assert len([note for note in found.notes if note.startswith("left out: the strategy")]) == 3
    by_vectors = fitted("gru").frontier(clicks(), strategies=["mmr"], knobs=[0.5], similarity="vectors")
    assert by_vectors.similarity == "the model's item vectors"
    assert by_vectors.measured_by == "the words of the items' titles"
    assert by_vectors.points[1].metrics != found.points[-1].metrics


def test_new_items_get_their_slots() -> None:
    log = clicks()
    late = pl.col("item_id") == f"i{ITEMS - 1}"
    start, end = log["timestamp"].min(), log["timestamp"].max()
    log = log.filter(~late | (pl.col("timestamp") > start + 0.72 * (end - start)))
    recommender = segue.fit(log, model="popularity", settings=QUICK)
    found = recommender.frontier(log, strategies=["exploration"], knobs=[1.0], k=5)
    assert found.points[1].metrics["novelty@5"].value > found.points[0].metrics["novelty@5"].value


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--strategies", "mmrr"), "`mmrr` is not a strategy (did you mean `mmr`?)"),
        (("--strategies", ","), "no strategy is named; expected some of calibrated"),
        (("--knobs", "0,2"), "`diversity` is 2.0; expected a number from 0"),
        (("--knobs", "0,nan"), "`diversity` is nan"),
        (("--knobs", "0,a"), "--knobs 0,a: expected numbers from 0 to 1"),
        (("--similarity", "atributes"), "attributes"),
        (("--loss", "1"), "the loss allowed is 1.0; expected a share"),
        (("--pool", "5"), "`pool` is 5 and `k` 10"),
        (("--predictions", "0"), "`predictions` is 0; expected at least 1"),
        (("--json", "points.txt"), "expected a name that ends in .json for the JSON"),
        (("--chart", "points.png"), "expected a name that ends in .svg"),
    ],
)
def test_what_is_asked_wrongly_is_named_before_any_work(
    words: tuple[str, ...], told: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Ran(capsys, "frontier", shop / "gru", shop / "clicks.csv", *words).failed(2, told)


def test_json_goes_to_a_file_beside_the_table(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "points.json"
    words = ("--strategies", "dpp", "--knobs", "1", "--no-keep")
    ran = Ran(capsys, "frontier", shop / "gru", shop / "clicks.csv", "--json", file, *words)
    assert ran.status == 0, ran.err
    points = msgspec.json.decode(file.read_bytes())["points"]
    assert [point["diversity"] for point in points] == [0.0, 1.0]
    assert "at a loss of at most 2 % ndcg@10: intra_list_diversity@10" in ran.out
    assert "dpp" in ran.out


def test_a_strategy_or_similarity_that_this_model_cannot_have_says_why() -> None:
    with pytest.raises(ConfigError, match="`calibrated` needs the items' categories"):
        fitted("markov").frontier(clicks(), strategies=["calibrated"])
    with pytest.raises(ConfigError, match="a model of the kind `markov` has no item vectors; ask for `attributes`"):
        fitted("markov").frontier(clicks(), similarity="vectors")
    plain = segue.fit(clicks(), model="markov", settings=QUICK)
    with pytest.raises(ConfigError, match="neither categories nor titles"):
        plain.frontier(clicks(), similarity="attributes")
    with pytest.raises(RequestError, match="`k` is 0"):
        plain.frontier(clicks(), k=0)
    assert plain.frontier(clicks(), knobs=[0]).measured_by == "sessions in common in training"


def test_the_knee_is_where_a_frontier_bends() -> None:
    assert knee([0.0, 0.5, 0.9, 1.0], [1.0, 0.98, 0.9, 0.0]) == 2
    assert knee([0.0, 0.5, 1.0], [1.0, 0.5, 0.0]) is None, "a straight line has no knee"
    assert knee([0.0, 0.5, 1.0], [1.0, 0.3, 0.0]) is None, "nor one that hangs through"
    assert knee([0.0, 0.2, 1.0], [0.2, 0.8, 1.0]) == 1, "worth that rises"
    assert knee([0.0, 1.0], [1.0, 0.0]) is None
    assert knee([0.0, math.nan, 1.0], [1.0, 0.9, 0.0]) is None
    assert knee([5.0, 5.0, 5.0], [1.0, 0.9, 0.0]) is None


def test_the_best_point_is_the_largest_gain_that_costs_no_more_than_allowed() -> None:
    gains, worths = [0.5, 0.6, 0.7, 0.9], [1.0, 0.999, 0.98, 0.97]
    assert best_within(gains, worths, loss=0.02) == 2
    assert best_within(gains, worths, loss=0.0) is None
    assert best_within([0.5, 0.4], [1.0, 1.0], loss=0.02) is None


def test_items_that_are_met_in_the_last_tenth_of_the_time_alone_are_new() -> None:
    item, time = np.array([0, 1, 0, 2, -1, 3]), np.array([0.0, 50, 95, 89.9, 92, 100])
    nothing = np.zeros(6, bool)
    for timed, expected in ((True, [False, False, False, True, False]), (False, None)):
        learned = Sequences(
            *(np.arange(6), np.zeros(6, int), item, time, nothing, nothing, np.array([0, 6]), np.array([0]), timed)
        )
        found = new_items(learned, 5)
        assert (None if found is None else found.tolist()) == expected


def test_words_of_titles_are_lower_case_and_at_least_two_letters() -> None:
    assert words_of("RED T-LIGHT holder, 2nd & a_b") == {"red", "light", "holder", "2nd"}
