"""Logs with a known answer: what the best possible model scores on them follows from how they are made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.rng import stream
from segue.shapes import Array


def noisy_chain(users: int, length: int, n_items: int, *, follow: float, seed: int = 1) -> EventLog:
    """Each item has one successor, which follows it with probability `follow`; else any item follows.

    The best possible recall@1 is follow + (1 - follow) / n_items.
    """
    rng = stream(seed, "noisy chain")
    successor = rng.permutation(n_items)
    item = np.empty((users, length), np.int32)
    item[:, 0] = rng.integers(n_items, size=users)
    for t in range(1, length):
        follows = rng.random(users) < follow
        item[:, t] = np.where(follows, successor[item[:, t - 1]], rng.integers(n_items, size=users))
    return laid_in_time(item, n_items, rng)


def pair_chain(users: int, length: int, n_items: int, *, seed: int = 1) -> EventLog:
    """The next item is the sum of the last two, modulo N: the last one alone says nothing.

    The best possible recall@1 is 1; of a first-order model it is 1 / n_items.
    """
    rng = stream(seed, "pair chain")
    item = np.empty((users, length), np.int32)
    item[:, :2] = rng.integers(n_items, size=(users, 2))
    for t in range(2, length):
        item[:, t] = (item[:, t - 1] + item[:, t - 2]) % n_items
    return laid_in_time(item, n_items, rng)


def shuffled(log: EventLog, *, seed: int = 1) -> EventLog:
    """The same log with all its items in random places: no order is left to learn, popularity is as it was."""
    return replace(log, item=stream(seed, "shuffled").permutation(log.item))


def laid_in_time(item: Array, n_items: int, rng: np.random.Generator) -> EventLog:
    """Users whose events interleave in time, in the order of the columns of item (U, T)."""
    users, length = item.shape
    time = np.cumsum(rng.exponential(60.0, (users, length)), 1) + rng.uniform(0, 60.0 * length, (users, 1))
    order = np.argsort(time.ravel(), kind="stable")
    return EventLog(
        users=Ids.of(f"user {number}" for number in range(users)),
        items=Ids.of(f"item {number}" for number in range(n_items)),
        user=np.repeat(np.arange(users, dtype=np.int32), length)[order],
        item=item.ravel()[order].astype(np.int32),
        time=time.ravel()[order] + 1_600_000_000,
    )
