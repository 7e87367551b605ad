"""A saved model asked about a log: only for what it cannot have learned from."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import polars as pl
import pytest

import segue
from api_log import QUICK, USERS, clicks
from segue.errors import EvaluationError
from segue.evaluation.report import Report

PAUSE = 1800


def ordered() -> pl.DataFrame:
    """The same clicks with an order and no times."""
    return clicks().with_row_index("position").drop("timestamp")


def parted() -> pl.DataFrame:
    """The same clicks with the publisher's parts, each user in one."""
    number = pl.col("user_id").str.slice(1).cast(pl.Int32) % 10
    part = pl.when(number < 7).then(pl.lit("train")).when(number < 8).then(pl.lit("valid")).otherwise(pl.lit("test"))
    return clicks().with_columns(split=part)


@cache
def fitted(log: Callable[[], pl.DataFrame], **settings: Any) -> segue.Recommender:
    """A model of the clicks that a function gives, fitted once: asking it changes nothing in it."""
    return segue.fit(
        log(), model="markov", settings={**QUICK, **{k.replace("__", "."): v for k, v in settings.items()}}
    )


def figures(report: Report) -> dict[str, Any]:
    return {row.model: (row.predictions, row.metrics, row.groups, row.against_best_baseline) for row in report.rows}


CASES = {
    "time": (clicks, {}),
    "leave-one-out": (clicks, {"split__kind": "leave-one-out"}),
    "leave-one-out, learned from the training part alone": (
        clicks,
        {"split__kind": "leave-one-out", "train__refit": False},
    ),
    "an order without times": (ordered, {}),
    "the log's own parts": (parted, {}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("model", ["markov", "gru", "mix"])
def test_the_log_of_training_gives_the_figures_of_training(case: str, model: str) -> None:
    make, settings = CASES[case]
    chosen = {**QUICK, **{key.replace("__", "."): value for key, value in settings.items()}}
    recommender = segue.fit(make(), model=model, settings=chosen)
    found = recommender.evaluate(make())
    assert found.rows[0].predictions > 30
    assert figures(found) == figures(recommender.trained_report)


def test_baselines_that_know_more_than_a_model_of_the_training_part_alone_are_said_to() -> None:
    recommender = segue.fit(clicks(), settings={**QUICK, "train.refit": False})
    found, trained = recommender.evaluate(clicks()), recommender.trained_report
    own = [next(row for row in report.rows if row.model == "gru").metrics for report in (found, trained)]
    ranks = [{name: of[name] for name in ("recall@10", "mrr@10", "ndcg@20", "hr@20")} for of in own]
    assert ranks[0] == ranks[1]
    assert any("they are not the same events" in note for note in found.notes)


def test_a_log_that_ends_before_the_cutoff_is_refused() -> None:
    recommender = fitted(clicks)
    cutoff = recommender.artifact.facts.cutoff
    with pytest.raises(EvaluationError, match=r"all 5\d\d events lie before .* UTC, the model's cutoff"):
        recommender.evaluate(clicks().filter(pl.col("timestamp") < cutoff))


def test_another_log_is_refused_where_no_cutoff_says_what_was_learned() -> None:
    recommender = fitted(clicks, split__kind="leave-one-out")
    with pytest.raises(EvaluationError, match="leave-one-out split of another log"):
        recommender.evaluate(clicks(seed=2))


def test_a_log_without_times_is_refused_by_a_model_that_knows_times_and_the_reverse() -> None:
    with pytest.raises(EvaluationError, match="trained on a log with times, and this one lacks them"):
        fitted(clicks).evaluate(ordered())
    with pytest.raises(EvaluationError, match="trained on a log without times, and this one has them"):
        fitted(ordered).evaluate(clicks())


def later(seed: int = 3) -> pl.DataFrame:
    """Clicks of the same users a week later."""
    return clicks(seed).with_columns(pl.col("timestamp") + 7 * 86_400)


def asked(log: pl.DataFrame, cutoff: float) -> int:
    """How many events from the cutoff on have an earlier one in their session, by polars alone."""
    pause = pl.col("timestamp").diff().over("user_id", order_by="timestamp")
    return log.filter((pause <= PAUSE) & (pl.col("timestamp") >= cutoff)).height


@pytest.mark.parametrize("final", [False, True])
def test_events_after_the_cutoff_are_all_asked_for(final: bool) -> None:
    recommender = fitted(clicks, train__final=final)
    both, cutoff = pl.concat([clicks(), later()]), recommender.artifact.facts.cutoff
    assert cutoff is not None
    assert (cutoff > clicks()["timestamp"].max()) is final
    found = recommender.evaluate(both)
    predictions = {row.predictions for row in found.rows}
    assert predictions == {asked(both, cutoff)}
    assert (asked(both, cutoff) == asked(later(), 0)) is final
    assert {row.model for row in found.rows} == {"popularity", "recent_popularity", "markov", "sknn"}


def test_a_model_that_learned_from_everything_refuses_its_own_log() -> None:
    with pytest.raises(EvaluationError, match="all 600 events lie before"):
        fitted(clicks, train__final=True).evaluate(clicks())
    with pytest.raises(EvaluationError, match="whole log, which has no times"):
        fitted(ordered, train__final=True).evaluate(ordered())


def test_a_log_of_later_events_alone_is_asked_without_baselines() -> None:
    found = fitted(clicks).evaluate(later())
    assert [row.model for row in found.rows] == ["markov"]
    assert any(note.startswith("no baselines") for note in found.notes)
    assert found.rows[0].predictions == asked(later(), 0) > 5 * USERS


def test_baselines_that_learned_from_other_events_are_said_to() -> None:
    recommender = fitted(clicks)
    found = recommender.evaluate(pl.concat([clicks(seed=2), later()]))
    assert any("they are not the same events" in note for note in found.notes)
