"""What a table says: every model on the same predictions, with intervals, beside the best baseline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from segue.charts import scatter
from segue.evaluation.cost import Cost
from segue.metrics.intervals import FEWEST_TO_COMPARE


class Value(Struct, frozen=True):
    """A figure and its 95 % interval, null where a metric has none."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Row(Struct, frozen=True, kw_only=True):
    """One model of a table.

    Attributes:
        model: its name.
        baseline: False for a network.
        predictions: how many it was asked for, unknown targets among them.
        seconds: of learning, tuning included; null where it was not learned here.
        settings: those it was used with.
        metrics: by name.
        groups: the main metric of a part of the predictions (warm users, new targets, ...) by name.
        against_best_baseline: paired difference of the main metric, null for that baseline itself.
        cost: what it takes to train and to serve, where that was asked for.
    """

    model: str
    baseline: bool
    predictions: int
    seconds: float | None
    settings: dict[str, Any]
    metrics: dict[str, Value]
    groups: dict[str, Value]
    against_best_baseline: dict[str, float | None] | None = None
    cost: Cost | None = None


class Report(Struct, frozen=True, kw_only=True):
    """A table with what it takes to trust it.

    Attributes:
        split: kind, events a part, cutoff, unknown targets and so on.
        exclude: what was not answered.
        main: the metric models are compared by.
        rows: best first.
        asked: the metrics that were asked for beside those of every report.
        groups: predictions in each group.
        verdict: in a sentence, whether the network wins.
        notes: what a reader must know.
    """

    split: dict[str, Any]
    exclude: str
    main: str
    rows: list[Row]
    groups: dict[str, int]
    verdict: str
    notes: list[str]
    asked: list[str] = []

    def chart(self) -> str:
        """The main metric, with its intervals, against the time of a step, as the text of an SVG file.

        Only models whose cost was measured are in it: `segue.compare` does.
        """
        points, intervals = {}, {}
        for row in self.rows:
            value = row.metrics[self.main]
            if row.cost is not None and value.value is not None:
                points[row.model] = row.cost.step_us, value.value
                if value.low is not None and value.high is not None:
                    intervals[row.model] = value.low, value.high
        title = f"{self.main}, with 95 % intervals, against the time of a step"
        x = "microseconds to absorb an event of one user"
        return scatter(points, title=title, x=x, y=self.main, intervals=intervals)


def verdict_of(rows: Sequence[Row], best: str | None, main: str, finest: float = 0.001) -> str:
    """Whether the network beats the best baseline, in words; a p at the finest that resampling tells is a bound."""
    networks = [row for row in rows if not row.baseline]
    if best is None or not networks:
        return "no network and baseline to compare"
    top = networks[0]
    gain = top.against_best_baseline or {}
    own = next(row for row in rows if row.model == best).metrics[main].value or 0.0
    difference, low, high, p = (gain.get(name) for name in ("difference", "low", "high", "p"))
    if difference is None or low is None or high is None:
        return (
            f"too few users to tell {top.model} from {best}, the best baseline, in {main}: at least "
            f"{FEWEST_TO_COMPARE} are needed, use a longer log"
        )
    relative = f" ({difference / own:+.0%})" if own else ""
    chance = f"p at most {finest:.2g}" if p is not None and p <= finest else f"p = {p:.2g}"
    span = f"{difference:+.4f}{relative} in {main}, 95 % {low:+.4f} to {high:+.4f}, {chance}"
    if low > 0:
        return f"{top.model} beats {best}, the best baseline: {span}"
    if high < 0:
        return (
            f"THE NETWORK DOES NOT WIN: {top.model} is behind {best}, the best baseline: {span}. Serve {best}, or tune"
        )
    return f"THE NETWORK DOES NOT WIN: {top.model} and {best}, the best baseline, cannot be told apart: {span}"


def utc(seconds: float) -> str:
    """A time for people."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
