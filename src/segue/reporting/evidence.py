"""What a table stands on: where the network is ahead of the best baseline and where not, and lists to look at."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from segue.data.catalog import ItemTable
from segue.data.events import EventLog
from segue.evaluation.context import Scored
from segue.evaluation.groups import ITEMS, USERS
from segue.evaluation.judged import Judged
from segue.evaluation.measures import interval, number
from segue.evaluation.report import Report, Value
from segue.metrics import Bootstrap
from segue.reporting.examples import Examples, examples_of
from segue.rng import stream
from segue.shapes import Array, Bools


class Difference(NamedTuple):
    """The main metric of the network and of the best baseline in one group, and how they differ, paired.

    Attributes:
        name: of the group.
        predictions, users: in it.
        network, baseline: each with its interval.
        difference: network less baseline, with its interval; bounds are null where too few users tell.
        p: of that, two-sided, by itself.
    """

    name: str
    predictions: int
    users: int
    network: Value
    baseline: Value
    difference: Value
    p: float

    @property
    def outcome(self) -> str:
        """`ahead` or `behind` where the interval leaves no doubt, `few` where too few users have none, else `open`."""
        low, high = self.difference.low, self.difference.high
        if low is None or high is None:
            return "few"
        return "ahead" if low > 0 else "behind" if high < 0 else "open"


class Evidence(NamedTuple):
    """What a table stands on.

    Attributes:
        network, baseline: the best of each, which are compared; None where there is none.
        activity: by the events that the model had read of the user.
        beginners: those groups of `activity` taken together that come first: one, two, and so on, not all.
        learned: by how often the target was learned from.
        popularity: by thirds of the learned events, the most popular items first.
        others: warm and cold users, repeated and new targets.
        within_session: the events that were read are those of a session, not of the user.
        users: who were asked for.
        finest: the smallest p that the resamples tell.
        examples: some lists.
    """

    network: str | None
    baseline: str | None
    activity: list[Difference]
    beginners: list[Difference]
    learned: list[Difference]
    popularity: list[Difference]
    others: list[Difference]
    within_session: bool
    users: int
    finest: float
    examples: Examples | None


def evidence_of(judged: Judged, log: EventLog, table: ItemTable | None = None) -> Evidence:
    """Look at a table while what it was made from is there; `table` names items that were not learned from."""
    report = judged.report
    network, baseline = compared(report)
    first = next(iter(judged.predictions.values()))
    popular = popularity_groups(judged.counts, first.target)
    groups = {**judged.groups, **popular}
    found: dict[str, Difference] = {}
    together: list[Difference] = []
    if network is not None and baseline is not None:
        pair = judged.values[network], judged.values[baseline]
        found = {name: difference_in(judged, name, which, first.user, *pair) for name, which in groups.items()}
        active = [name for name in USERS if name in groups]
        for name, which in zip(active[:-1], accumulate((groups[name] for name in active), np.logical_or), strict=False):
            together.append(difference_in(judged, name, which, first.user, *pair))
    starts = judged.phase.replayed.starts
    shown = network or report.rows[0].model
    return Evidence(
        network,
        baseline,
        activity=picked(found, USERS),
        beginners=together,
        learned=picked(found, ITEMS),
        popularity=picked(found, popular),
        others=[one for name, one in found.items() if not any(name in kind for kind in (USERS, ITEMS, popular))],
        within_session=int(np.count_nonzero(starts)) > len(judged.phase.replayed.of),
        users=len(np.unique(first.user)),
        finest=1 / judged.replicates,
        examples=examples_of(judged, log, shown, None if shown == baseline else baseline, table),
    )


def picked(found: Mapping[str, Difference], names: Mapping[str, object]) -> list[Difference]:
    """Those of some names, in their order."""
    return [found[name] for name in names if name in found]


def compared(report: Report) -> tuple[str | None, str | None]:
    """The best network and the best baseline of a table."""
    best = [next((row.model for row in report.rows if row.baseline is kind), None) for kind in (False, True)]
    return best[0], best[1]


def difference_in(judged: Judged, name: str, which: Bools, user: Array, own: Scored, other: Scored) -> Difference:
    """Network and baseline over some of the predictions, by one set of resamples: that of the table's groups."""
    resamples = Bootstrap(user[which], rng=stream(judged.seed, name), replicates=judged.replicates)
    ours, theirs = own.of(which), other.of(which)
    apart = resamples.compare(ours.values, theirs.values, ours.weights)
    return Difference(
        name,
        int(np.count_nonzero(which)),
        len(np.unique(user[which])),
        interval(resamples, ours),
        interval(resamples, theirs),
        Value(*(number(value) for value in (apart.difference, apart.low, apart.high))),
        apart.p,
    )


def popularity_groups(counts: Array, target: Array) -> dict[str, Bools]:
    """(P,) marks by name: the items that together have the first, second and last third of the learned events."""
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    third = np.zeros(len(counts), np.int8)
    third[order] = np.minimum(3 * before // max(int(counts.sum()), 1), 2)
    of = np.where(target >= 0, third[target], -1)
    sizes = np.bincount(third, minlength=3)
    words = ("most popular items", "mid-range items", "least popular items")
    names = [f"{word} ({size:,}, a third of the events)" for word, size in zip(words, sizes, strict=True)]
    return {name: of == place for place, name in enumerate(names) if (of == place).any()}
