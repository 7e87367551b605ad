"""Lists chosen from pools, by every strategy at every place of its knob."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.ids import Ids
from segue.evaluation.pools import Asked, Pools, pools_of
from segue.evaluation.replay import Predictions
from segue.models.base import Model
from segue.ranking import NEVER
from segue.ranking.diversity import Known, Strategy
from segue.shapes import Array, Ints


class Walk(NamedTuple):
    """The lists of every point.

    Attributes:
        user, target, rank: (P,) as in `Predictions`.
        surplus: (P,) the equals of the target that stand behind it in the pool.
        lists: (points, P, K) items, -1 past the end.
    """

    user: Array
    target: Ints
    rank: Ints
    surplus: Ints
    lists: Ints

    def predictions(self, point: int) -> Predictions:
        """What a point answered. A target's rank is its place in the list, ties against us; outside it is a miss.

        At 0 that is the rank in the whole catalog, as far as the list reaches.
        """
        lists = self.lists[point]
        hit = (lists == self.target[:, None]) & (self.target >= 0)[:, None]
        rank = np.where(hit.any(axis=1), hit.argmax(axis=1) + 1 + self.surplus, NEVER).astype(np.int32)
        had = np.zeros(lists.shape, bool)
        return Predictions(np.arange(len(rank)), self.user, self.target, rank, lists, had, had[:, 0])


def walk(
    model: Model,
    asked: Asked,
    known: Known,
    points: Sequence[tuple[Strategy, float]],
    *,
    users: Ids,
    exclude: str,
    k: int,
    size: int,
    memory_mb: int,
    say: Callable[[str], None],
) -> Walk:
    """Take the pool of each prediction once, and let every point choose a list from it.

    What is drawn is what a server would draw for the user after the same events, where no seed is asked for: at every
    place of a knob the same, so that neighbours differ by the knob alone.

    Args:
        users: the ids of those whose sequences these are.
    """
    total, done, told = len(asked.place), 0, 0
    width = min(k, model.n_items)
    found = Walk(
        np.zeros(total, asked.sequences.user.dtype),
        np.zeros(total, np.int32),
        np.zeros(total, np.int32),
        np.zeros(total, np.int32),
        spill.empty((len(points), total, width), np.int32),
    )
    for pools in pools_of(model, asked, exclude=exclude, size=max(size, k), kinds=known.kinds, memory_mb=memory_mb):
        row = pools.number
        found.user[row], found.target[row], found.rank[row] = pools.user, pools.target, pools.rank
        found.surplus[row] = surplus_of(pools)
        for place, at in enumerate(row.tolist()):
            items = pools.items[place]
            items = items[items >= 0]
            pool = known.pool(
                items, pools.scores[place, : len(items)], None if pools.taste is None else pools.taste[place]
            )
            who, had = users[int(pools.user[place])], int(pools.had[place])
            for number, (strategy, knob) in enumerate(points):
                chosen = items[strategy(pool, k, knob, strategy.draws(had, who))]
                found.lists[number, at, : len(chosen)], found.lists[number, at, len(chosen) :] = chosen, -1
        done += len(row)
        if done * 5 // total > told:
            told = done * 5 // total
            say(f"{done:,} of {total:,} predictions, {len(points)} lists each")
    return found


def surplus_of(pools: Pools) -> Ints:
    """(R,) by how much the rank of each target exceeds its place in the pool; 0 where it is not in there."""
    hit = (pools.items == pools.target[:, None]) & (pools.target >= 0)[:, None]
    return np.where(hit.any(axis=1), pools.rank - hit.argmax(axis=1) - 1, 0).astype(np.int32)
