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
    return laid_in_time(item, numbered("item", n_items), rng)


def pair_chain(users: int, length: int, n_items: int, *, seed: int = 1) -> EventLog:
    """The next item is the sum of the last two, modulo N: the last one alone says nothing.

    The best possible recall@1 is 1; of a first-order model it is 1 / n_items.
    """
    rng = stream(seed, "pair chain")
    item = np.empty((users, length), np.int32)
    item[:, :2] = rng.integers(n_items, size=(users, 2))
    for t in range(2, length):
        item[:, t] = (item[:, t - 1] + item[:, t - 2]) % n_items
    return laid_in_time(item, numbered("item", n_items), rng)


def recall(
    users: int,
    length: int,
    *,
    distance: int,
    nearest: int | None = None,
    asked: int = 0,
    cues: int = 8,
    fillers: int = 32,
    seed: int = 1,
) -> EventLog:
    """Episodes of a cue, `distance` fillers that have nothing to do with it, a probe, and the answer to the cue.

    They follow one another through every history, whose last one may be cut off. The items are `cue 0`, `answer 0`,
    `filler 0`, ... and `probe`; which answer belongs to which cue is drawn by the seed. Whoever remembers the cue
    foretells every answer, whoever does not 1 / `cues` of them.

    Args:
        users: U.
        length: events of each history.
        distance: fillers between a cue and its probe.
        nearest: users who are not asked have shorter distances too, for a learner to begin with: drawn evenly in their
            logarithm, from `nearest` to `distance`, and for every second user to a bound of his own, so drawn as well.
        asked: how many users, the last ones, are the test part of the log's split; 0: it has none.
        cues, fillers: how many there are to draw from.
        seed: of everything that is drawn.
    """
    rng = stream(seed, "recall")
    probe = 2 * cues
    answer = cues + rng.permutation(cues)
    item = probe + 1 + rng.integers(fillers, size=(users, length))
    for user, history in enumerate(item):
        low, high = distance, float(distance)
        if nearest is not None and user < users - asked:
            low, high = nearest, distance if user % 2 else float(log_uniform(nearest, distance, rng))
        between = np.rint(log_uniform(low, high, rng, length // (low + 3) + 1)).astype(np.int64)
        ends = np.cumsum(between + 3)
        cue = rng.integers(cues, size=len(ends))
        for place, what in ((ends - between - 3, cue), (ends - 2, np.full_like(cue, probe)), (ends - 1, answer[cue])):
            inside = place < length
            history[place[inside]] = what[inside]
    names = [*numbered("cue", cues), *numbered("answer", cues), "probe", *numbered("filler", fillers)]
    log = laid_in_time(item, Ids.of(names), rng)
    return replace(log, split=np.where(log.user < users - asked, 0, 2).astype(np.int8)) if asked else log


def funnel(
    *, users: int = 400, sessions: int = 4, views: int = 6, items: int = 30, seed: int = 1
) -> tuple[EventLog, dict[str, str]]:
    """A shop's views, carts and purchases whose answer is known: what is viewed first decides what is bought.

    Each session has `views` views of items drawn evenly, a cart of one of them, and then the purchase of the one item
    that belongs to the first view. Whoever predicts the next purchase can be right always; whoever predicts the next
    view is right once in `items` times.

    Returns:
        the log, with event types `view`, `cart` and `purchase` and session ids; and by item id the item that is bought.
    """
    rng = stream(seed, "funnel")
    belongs = rng.permutation(items)
    viewed = rng.integers(items, size=(users * sessions, views))
    cart = viewed[np.arange(len(viewed)), rng.integers(views, size=len(viewed))]
    item = np.column_stack([viewed, cart, belongs[viewed[:, 0]]])
    kinds = np.array([0] * views + [1, 2], np.int8)
    begins = np.sort(rng.uniform(0, 86_400.0 * 30, (users, sessions)), axis=1).ravel()
    time = begins[:, None] + 30.0 * np.arange(views + 2)
    order = np.argsort(time.ravel(), kind="stable")
    names = numbered("item", items)

    def of(column: Array) -> Array:
        return np.broadcast_to(column, item.shape).ravel()[order]

    log = EventLog(
        users=numbered("user", users),
        items=names,
        user=of(np.repeat(np.arange(users, dtype=np.int32), sessions)[:, None]),
        item=of(item.astype(np.int32)),
        time=of(time) + 1_600_000_000,
        session=of(np.arange(users * sessions, dtype=np.int32)[:, None]),
        type_names=("view", "cart", "purchase"),
        event_type=of(kinds[None]),
    )
    return log, {names[place]: names[int(belongs[place])] for place in range(items)}


def shuffled(log: EventLog, *, seed: int = 1) -> EventLog:
    """The same log with all its items in random places: no order is left to learn, popularity is as it was."""
    return replace(log, item=stream(seed, "shuffled").permutation(log.item))


def laid_in_time(item: Array, items: Ids, rng: np.random.Generator) -> EventLog:
    """Users whose events interleave in time, in the order of the columns of item (U, T)."""
    users, length = item.shape
    time = np.cumsum(rng.exponential(60.0, (users, length)), 1) + rng.uniform(0, 60.0 * length, (users, 1))
    order = np.argsort(time.ravel(), kind="stable")
    return EventLog(
        users=numbered("user", users),
        items=items,
        user=np.repeat(np.arange(users, dtype=np.int32), length)[order],
        item=item.ravel()[order].astype(np.int32),
        time=time.ravel()[order] + 1_600_000_000,
    )


def log_uniform(low: float, high: float, rng: np.random.Generator, size: int | None = None) -> Array:
    """Numbers whose logarithm is drawn evenly between those of `low` and `high`."""
    return np.asarray(np.exp(rng.uniform(np.log(low), np.log(high), size)))


def numbered(word: str, count: int) -> Ids:
    """`word 0`, `word 1`, ..."""
    return Ids.of(f"{word} {number}" for number in range(count))
