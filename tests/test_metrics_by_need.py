"""Metrics for a need of one's own: each against a plain count, and from a log to a report."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import segue
from api_log import FLAGS, ITEMS, QUICK, clicks
from segue.errors import ConfigError, EvaluationError
from segue.evaluation.baskets import baskets_of, ends_of
from segue.evaluation.phase import Phase
from segue.evaluation.replay import replay, replay_before
from segue.metrics import METRICS, Bootstrap, Categories, Lists, Runs, categories, runs
from segue.ranking import NEVER
from small_shop import Ran

KINDS = [["a"], ["a", "b"], ["b", "c"], [], ["c"], ["a", "b", "c"], ["d"], ["b"]]
N, K = len(KINDS), 3
ASKED = ("revenue_recall@5", "category_hit@5", "basket_recall@5", "calibration@5", "serendipity@5")


def coded(kinds: list[list[str]]) -> Categories:
    names = sorted({name for of in kinds for name in of})
    codes = [names.index(name) for of in kinds for name in of]
    return Categories(tuple(names), np.cumsum([0, *map(len, kinds)]), np.array(codes))


def some_lists(predictions: int = 60, seed: int = 3) -> Lists:
    """Lists of some users, several predictions each; items -1 among what was done, and short lists."""
    rng = np.random.default_rng(seed)
    items = np.argsort(rng.random((predictions, N)), axis=1)[:, :K].astype(np.int32)
    items[rng.random(predictions) < 0.2, 1:] = -1
    done = rng.integers(-1, N, size=400)
    begins = np.sort(rng.choice([0, 90, 200, 300], size=predictions))
    ends = np.sort(begins + rng.integers(1, 90, size=predictions))
    baskets = Runs(done, begins, begins + rng.integers(1, 12, size=predictions))
    return Lists(
        items,
        N,
        np.ones(N),
        np.zeros(items.shape, bool),
        target=rng.integers(-1, N, size=predictions).astype(np.int32),
        categories=coded(KINDS),
        past=Runs(done, begins, np.maximum(begins, ends)),
        expected=np.argsort(rng.random((predictions, N)), axis=1)[:, :K].astype(np.int32),
        basket=baskets,
    )


def mix_of(items: list[int]) -> dict[str, float]:
    """Shares of categories, each item in equal parts to its own."""
    known = [KINDS[item] for item in items if item >= 0 and KINDS[item]]
    parts: Counter[str] = Counter()
    for of in known:
        for name in of:
            parts[name] += 1 / len(of) / len(known)
    return parts


def divergence(past: list[int], listed: list[int]) -> float:
    p, q = mix_of(past), mix_of(listed)
    if not p or not q:
        return math.nan
    return sum(share * math.log(share / (0.99 * q.get(name, 0.0) + 0.01 * share)) for name, share in p.items())


@pytest.mark.parametrize(("cells", "events"), [(2**20, 2**20), (12, 7)])
def test_calibration_is_the_divergence_of_two_mixes_however_it_is_parted(
    cells: int, events: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(categories, "CELLS_A_BLOCK", cells)
    monkeypatch.setattr(runs, "EVENTS_A_PIECE", events)
    lists = some_lists()
    assert lists.past is not None
    done = lists.past.item.tolist()
    expected = [
        divergence(done[begin:end], row)
        for begin, end, row in zip(lists.past.begins, lists.past.ends, lists.items.tolist(), strict=True)
    ]
    found = METRICS["calibration"](lists, K)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.isnan(found).any()
    assert np.nanmax(found) > 1


def test_a_list_that_mirrors_the_past_has_no_divergence_and_one_of_another_kind_the_most() -> None:
    lists = Lists(
        np.array([[0, 7], [0, 0], [4, 6]]),
        N,
        np.ones(N),
        np.zeros((3, 2), bool),
        categories=coded(KINDS),
        past=Runs(np.array([0, 7, 3]), np.zeros(3, np.int64), np.full(3, 3)),
    )
    found = METRICS["calibration"](lists, 2)
    assert found.tolist() == pytest.approx([0.0, 0.5 * math.log(0.5 / 0.995) + 0.5 * math.log(100), math.log(100)])


@pytest.mark.parametrize("cells", [2**20, 12])
def test_category_hit_and_serendipity_are_what_sets_say(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categories, "CELLS_A_BLOCK", cells)
    lists = some_lists(200)
    assert lists.target is not None
    assert lists.expected is not None
    kinds = [set(of) for of in KINDS]
    hits, surprises = [], []
    for row, target, popular in zip(lists.items.tolist(), lists.target.tolist(), lists.expected.tolist(), strict=True):
        listed = [item for item in row if item >= 0]
        hits.append(float(target in listed or (target >= 0 and any(kinds[i] & kinds[target] for i in listed))))
        surprises.append(float(target in listed and target not in popular))
    assert METRICS["category_hit"](lists, K).tolist() == hits
    assert METRICS["serendipity"](lists, K).tolist() == surprises
    assert 0 < np.mean(surprises) < np.mean(hits) < 1
    own = METRICS["recall"](np.array([1 if hit else NEVER for hit in hits]), K)
    assert (METRICS["category_hit"](lists, K) >= own).all()


@pytest.mark.filterwarnings("ignore")  # numba, by way of ranx
@pytest.mark.parametrize("events", [2**20, 5])
def test_basket_recall_agrees_with_ranx(events: int, monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)  # compiled, ranx answers after a minute
    monkeypatch.setattr(runs, "EVENTS_A_PIECE", events)
    from ranx import Qrels, Run, evaluate

    lists = some_lists()
    assert lists.basket is not None
    wanted, given = {}, {}
    for number, (begin, end) in enumerate(zip(lists.basket.begins, lists.basket.ends, strict=True)):
        # Items outside of the catalog are each their own, and never listed.
        bought = [(f"d{item}" if item >= 0 else f"new {place}") for place, item in enumerate(lists.basket.item)]
        wanted[f"q{number:03}"] = dict.fromkeys(bought[begin:end], 1)
        row = [item for item in lists.items[number].tolist() if item >= 0]
        given[f"q{number:03}"] = {f"d{item}": float(K - place) for place, item in enumerate(row)}
    expected = evaluate(Qrels(wanted), Run(given), f"recall@{K}", return_mean=False)
    np.testing.assert_allclose(METRICS["basket_recall"](lists, K), expected, atol=1e-12)


def test_a_weight_of_two_counts_as_two_predictions_in_mean_interval_and_paired_test() -> None:
    rng = np.random.default_rng(5)
    user, a, b = rng.integers(20, size=80), rng.random(80), rng.random(80)
    weights = rng.integers(0, 4, size=80)
    once = Bootstrap(user, rng=np.random.default_rng(1))
    kept = np.repeat(np.arange(80), weights)
    often = Bootstrap(np.append(user[kept], user), rng=np.random.default_rng(1))  # all users stay
    nothing = np.full(80, np.nan)
    expected = often.interval(np.append(a[kept], nothing))
    np.testing.assert_allclose(once.interval(a, weights), expected)
    np.testing.assert_allclose(
        once.compare(a, b, weights), often.compare(np.append(a[kept], nothing), np.append(b[kept], nothing))
    )
    assert np.isnan(once.interval(a, np.zeros(80)).value)


# From a log to a report.


def sold(seed: int = 1) -> pl.DataFrame:
    """The clicks, each worth something; item i is worth about i."""
    log = clicks(seed)
    price = log["item_id"].str.slice(1).cast(pl.Float64) + np.random.default_rng(seed).random(len(log)).round(2)
    return log.with_columns(revenue=price)


def kinds() -> pl.DataFrame:
    ids = [f"i{item}" for item in range(ITEMS)]
    return pl.DataFrame({"item_id": ids, "categories": ["|".join(KINDS[i % N]) for i in range(ITEMS)]})


def fitted(log: pl.DataFrame, **settings: Any) -> segue.Recommender:
    chosen = {**QUICK, "evaluate.metrics": list(ASKED), **{k.replace("__", "."): v for k, v in settings.items()}}
    return segue.fit(log, model="markov", items=kinds(), settings=chosen, weight_col="revenue")


def phase_of(recommender: segue.Recommender, log: pl.DataFrame) -> Phase:
    from segue.training.evaluate import asked_of, split_for

    events = segue.read_log(log, weight_col="revenue")
    return asked_of(recommender.artifact, events, split_for(recommender.artifact, events))


def test_what_the_report_says_is_what_the_lists_say() -> None:
    log = sold()
    recommender = fitted(log)
    phase, artifact = phase_of(recommender, log), recommender.artifact
    found = replay(artifact.model, phase.replayed, phase.asked, exclude=artifact.facts.exclude, k=5)
    popular = segue.fit(log, model="popularity", settings=QUICK).artifact.model
    usual = replay(popular, phase.replayed, phase.asked, exclude=artifact.facts.exclude, k=5)
    rows = log.with_row_index("place").sort("user_id", "timestamp", "place", maintain_order=True)
    worth, hits, near, surprises, mixes = [], [], [], [], []
    asked_users = phase.replayed.user[phase.asked]
    places = np.flatnonzero(phase.asked)
    events = segue.read_log(log, weight_col="revenue")
    for p, (user, place) in enumerate(zip(asked_users, places, strict=True)):
        begin = phase.replayed.bounds[np.flatnonzero(phase.replayed.of == user)[0]]
        mine = rows.filter(pl.col("user_id") == events.users[int(user)])
        event = mine.row(int(place - begin), named=True)
        target = artifact.catalog.ids.place_of(event["item_id"])
        listed = found.lists[p].tolist()
        worth.append(event["revenue"])
        hits.append(target in listed)
        own = set(KINDS[int(event["item_id"][1:]) % N])
        number = [int(artifact.catalog.ids[item][1:]) % N for item in listed if item >= 0]
        near.append(target in listed or any(own & set(KINDS[one]) for one in number))
        surprises.append(target in listed and target not in usual.lists[p].tolist())
        before = mine["item_id"][: int(place - begin)].to_list()
        mixes.append(divergence([int(item[1:]) % N for item in before], number))
    metrics = {row.model: row.metrics for row in recommender.trained_report.rows}["markov"]
    worth_of = np.array(worth, np.float32).astype(float)
    assert metrics["revenue_recall@5"].value == pytest.approx(worth_of @ np.array(hits) / worth_of.sum(), abs=1e-9)
    assert metrics["category_hit@5"].value == pytest.approx(np.mean(near))
    assert metrics["serendipity@5"].value == pytest.approx(np.mean(surprises))
    assert metrics["calibration@5"].value == pytest.approx(np.nanmean(mixes))
    assert abs((metrics["revenue_recall@5"].value or 0) - np.mean(hits)) > 1e-3
    assert recommender.trained_report.asked == list(ASKED)


@pytest.mark.parametrize("gap", [1800, "never"])
def test_a_basket_is_a_session_or_what_was_taken_at_one_time(gap: Any) -> None:
    log = sold()
    if gap == "never":  # four clicks in a row are of one time
        log = log.with_columns(pl.col("timestamp") // 240 * 240).sort("timestamp", maintain_order=True)
    recommender = fitted(log, sessions__gap=gap, evaluate__exclude="none")
    phase, model = phase_of(recommender, log), recommender.artifact.model
    baskets = baskets_of(phase)
    expected = []
    cutoff = recommender.artifact.facts.cutoff
    events = segue.read_log(log, weight_col="revenue")
    ids = recommender.artifact.catalog.ids
    for user in sorted(set(phase.replayed.user.tolist())):
        mine = log.filter(pl.col("user_id") == events.users[user])
        pause = mine["timestamp"].diff().fill_null(10**9)
        number = ((pause > 1800) if gap == 1800 else (pause > 0)).cum_sum()
        for basket in sorted(set(number.to_list()))[1:]:
            part = mine.filter(number == basket)
            if part["timestamp"][0] >= cutoff:
                expected.append((user, [ids.place_of(item) for item in part["item_id"]]))
    found = [
        (int(user), baskets.events.item[begin:end].tolist())
        for user, begin, end in zip(baskets.user, baskets.events.begins, baskets.events.ends, strict=True)
    ]
    assert found == expected
    assert len(found) > 5
    lists = replay_before(model, phase.replayed, baskets.first, exclude="none", k=5).lists
    value = np.mean(
        [len(set(of) & set(row)) / len(set(of)) for (_, of), row in zip(found, lists.tolist(), strict=True)]
    )
    row = {row.model: row for row in recommender.trained_report.rows}["markov"]
    assert row.metrics["basket_recall@5"].value == pytest.approx(value)
    kind = "session" if gap == 1800 else "group of events of one time"
    assert any(f"of {len(found)} baskets, each a {kind}" in note for note in recommender.trained_report.notes)


def test_ends_of_baskets_are_found_over_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    begins = rng.random(500) < 0.1
    places = np.flatnonzero(begins)[::2]
    expected = [next((i for i in range(p + 1, 500) if begins[i]), 500) for p in places]
    for size in (1000, 64, 7, 1):
        monkeypatch.setattr("segue.data.spill.BLOCK", size)
        assert ends_of(places, begins).tolist() == expected


@pytest.mark.parametrize("metric", ["revenue_recall@10", "category_hit@10"])
def test_a_metric_of_what_came_may_choose(metric: str) -> None:
    chosen = {**QUICK, "train.metric": metric}
    report = segue.fit(sold(), items=kinds(), settings=chosen, weight_col="revenue").trained_report
    assert report.main == metric
    values = [row.metrics[metric].value or 0.0 for row in report.rows]
    assert values == sorted(values, reverse=True)
    assert 0 < values[-1] < values[0]
    assert report.asked == [metric]
    best = next(row for row in report.rows if row.baseline)
    for row in report.rows:
        if row is not best:
            assert row.against_best_baseline is not None
            gain = (row.metrics[metric].value or 0.0) - (best.metrics[metric].value or 0.0)
            assert row.against_best_baseline["difference"] == pytest.approx(gain)


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ("calibration@10", "does not say who is right"),
        ("gini@10", "does not say who is right"),
        ("basket_recall@10", "is of whole baskets"),
        ("serendipity@10", "needs the popularity row"),
    ],
)
def test_a_metric_that_cannot_choose_is_refused_with_the_reason_and_those_that_can(metric: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=rf"`{metric}`, which {reason}.*: take .*category_hit@10.*revenue_recall@10"):
        segue.fit(sold(), settings={"train.metric": metric})


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("revenue_recall@5", r"has no weights: name their column with --weight-col"),
        ("category_hit@5", r"needs the items' categories.*--items FILE"),
        ("calibration@5", r"needs the items' categories.*--items FILE"),
    ],
)
def test_what_a_log_lacks_is_said_before_anything_is_trained(metric: str, words: str) -> None:
    trained: list[object] = []
    with pytest.raises(EvaluationError, match=words):
        segue.fit(
            clicks(),
            settings={**QUICK, "evaluate.metrics": [metric]},
            say=trained.append,
            show=lambda *at: trained.append(at),
        )
    assert trained == []


def test_baskets_cannot_be_told_in_a_log_without_times_and_sessions() -> None:
    log = clicks().with_row_index("position").drop("timestamp")
    with pytest.raises(
        EvaluationError, match=r"a metric of baskets needs .*a log that is cut into sessions or has times"
    ):
        segue.fit(log, model="markov", settings={**QUICK, "evaluate.metrics": ["basket_recall@5"]})


def test_weights_that_are_all_0_cannot_choose_and_have_no_value() -> None:
    log = clicks().with_columns(weight=0.0)
    with pytest.raises(EvaluationError, match=r"`revenue_recall@5` has no value.*weights of its events are 0"):
        segue.fit(log, model="markov", settings={**QUICK, "train.metric": "revenue_recall@5"})
    asked = {**QUICK, "evaluate.metrics": ["revenue_recall@5"]}
    report = segue.fit(log, model="markov", settings=asked).trained_report
    assert [row.metrics["revenue_recall@5"].value for row in report.rows] == [None] * len(report.rows)


def test_evaluate_takes_metrics_the_model_was_not_trained_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sold().write_csv(tmp_path / "sold.csv")
    kinds().write_csv(tmp_path / "kinds.csv")
    log, model = tmp_path / "sold.csv", tmp_path / "model"
    assert Ran(capsys, "train", log, "--out", model, "--model", "markov", *FLAGS).status == 0
    asked = ("evaluate", model, log, "--metrics", ",".join(ASKED))
    Ran(capsys, *asked, "--items", tmp_path / "kinds.csv").failed(1, "`revenue_recall@5` needs", "--weight-col")
    Ran(capsys, *asked, "--weight-col", "revenue").failed(1, "needs the items' categories", "--items FILE")
    full = (*asked, "--weight-col", "revenue", "--items", tmp_path / "kinds.csv")
    report = Ran(capsys, *full, "--json").json
    expected = fitted(sold()).trained_report
    for row in report["rows"]:
        same = next(one for one in expected.rows if one.model == row["model"])
        for name in ASKED:
            assert row["metrics"][name]["value"] == pytest.approx(same.metrics[name].value), (row["model"], name)
    shown = Ran(capsys, *full)
    assert shown.status == 0
    assert all(name in shown.out for name in ASKED)
    Ran(capsys, "evaluate", model, log, "--metrics", "revenu_recall@5").failed(2, "did you mean `revenue_recall`")
