"""Every kind of log and of model has a report, which says what there is and leaves out what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import segue
from api_log import QUICK, clicks
from report_files import Page, read
from segue.data.log import read_log
from segue.evaluation.judged import Judged
from segue.reporting.evidence import evidence_of, popularity_groups
from segue.training.evaluate import evaluate_artifact


def ordered() -> pl.DataFrame:
    return clicks().with_row_index("position").drop("timestamp")


def parted() -> pl.DataFrame:
    number = pl.col("user_id").str.slice(1).cast(pl.Int32) % 10
    part = pl.when(number < 7).then(pl.lit("train")).when(number < 8).then(pl.lit("valid")).otherwise(pl.lit("test"))
    return clicks().with_columns(split=part)


def reported(log: pl.DataFrame, file: Path, model: str = "markov", **settings: Any) -> Page:
    chosen = {**QUICK, **{key.replace("__", "."): value for key, value in settings.items()}}
    segue.fit(log, model=model, settings=chosen).evaluate(log, report=file)
    return read(file)


def facts(page: Page) -> dict[str, str]:
    return dict(zip(page.of("dt"), page.of("dd"), strict=True))


def test_leave_one_out_warns_and_its_parts_lie_on_top_of_each_other(tmp_path: Path) -> None:
    page = reported(clicks(), tmp_path / "out.html", split__kind="leave-one-out")
    assert any("Mixes times" in cell for cell in page.of("td"))
    assert "split" in "".join(page.of("p", class_="trust"))
    classes = {found.get("class") for tag, found, _ in page.elements if tag == "rect"}
    assert {"fill-1", "fill-3"} <= classes


def test_a_log_without_times_has_parts_and_no_line(tmp_path: Path) -> None:
    page = reported(ordered(), tmp_path / "out.html", split__kind="leave-one-out")
    assert "The log has an order and no times to draw." in page.of("p", class_="quiet")
    assert "median pause" not in facts(page)
    assert not [found for tag, found, _ in page.elements if tag == "svg" and found.get("class") == "timeline"]
    assert "40" in page.of("td"), "one test event a user"


def test_the_log_s_own_parts_are_told(tmp_path: Path) -> None:
    page = reported(parted(), tmp_path / "out.html", split__kind="column")
    assert any("The log says itself" in text for text in page.of("p"))


def test_a_baseline_alone_has_no_verdict_and_still_its_lists(tmp_path: Path) -> None:
    page = reported(clicks(), tmp_path / "out.html")
    assert page.of("h2")[0].startswith("No network to compare with")
    assert page.of("article")
    assert "; " not in "".join(page.of("small")), "its own rank stands there once"
    assert not page.rows("data-group")


def test_sessions_that_are_reset_are_said_to_be_sessions(tmp_path: Path) -> None:
    page = reported(clicks(), tmp_path / "out.html", "gru", sessions__gap=1800.0, sessions__at_session_start="reset")
    assert "By events in the session before" in page.of("h3")


def test_popularity_is_that_of_the_learning_where_the_log_is_a_part(tmp_path: Path) -> None:
    log = clicks()
    recommender = segue.fit(log, model="gru", settings=QUICK)
    cutoff, counts = recommender.artifact.facts.cutoff, recommender.artifact.counts
    assert cutoff is not None
    assert counts is not None
    rare = log.filter((pl.col("timestamp") >= cutoff) | pl.col("item_id").is_in(["i1", "i2"]))
    kept: list[Judged] = []
    evaluate_artifact(recommender.artifact, read_log(rare), watch=lambda _, judged: kept.append(judged))
    whole = popularity_groups(counts.events, next(iter(kept[0].predictions.values())).target)
    assert not np.array_equal(kept[0].phase.counts, counts.events)
    found = evidence_of(kept[0], read_log(rare)).popularity
    assert {one.name: one.predictions for one in found} == {name: int(which.sum()) for name, which in whole.items()}


def test_a_log_of_later_events_alone_leaves_the_model_alone(tmp_path: Path) -> None:
    log = clicks()
    recommender = segue.fit(log, model="gru", settings=QUICK)
    cutoff = recommender.artifact.facts.cutoff
    later = log.filter(pl.col("timestamp") >= cutoff)
    found = recommender.evaluate(later, report=tmp_path / "out.html")
    page = read(tmp_path / "out.html")
    assert [row.model for row in found.rows] == ["gru"]
    assert page.of("h2")[0].startswith("No baseline to compare with: GRU")
    assert list(page.rows("data-model")) == ["gru"]
