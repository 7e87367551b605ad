"""Objectives that a log cannot fulfil, from the command line: what was found, where, and what to do."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from segue.artifact import load_artifact
from small_shop import SMALL, Ran, clicks

Capture = pytest.CaptureFixture[str]
ROWS = clicks()
VALID_FROM, TEST_FROM = (ROWS[place * len(ROWS) // 10][2] for place in (8, 9))
Kind = Callable[[int, int], str]


def bought(there: bool) -> str:
    return "purchase" if there else "view"


def log_text(kind: Kind = lambda place, _: bought(place % 2 == 1), paid: object = 1) -> str:
    """The shop's clicks with a kind and what was paid; `paid` stands in the third row, others have 1."""
    rows = [
        f"{user},{item},{time},{kind(place, time)},{paid if place == 2 else 1}"
        for place, (user, item, time) in enumerate(ROWS)
    ]
    return "\n".join(["user_id,item_id,timestamp,kind,paid", *rows]) + "\n"


def train(capsys: Capture, folder: Path, text: str, *options: str) -> Ran:
    (folder / "log.csv").write_text(text)
    asked = ("train", folder / "log.csv", "--out", folder / "new", "--model", "markov", *SMALL)
    return Ran(capsys, *asked, *options)


BUY, WORTH = 'objective.targets=["purchase"]', "objective.by_weight=true"
BOTH = ["--type-col", "kind", "--weight-col", "paid"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([*BOTH, "--set", 'objective.targets=["purchas"]'], ["`purchas` is no event type", "did you mean `purchase`"]),
        ([*BOTH, "--set", "objective.type_weights={ buy = 2 }"], ["`buy` is no event type of this log"]),
        (["--set", BUY], ["objective.targets names `purchase`", "no column of event types", "--type-col"]),
        (["--type-col", "sort", "--set", BUY], ["(--type-col) names `sort`, which is not a column of log.csv"]),
        (["--weight-col", "worth", "--set", WORTH], ["(--weight-col) names `worth`, which is not a column"]),
        (["--set", WORTH], ["objective.by_weight needs a number for each event", "--weight-col"]),
        (["--set", "objective.at_least=4"], ["objective.at_least needs a number for each event", "--weight-col"]),
        ([*BOTH, "--set", "objective.at_least=nan"], ["objective.at_least is nan; expected a finite number"]),
        ([*BOTH, "--set", "objective.at_least=four"], ["objective.at_least", "'four'", "a number"]),
        ([*BOTH, "--set", "objective.at_least=9"], ["leaves nothing to be predicted", "set other objective.at_least"]),
        ([*BOTH, "--set", "objective.by_weight=yes"], ["objective.by_weight", "'yes'", "true or false"]),
        ([*BOTH, "--set", "objective.type_weights={ view = nan }"], ["`view` has nan; expected a number from 0"]),
        ([*BOTH, "--set", "objective.type_weights={ view = inf }"], ["`view` has inf; expected a number from 0"]),
        ([*BOTH, "--set", "objective.type_weights={ view = -1 }"], ["`view` has -1; expected a number from 0"]),
        ([*BOTH, "--set", "objective.type_weights={ view = 1e300 }"], ["`view` has 1e+300; expected a number from 0"]),
        ([*BOTH, "--set", 'objective.type_weights={ view = "much" }'], ["objective.type_weights", "table of numbers"]),
        ([*BOTH, "--set", "objective.type_weights=5"], ["objective.type_weights", "table of numbers"]),
        ([*BOTH, "--set", "objective.targets=purchase"], ["objective.targets", "a list of texts"]),
        ([*BOTH, "--set", "objective.half_life=-1d"], ["objective.half_life is `-1d`"]),
        ([*BOTH, "--set", "objective.half_life=nan"], ["objective.half_life"]),
        ([*BOTH, "--set", "objective.target=x"], ["did you mean `objective.targets`"]),
        ([*BOTH, "--set", "train.reach=far"], ["train.reach", "one of next, ahead"]),
    ],
)  # fmt: skip
def test_an_objective_that_the_log_cannot_fulfil_is_asked_wrongly(
    options: list[str], words: list[str], tmp_path: Path, capsys: Capture
) -> None:
    train(capsys, tmp_path, log_text(), *options).failed(2, *words)
    assert [file.name for file in tmp_path.iterdir()] == ["log.csv"]


@pytest.mark.parametrize(
    ("paid", "reason"),
    [
        ("NaN", "weight is not a number"),
        ("inf", "weight is not a number"),
        ("much", "weight is not a number"),
        ("-3", "weight is below zero"),
        ("1e300", "weight is above 1e+18"),
    ],
)
def test_a_weight_that_is_none_costs_its_row_alone_and_is_said(
    paid: str, reason: str, tmp_path: Path, capsys: Capture
) -> None:
    ran = train(capsys, tmp_path, log_text(paid=paid), "--weight-col", "paid", "--set", WORTH)
    told = " ".join(ran.err.split())
    assert ran.status == 0, told
    assert f"left out: 1 rows, {reason} (log.csv, row 3" in told
    assert load_artifact(tmp_path / "new").facts.events == math.ceil(0.9 * (len(ROWS) - 1))


def test_weights_of_which_none_is_a_number_are_refused(tmp_path: Path, capsys: Capture) -> None:
    text = log_text().replace(",1\n", ",much\n")
    ran = train(capsys, tmp_path, text, "--weight-col", "paid", "--set", WORTH)
    ran.failed(1, "none of the 480 rows of log.csv can be used", "weight is not a number", "row 1")


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (
            lambda _, time: bought(time < VALID_FROM),
            [],
            ["leaves no event of the valid part", "39 are not to be predicted", "split.valid=0.2"],
        ),
        (lambda _, time: bought(time < TEST_FROM), [], ["leaves no event of the test part", "split.test=0.2"]),
        (
            lambda _, time: bought(time >= VALID_FROM),
            [],
            ["none of the 384 training events is to be predicted", "the objective"],
        ),
        (
            lambda place, _: bought(place < 2),
            ["--split", "leave-one-out"],
            ["no user has two events that are to be predicted after the first one", "--split time"],
        ),
    ],
)
def test_an_objective_that_leaves_a_part_without_anything_to_predict_is_named(
    kind: Kind, options: list[str], words: list[str], tmp_path: Path, capsys: Capture
) -> None:
    ran = train(capsys, tmp_path, log_text(kind), "--type-col", "kind", "--set", BUY, *options)
    ran.failed(1, *words)
    assert "only purchase is predicted" in ran.err or "objective" in ran.err
    assert [file.name for file in tmp_path.iterdir()] == ["log.csv"]


def test_a_later_log_without_anything_to_predict_is_refused_by_evaluate(tmp_path: Path, capsys: Capture) -> None:
    assert train(capsys, tmp_path, log_text(), "--type-col", "kind", "--set", BUY).status == 0
    viewed = log_text(lambda _, time: bought(time < TEST_FROM))
    (tmp_path / "later.csv").write_text(viewed)
    ran = Ran(capsys, "evaluate", tmp_path / "new", tmp_path / "later.csv", "--type-col", "kind")
    ran.failed(1, "later events is to be predicted", "only purchase is predicted", "give a log with later events")
