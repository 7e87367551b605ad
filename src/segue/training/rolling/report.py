"""What rolling over weeks says: each model in each week, over all of them, and a picture."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from segue.charts import lines, stacked
from segue.evaluation.report import Value

KEPT, UPDATED, RETRAINED = "kept", "updated", "retrained"

APART = 0.06
"""How far models stand beside one another in a picture, in weeks: upright lines would lie one over the other."""


class Standing(Struct, frozen=True, kw_only=True):
    """A model in a week.

    Attributes:
        items: that it knows.
        unknown: targets of the week among those that it does not know: misses.
        events: that it learned for this week: an update the new ones, training anew all of them; 0: it is as it was.
        passes: over these; 0 of an update: none was better than none.
        seconds: of learning them, with what chooses the passes; null: it is as it was.
        learning: of these, the seconds after the passes were chosen; null where that is not told apart.
        worse: of an update: it was worse on the last of its own days, and would not have been made unforced.
        metrics: by name.
    """

    items: int
    unknown: int
    events: int = 0
    passes: float | None = None
    seconds: float | None = None
    learning: float | None = None
    worse: bool = False
    metrics: dict[str, Value] = {}


class RolledWeek(Struct, frozen=True, kw_only=True):
    """A week that was asked for.

    Attributes:
        number: from 1, counted from the cutoff of the model.
        begins, ends: Unix seconds.
        begins_utc: for people.
        events: in the week.
        predictions, users: that were asked for, and of how many users.
        compared: whether anybody learned since the model of the first week; where not, all of them are that model.
        models: by name.
    """

    number: int
    begins: float
    ends: float
    begins_utc: str
    events: int
    predictions: int
    users: int
    compared: bool
    models: dict[str, Standing]


class Difference(Struct, frozen=True, kw_only=True):
    """Two models over all weeks in which they were compared, paired by prediction.

    Attributes:
        model, against: the difference is of the first less the second.
        metric: of what.
        difference: with low, high and p.
        relative: the same, as a share of what `against` has: -0.01 is 1 % less; what it is a share of is taken as
            fixed. Null where that is 0.
    """

    model: str
    against: str
    metric: str
    difference: dict[str, float | None]
    relative: Value


class Rolling(Struct, frozen=True, kw_only=True):
    """A network over weeks.

    Attributes:
        model: its name.
        baseline: the one beside it; "" where there is none.
        every: how long a week is, in seconds.
        metric, exclude: what models are compared by, and what was not answered.
        weeks: in order.
        predictions, users: over the weeks in which models were compared.
        overall: by model and metric, over these.
        differences: over these.
        seconds: of all learning, by model, and the seconds of `learning` as "retrained, passes known".
        time_share: the seconds of updates as a share of those of training anew; null where there was none.
        verdicts: in a sentence each.
        notes: what a reader must know.
        interrupted: stopped by Ctrl-C.
        ended: why it stopped before its last week; "" where it did not.
    """

    model: str
    baseline: str
    every: float
    metric: str
    exclude: str
    weeks: list[RolledWeek]
    predictions: int
    users: int
    overall: dict[str, dict[str, Value]]
    differences: list[Difference]
    seconds: dict[str, float]
    time_share: float | None
    verdicts: list[str]
    notes: list[str]
    interrupted: bool = False
    ended: str = ""

    @property
    def names(self) -> list[str]:
        """The models, as they stand side by side."""
        return list(dict.fromkeys(name for week in self.weeks for name in week.models))

    @property
    def metrics(self) -> list[str]:
        """What was measured."""
        return list(dict.fromkeys(name for week in self.weeks for one in week.models.values() for name in one.metrics))

    def chart(self) -> str:
        """Each metric, with its intervals, and the seconds of learning, by week, as the text of an SVG file."""
        names = self.names
        pictures = []
        for metric in self.metrics:
            series: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
            spans: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
            for week in self.weeks:
                for name, one in week.models.items():
                    value, at = one.metrics[metric], week.number + APART * (names.index(name) - (len(names) - 1) / 2)
                    if value.value is not None:
                        series[name].append((at, value.value))
                    if value.low is not None and value.high is not None:
                        spans[name].append((at, value.low, value.high))
            title = f"{metric} of each week before it is learned (95 % intervals)"
            pictures.append(lines(series, title=title, x="week", y=metric, spans=spans))
        taken = {
            name: [
                (float(week.number), seconds)
                for week in self.weeks
                if name in week.models and (seconds := week.models[name].seconds) is not None
            ]
            for name in names
        }
        pictures.append(lines(taken, title="seconds of learning before each week", x="week", y="seconds"))
        return stacked(pictures)


def day(seconds: float) -> str:
    """When a week begins, for people: the date, and the time of day where it is not midnight."""
    at = datetime.fromtimestamp(seconds, UTC)
    return at.strftime("%Y-%m-%d" if (at.hour, at.minute, at.second) == (0, 0, 0) else "%Y-%m-%d %H:%M")
