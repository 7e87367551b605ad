"""What is told of items that nobody met, and what they cost the others."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from segue.evaluation.context import Scored
from segue.evaluation.judge import rank_values
from segue.evaluation.measures import compared, interval
from segue.evaluation.replay import Predictions
from segue.evaluation.report import Value
from segue.metrics import Bootstrap, RankMetric, parse
from segue.rng import stream

METRICS = "recall@20", "ndcg@10"


class Known(Struct, frozen=True, kw_only=True):
    """One metric on targets that the model knew: without and with the new items in its catalog, and their difference.

    Attributes:
        before, after: with their 95 % intervals.
        difference: after minus before, paired: difference, low, high, p.
    """

    before: Value
    after: Value
    difference: dict[str, float | None]


class Cold(Struct, frozen=True, kw_only=True):
    """One metric on targets that nobody met.

    Attributes:
        network, neighbours: with their 95 % intervals.
        chance: of a list drawn from the whole catalog.
        difference: the network minus the neighbours, paired: difference, low, high, p.
    """

    network: Value
    neighbours: Value
    chance: float
    difference: dict[str, float | None]


class ColdItems(Struct, frozen=True, kw_only=True):
    """How well items are found that nobody met.

    Attributes:
        n_items, new_items: the model's, and those that were appended by their content alone.
        undescribed: further unknown items of the asked part, of which the table says nothing that was learned.
        predictions, users: with a new item as the target.
        known_predictions: with an item that the model knew.
        exclude: what was not answered.
        last: so many of the user's last items content neighbours look at.
        lift: see `ContentSettings`.
        cold: on new items, by metric.
        known: on items that the model knew, by metric; empty where none is asked for.
        notes: what a reader must know.
    """

    n_items: int
    new_items: int
    undescribed: int
    predictions: int
    users: int
    known_predictions: int
    exclude: str
    last: int
    lift: float
    cold: dict[str, Cold]
    known: dict[str, Known]
    notes: list[str]

    @property
    def verdict(self) -> str:
        """Whether content finds new items, in a sentence."""
        name = METRICS[0]
        found = self.cold[name]
        value, low, high = found.network.value or 0.0, found.difference["low"], found.difference["high"]
        span = f"{name} {value:.4f} is {value / found.chance:.1f} times chance"
        if low is None or high is None:
            return f"new items: {span}; too few users to tell it from content neighbours"
        against = f"{found.difference['difference']:+.4f}, 95 % {low:+.4f} to {high:+.4f}"
        if low > 0:
            return f"new items: {span}, and beats content neighbours: {against}"
        told = "IS BEHIND content neighbours" if high < 0 else "cannot be told from content neighbours"
        return f"new items: {span}, and {told}: {against}"


def cold_of(ours: Predictions, theirs: Predictions, n_items: int, *, seed: int, replicates: int) -> dict[str, Cold]:
    """Figures of the same predictions by a network and by neighbours, out of N items."""
    found = {}
    resamples = Bootstrap(ours.user, rng=stream(seed, "cold items"), replicates=replicates)
    for name in METRICS:
        one, other = (Scored(np.asarray(rank_values(name, asked), float)) for asked in (ours, theirs))
        metric, k = parse(name)
        assert isinstance(metric, RankMetric)
        found[name] = Cold(
            network=interval(resamples, one),
            neighbours=interval(resamples, other),
            chance=float(metric(np.arange(1, k + 1, dtype=np.int32), k).sum() / n_items),
            difference=compared(resamples, one, other),
        )
    return found


def known_of(before: Predictions, after: Predictions, *, seed: int, replicates: int) -> dict[str, Known]:
    """Figures of the same predictions without and with new items in the catalog."""
    found = {}
    resamples = Bootstrap(before.user, rng=stream(seed, "known items"), replicates=replicates)
    for name in METRICS:
        one, other = (Scored(np.asarray(rank_values(name, asked), float)) for asked in (before, after))
        found[name] = Known(
            before=interval(resamples, one),
            after=interval(resamples, other),
            difference=compared(resamples, other, one),
        )
    return found
