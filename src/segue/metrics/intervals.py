"""How sure a figure is: a bootstrap over whole sequences, one set of resamples for every metric and model."""

from typing import NamedTuple

import numpy as np

from segue.errors import EvaluationError
from segue.shapes import Array, Doubles

# Above this many, sequences are resampled in groups: keeps the weights of 1000 replicates at 16 MB.
MOST_GROUPS = 16_384
REPLICATES_A_BLOCK = 64
PERCENT = (2.5, 97.5)
# Below so many sequences the percentile interval is too narrow: equal models would be told apart too often.
FEWEST_TO_COMPARE = 30
NAN = float("nan")


class Interval(NamedTuple):
    """A mean over predictions and its 95 % interval."""

    value: float
    low: float
    high: float


class Comparison(NamedTuple):
    """The mean of a minus that of b over the same predictions, its 95 % interval, and a two-sided p.

    Fewer than 30 sequences that have values tell no two models apart: bounds are NaN then, and p is 1.
    """

    difference: float
    low: float
    high: float
    p: float


class Bootstrap:
    """Resamples of whole sequences, drawn once and shared by all metrics and models of a table.

        value* = sum over s of w_s total_s / sum over s of w_s length_s,    w ~ Multinomial(S; 1/S, ..., 1/S)

    with the total and the number (of weighted values, the weight) of the values of each of S sequences s:
    predictions of one sequence are not independent, so they come and go together. The interval is the
    percentile interval.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), sec. 13.3; Field and Welsh,
    Bootstrapping Clustered Data (2007). Deviation: above 16,384 sequences, they are first dealt at random
    into that many groups, and groups are resampled: sums of independent sequences are independent, so the
    spread is the same.

    Edge cases: a NaN value is left out of total and length; with fewer than two sequences that have values,
    the bounds are NaN, as one sequence says nothing of the spread; no values, all NaN. Two models are compared from
    30 such sequences on, see `compare`.

    >>> resamples = Bootstrap(np.arange(100) // 2, rng=np.random.default_rng(1))
    >>> resamples.interval(np.ones(100))
    Interval(value=1.0, low=1.0, high=1.0)
    """

    def __init__(self, sequence: Array, *, rng: np.random.Generator, replicates: int = 1000) -> None:
        """Draw the resamples for P predictions that belong to the sequences named by `sequence` (P,) ints."""
        names, members = np.unique(sequence, return_inverse=True)
        groups = min(names.size, MOST_GROUPS)
        dealt = rng.permutation(names.size) % groups if names.size > groups else np.arange(names.size)
        self._group = dealt[members]
        # How often a group is drawn is below 256 in all but one of 1e500 resamples.
        self._weights = np.zeros((replicates, groups), dtype=np.uint8)
        for row in self._weights:
            row[:] = np.bincount(rng.integers(groups, size=groups, dtype=np.int32), minlength=groups)

    def interval(self, values: Array, weights: Array | None = None) -> Interval:
        """The mean of values (P,) with its 95 % interval, weighted by `weights` (P,) from 0 on."""
        totals, lengths = self._sums(values, weights)
        if lengths.sum() == 0:
            return Interval(NAN, NAN, NAN)
        value = float(totals.sum() / lengths.sum())
        if np.count_nonzero(lengths) < 2:
            return Interval(value, NAN, NAN)
        low, high = np.percentile(self._replicates(totals, lengths), PERCENT)
        return Interval(value, float(low), float(high))

    def compare(self, a: Array, b: Array, weights: Array | None = None) -> Comparison:
        """The mean of a minus the mean of b, paired: the same resamples, only where both have a value.

            p = 2 min(share of replicates <= 0, share of replicates >= 0),    kept within [1 / replicates, 1]

        so it is no finer than their number: a p at the floor says "at most". With fewer than 30 sequences that
        have values nothing can be told: the bounds are NaN and p is 1.
        """
        # The difference of means over the same predictions is the mean of the differences.
        values = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
        difference, low, high = self.interval(values, weights)
        totals, lengths = self._sums(values, weights)
        if np.count_nonzero(lengths) < FEWEST_TO_COMPARE:
            return Comparison(difference, NAN, NAN, 1.0)
        replicates = self._replicates(totals, lengths)
        p = 2 * min(np.mean(replicates <= 0), np.mean(replicates >= 0))
        return Comparison(difference, low, high, float(np.clip(p, 1 / len(self._weights), 1.0)))

    def _sums(self, values: Array, weights: Array | None) -> tuple[Doubles, Doubles]:
        """Total and number of the values of each group; with weights, their weighted total and their weight."""
        if len(values) != len(self._group):
            raise EvaluationError(
                f"{len(values)} values came for a bootstrap over {len(self._group)} predictions; "
                "give one value a prediction, NaN where there is none"
            )
        known, groups = ~np.isnan(values), self._weights.shape[1]
        weight = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
        totals = np.bincount(self._group, np.where(known, values, 0.0) * weight, minlength=groups)
        lengths = np.bincount(self._group[known], weight[known], minlength=groups)
        return totals.astype(float), lengths.astype(float)

    def _replicates(self, totals: Doubles, lengths: Doubles) -> Doubles:
        """The mean in each resample that holds any value."""
        sums = np.stack([totals, lengths], axis=1)
        blocks = np.split(self._weights, range(REPLICATES_A_BLOCK, len(self._weights), REPLICATES_A_BLOCK))
        total, length = np.concatenate([block @ sums for block in blocks]).T
        return np.asarray(total[length > 0] / length[length > 0])


def bootstrap(values: Array, sequence: Array, *, rng: np.random.Generator, replicates: int = 1000) -> Interval:
    """The mean of one set of values with its 95 % interval; for several, share a `Bootstrap`."""
    return Bootstrap(sequence, rng=rng, replicates=replicates).interval(values)
