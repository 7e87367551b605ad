"""Logs drawn by a rule, so that the best possible score is known beforehand; and clicks for benchmarks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.rng import stream
from segue.shapes import Array, Bools, Longs


def noisy_chain(users: int, length: int, n_items: int, follow: float, seed: int = 1) -> EventLog:
    """A first-order chain: every item has one successor, and each is the successor of one.

    The next item is the successor with probability `follow`, else any other item alike. The best possible
    recall@1 is `follow` (if that is above 1 / N): what a first-order Markov model reaches too. All items
    are equally popular, so popularity stays at recall@k = k / N.
    """
    rng = stream(seed, "noisy chain")
    ring = rng.permutation(n_items)
    successor = np.empty(n_items, np.int64)
    successor[ring] = np.roll(ring, -1)
    item = np.empty((users, length), np.int64)
    item[:, 0] = rng.integers(n_items, size=users)
    for t in range(1, length):
        item[:, t] = followed(successor[item[:, t - 1]], n_items, follow, rng)
    return in_turns(item, n_items)


def pair_chain(users: int, length: int, n_items: int, follow: float, seed: int = 1) -> EventLog:
    """A second-order chain: the next item follows from the last two, by a Latin square.

    The next item is the pair's with probability `follow`, else any other item alike. For a user's third event
    and later ones the best possible recall@1 is `follow`. Knowing one of the two items says nothing: popularity
    and a first-order Markov model stay at recall@k = k / N, as everyone does for a user's second event.
    """
    rng = stream(seed, "pair chain")
    first, second, name = (rng.permutation(n_items) for _ in range(3))
    item = np.empty((users, length), np.int64)
    item[:, :2] = rng.integers(n_items, size=(users, 2))
    for t in range(2, length):
        expected = name[(first[item[:, t - 2]] + second[item[:, t - 1]]) % n_items]
        item[:, t] = followed(expected, n_items, follow, rng)
    return in_turns(item, n_items)


def shuffled(log: EventLog, seed: int = 1) -> EventLog:
    """The same users, times and popularity with the items dealt out anew: the past says nothing of the next.

    The best possible recall@k is the share of events that the k most popular items have.
    """
    return replace(log, item=stream(seed, "shuffled").permutation(log.item))


def clicks(
    sessions: int, n_items: int, *, users: int | None = None, follow: float = 0.5, days: float = 30.0, seed: int = 1
) -> EventLog:
    """Click sessions with the shape of a shop's, for benchmarks; the best possible score is not known.

    Lengths are 1 plus a geometric number of mean 4, at most 50; popularity falls as 1 / place^0.9; after a click
    one of eight fixed neighbours of the item comes with probability `follow`, else any item by its popularity.
    Pauses within a session are exponential with a mean of a minute.

    Args:
        sessions: how many; about five events each.
        n_items: N.
        users: who have the sessions, by a power law; by default every session is its own user.
        follow: how much the last click says about the next.
        days: sessions begin anywhere in so many days.
        seed: the same seed gives the same log.
    """
    rng = stream(seed, "clicks")
    length = np.minimum(rng.geometric(1 / 5, sessions), 50)
    share = np.arange(1, n_items + 1) ** -0.9
    popular = np.cumsum(share[rng.permutation(n_items)] / share.sum())
    neighbours = drawn(popular, rng.random((n_items, 8)))
    item = np.full((sessions, int(length.max())), -1, np.int64)
    item[:, 0] = drawn(popular, rng.random(sessions))
    for t in range(1, item.shape[1]):
        on = np.flatnonzero(length > t)
        near = neighbours[item[on, t - 1], rng.integers(8, size=len(on))]
        item[on, t] = np.where(rng.random(len(on)) < follow, near, drawn(popular, rng.random(len(on))))
    begin = rng.uniform(0, days * 86_400, (sessions, 1))
    time = begin + np.cumsum(rng.exponential(60.0, item.shape), 1)
    owner = np.arange(sessions)
    if users is not None:
        weight = np.cumsum(np.arange(1, users + 1) ** -0.5)
        owner = drawn(weight / weight[-1], rng.random(sessions))
    there: Bools = item >= 0
    session = np.broadcast_to(np.arange(sessions)[:, None], item.shape)[there]
    order = np.argsort(time[there], kind="stable")
    return log_by_number(owner[session][order], item[there][order], time[there][order], session=session[order])


def followed(expected: Longs, n_items: int, follow: float, rng: np.random.Generator) -> Longs:
    """What is expected with probability `follow`, else any other item alike."""
    other = (expected + rng.integers(1, n_items, expected.shape)) % n_items
    return np.where(rng.random(expected.shape) < follow, expected, other)


def drawn(cumulative: Array, uniform: Array) -> Longs:
    """Places drawn by a cumulative distribution."""
    return np.searchsorted(cumulative, uniform, side="right").clip(max=len(cumulative) - 1)


def in_turns(item: Longs, n_items: int) -> EventLog:
    """Items (U, T) as a log in which users take turns, an event a second."""
    users, length = item.shape
    time = np.arange(users * length, dtype=np.float64)
    return log_by_number(np.tile(np.arange(users), length), item.T.ravel(), time, n_items=n_items)


def log_by_number(
    user: Longs, item: Longs, time: Array, *, session: Longs | None = None, n_items: int | None = None
) -> EventLog:
    """A log in time order from numbers, whose ids are those numbers in order of first appearance."""
    users, user_place = numbered(user)
    items, item_place = numbered(item)
    absent = [] if n_items is None else np.setdiff1d(np.arange(n_items), items).tolist()
    return EventLog(
        users=Ids.of(f"u{n}" for n in users),
        items=Ids.of(f"i{n}" for n in [*items.tolist(), *absent]),
        user=user_place.astype(np.int32),
        item=item_place.astype(np.int32),
        time=time,
        session=None if session is None else numbered(session)[1].astype(np.int32),
    )


def numbered(values: Longs) -> tuple[Longs, Longs]:
    """The distinct values in order of first appearance, and the place of each value among them."""
    distinct, first, place = np.unique(values, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return distinct[order], rank[place]
