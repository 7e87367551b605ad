"""What a report says of a frontier: each gain is warned of by itself, and all of them for having been picked."""

from __future__ import annotations

import pytest

from segue.evaluation.points import GAINS, Frontier, Point
from segue.evaluation.report import Value
from segue.reporting.bought import verdict_of
from segue.reporting.words import NARROW

NAMES = [f"{name}@10" for name in (*GAINS, "ndcg", "gini", "novelty")]


def point(diversity: float, loss: tuple[float, float | None, float | None], *best_of: str) -> Point:
    return Point(
        strategy="mmr",
        diversity=diversity,
        metrics={name: Value(0.2) for name in NAMES},
        change=dict.fromkeys(NAMES, 0.1),
        loss=Value(*loss),
        best_of=best_of,
    )


def frontier(*points: Point) -> Frontier:
    return Frontier(
        split={"predictions": 100, "users": 50},
        exclude="none",
        k=10,
        pool=20,
        similarity="categories",
        measured_by="categories",
        allowed_loss=0.02,
        points=list(points),
        verdicts=[],
        notes=[],
    )


@pytest.mark.parametrize("gain", GAINS)
def test_a_gain_whose_loss_may_be_larger_than_allowed_is_warned_of_whichever_it_is(gain: str) -> None:
    other = next(one for one in GAINS if one != gain)
    sure, unsure = point(0.1, (0.01, 0.0, 0.02), f"{other}@10"), point(0.3, (0.015, 0.0, 0.03), f"{gain}@10")
    lines = [line.replace(NARROW, " ") for line in verdict_of(frontier(sure, unsure)).lines]
    (warning,) = (line for line in lines if "not certain" in line)
    words = {"intra_list_diversity": "variety within a list", "coverage": "the share of items that are ever shown"}
    assert warning.startswith(f"That {words[gain]} costs no more")
    assert "reaches 3.0 %" in warning


def test_a_loss_without_an_interval_is_warned_of_too() -> None:
    found = verdict_of(frontier(point(0.3, (0.01, None, None), *(f"{gain}@10" for gain in GAINS))))
    assert sum("too few users to tell" in line for line in found.lines) == len(GAINS)


def test_the_best_of_many_points_is_said_to_be_picked() -> None:
    points = [point(0.1 * place, (0.0, 0.0, 0.0)) for place in range(7)]
    assert any(
        "on these very predictions, as the best of 7 points" in line for line in verdict_of(frontier(*points)).lines
    )
