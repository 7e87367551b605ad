"""How far the list's mix of categories is from the user's own."""

import numpy as np

from segue.metrics.base import list_metric, needs
from segue.metrics.categories import Categories
from segue.metrics.lists import Lists
from segue.metrics.runs import Runs
from segue.shapes import Array, Doubles

SMOOTHING = 0.01


@list_metric
@needs("categories", "past")
def calibration(lists: Lists) -> Doubles:
    """Divergence of the list's categories from those of the user's past: 0 the same mix, 4.6 nothing in common.

        calibration = sum over categories c of p(c) log(p(c) / ((1 - a) q(c) + a p(c))),    a = 0.01

    with p the mean over the user's earlier events, and q over the items of the list, of an item's categories in equal
    parts. Lower is better, so it cannot choose a model; -log a = 4.6 is the most.

    Source: Steck, Calibrated Recommendations (2018), sec. 3; there recent events and high places may weigh more,
    here all count alike.
    Edge cases: items without a category are left out of both mixes; a past or a list with none at all is NaN.

    >>> kinds = Categories(("a", "b"), np.array([0, 1, 2]), np.array([0, 1]))
    >>> past = Runs(np.array([0, 1]), begins=np.array([0, 0]), ends=np.array([1, 2]))  # a; then a and b
    >>> lists = Lists(np.array([[0], [0]]), 2, np.ones(2), np.zeros((2, 1), bool), categories=kinds, past=past)
    >>> calibration(lists).round(3).tolist()
    [0.0, 1.959]
    """
    assert lists.categories is not None
    kinds = lists.categories
    blocks = [divergences(block, kinds) for block in lists.blocks(kinds.rows_within())]
    return np.concatenate(blocks) if blocks else np.empty(0)


def divergences(lists: Lists, kinds: Categories) -> Doubles:
    """The values of so few lists that rows times categories fit."""
    assert lists.past is not None
    length, width = lists.items.shape
    p = shares(*past_mixes(lists.past, kinds))
    q = shares(*kinds.mixes(np.repeat(np.arange(length), width), lists.items.ravel(), length))
    smooth = (1 - SMOOTHING) * q + SMOOTHING * p
    ratio = np.ones_like(p)
    np.divide(p, smooth, out=ratio, where=p > 0)
    value = np.asarray((p * np.log(ratio)).sum(axis=1))
    value[np.isnan(smooth).any(axis=1)] = np.nan
    return np.where(value < 0, 0.0, value)  # rounding may leave -1e-17


def past_mixes(past: Runs, kinds: Categories) -> tuple[Array, Array]:
    """The mix of each user's past, and how many of its events have a category; see `Categories.mixes`.

    Each event is counted once, however many predictions follow it: a prediction that goes on where the one before
    it ended adds what is new to that.
    """
    begins, ends = past.begins, past.ends
    goes_on = np.zeros(len(begins), bool)
    goes_on[1:] = (begins[1:] == begins[:-1]) & (ends[1:] >= ends[:-1])
    new = Runs(past.item, np.where(goes_on, np.roll(ends, 1), begins), ends)
    mix, number = np.zeros((len(begins), len(kinds.names))), np.zeros(len(begins))
    for row, item in new.pieces():
        first = int(row[0])
        mixes, numbers = kinds.mixes(row - first, item, int(row[-1]) - first + 1)
        mix[first : first + len(mixes)] += mixes
        number[first : first + len(mixes)] += numbers
    for one in np.flatnonzero(goes_on).tolist():
        mix[one] += mix[one - 1]
        number[one] += number[one - 1]
    return mix, number


def shares(mix: Array, number: Array) -> Array:
    """Sums as shares of 1; NaN where there is nothing."""
    out = np.full(mix.shape, np.nan)
    np.divide(mix, number[:, None], out=out, where=number[:, None] > 0)
    return out
