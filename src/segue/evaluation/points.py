"""What a frontier says: each strategy at each place of its knob, and a picture of them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from segue.charts import lines, stacked
from segue.evaluation.report import Value

WORTH, GAINS, BESIDE = "ndcg", ("intra_list_diversity", "coverage"), ("gini", "novelty")
"""What is lost, what is bought (knees and best points are found for each), and what is reported beside them."""


class Point(Struct, frozen=True, kw_only=True):
    """A strategy at one place of its knob.

    Attributes:
        strategy, diversity: which, and where its knob stands.
        metrics: by name, with intervals where a metric has one.
        change: by name, relative to the knob at 0: -0.02 is 2 % less; null where that has no value.
        loss: the same for ndcg with its 95 % interval, of the paired difference, as a loss: 0.02 is 2 % less; what it
            is a share of, ndcg at 0, is taken as fixed.
        knee_of, best_of: the metrics for which this is the knee of its strategy, and the best within the loss allowed.
    """

    strategy: str
    diversity: float
    metrics: dict[str, Value]
    change: dict[str, float | None]
    loss: Value
    knee_of: tuple[str, ...] = ()
    best_of: tuple[str, ...] = ()


class Frontier(Struct, frozen=True, kw_only=True):
    """The points of all strategies, with what it takes to trust them.

    Attributes:
        split, exclude: as in a report.
        k, pool: lists of so many are chosen from so many.
        similarity: what tells the strategies how alike items are.
        measured_by: what tells the metric.
        allowed_loss: of ndcg, for the best points.
        points: by strategy, then by the knob.
        verdicts: in a sentence each, what is bought at the loss allowed.
        notes: what a reader must know.
    """

    split: dict[str, Any]
    exclude: str
    k: int
    pool: int
    similarity: str
    measured_by: str
    allowed_loss: float
    points: list[Point]
    verdicts: list[str]
    notes: list[str]

    def chart(self) -> str:
        """What ndcg is against what it buys, a line a strategy, knees in rings, as the text of an SVG file.

        A diamond is what is served where no diversity is asked for, at which every line begins.
        """
        return stacked(self.pictures())

    def pictures(self) -> list[str]:
        """The parts of the chart: against each of `GAINS` and `BESIDE`."""
        worth = f"{WORTH}@{self.k}"
        pictures = []
        for gain in (f"{name}@{self.k}" for name in (*GAINS, *BESIDE)):
            series: dict[str, list[tuple[float, float]]] = {}
            spans: dict[str, list[tuple[float, float, float]]] = {}
            rings: dict[str, list[tuple[float, float]]] = {}
            for point in self.points:
                x, y = point.metrics[gain].value, point.metrics[worth]
                if x is None or y.value is None:
                    continue
                series.setdefault(point.strategy, []).append((x, y.value))
                if y.low is not None and y.high is not None:
                    spans.setdefault(point.strategy, []).append((x, y.low, y.high))
                if gain in point.knee_of:
                    rings.setdefault(point.strategy, []).append((x, y.value))
            plain = next((series[name][0] for name in series), None)
            marks = {} if plain is None else {"as served": plain}
            title = f"{worth} against {gain} (95 % intervals; rings: knees)"
            pictures.append(lines(series, title=title, x=gain, y=worth, spans=spans, rings=rings, marks=marks))
        return pictures
