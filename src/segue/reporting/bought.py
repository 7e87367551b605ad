"""What a frontier says first: how much variety is had for how little accuracy."""

from __future__ import annotations

from segue.evaluation.points import GAINS, WORTH, Frontier, Point
from segue.reporting.verdict import Verdict
from segue.reporting.words import NARROW, counted

SPOKEN = {
    "intra_list_diversity": "variety within a list",
    "coverage": "the share of items that are ever shown",
    "gini": "inequality between items",
    "novelty": "novelty",
    "ndcg": "accuracy",
}
"""Metrics in words."""


def verdict_of(found: Frontier) -> Verdict:
    """Put a frontier into words: the first gain is the headline."""
    first, *rest = (spoken(found, gain) for gain in GAINS)
    asked = f"{counted(found.split['predictions'], 'prediction')} of {counted(found.split['users'], 'user')}"
    lines = unsure(found, GAINS[0])
    for gain, line in zip(GAINS[1:], rest, strict=True):
        lines += [f"{line}.", *unsure(found, gain)]
    lines.append(
        f"Strategies and knobs were chosen on these very predictions, as the best of "
        f"{counted(len(found.points), 'point')}, which flatters what is said of them."
    )
    lines.append(
        f"Lists of {found.k} out of the best {found.pool}, {asked}; alike by {found.similarity}, measured by "
        f"{found.measured_by}."
    )
    return Verdict("open", first, lines)


def spoken(found: Frontier, gain: str) -> str:
    """What the best strategy buys of one thing."""
    name, bound = f"{gain}@{found.k}", f"For at most {100 * found.allowed_loss:.3g}{NARROW}% of {WORTH}@{found.k}"
    best = best_of(found, name)
    if best is None:
        return f"{bound}, no strategy raises {SPOKEN[gain]}"
    lost = best.loss
    around = ""
    if lost.value is not None and lost.low is not None and lost.high is not None:
        around = f", which loses {100 * lost.value:.1f}{NARROW}%{NARROW}±{NARROW}{50 * (lost.high - lost.low):.1f}"
    grown = best.change[name]
    by = "is raised" if grown is None else f"grows by {100 * grown:,.0f}{NARROW}%"
    return f"{bound}, {SPOKEN[gain]} {by}: {best.strategy} at {best.diversity:g}{around}"


def unsure(found: Frontier, gain: str) -> list[str]:
    """A warning where the loss may well be larger than allowed."""
    best = best_of(found, f"{gain}@{found.k}")
    if best is None or best.diversity == 0 or (best.loss.high is not None and best.loss.high <= found.allowed_loss):
        return []
    why = (
        "there are too few users to tell"
        if best.loss.high is None
        else f"the interval of the loss reaches {100 * best.loss.high:.1f}{NARROW}%"
    )
    return [
        f"That {SPOKEN[gain]} costs no more than that is not certain: {why}. Ask for more predictions (--predictions) "
        "to know better."
    ]


def best_of(found: Frontier, name: str) -> Point | None:
    """The point that buys most of a metric within the loss allowed."""
    return max(
        (point for point in found.points if name in point.best_of),
        key=lambda point: point.metrics[name].value or 0.0,
        default=None,
    )
