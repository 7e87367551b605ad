"""What comes next for every user of a log, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from segue.data.sessions import Sequences
from segue.evaluation.replay import BYTES_A_PAIR, excluded_after, parted, queries
from segue.models.base import Model, pick
from segue.ranking import rows_within, top_k
from segue.ranking.top_k import Exclusions
from segue.shapes import Array, Bools, Floats, Ints, Longs

USERS_A_BLOCK = 20_000


class UserLists(NamedTuple):
    """Ranked lists of some users: user (R,), items (R, K) with -1 past the end, scores (R, K)."""

    user: Array
    items: Ints
    scores: Floats


class Best(NamedTuple):
    """What the lists of R users are chosen from.

    Attributes:
        user: (R,) who.
        items, scores: (R, C) best first, with -1 past the end.
        had: (R,) how many events each had.
        past: their items.
    """

    user: Array
    items: Ints
    scores: Floats
    had: Longs
    past: Exclusions


Choose = Callable[[Best], tuple[Ints, Floats]]
"""From the best to lists: items (R, K) with -1 past the end, and their scores."""

Fill = Callable[[Ints, Floats, Ints, Exclusions], tuple[Ints, Floats]]
"""From lists, some of which are short, the last item of each user (R,) and what may not be answered, to full ones."""


def lists_after_last(
    model: Model,
    sequences: Sequences,
    *,
    exclude: str,
    k: int,
    memory_mb: int = 256,
    rows: int = 64,
    window: int = 50,
    shut: Bools | None = None,
    choose: Choose | None = None,
    fill: Fill | None = None,
) -> Iterator[UserLists]:
    """The list of each user right after the user's last event, user by user in the order of the sequences.

    Args:
        model: anything that fulfils the contract.
        sequences: E events of U users.
        exclude: `none`, `current` or `seen`, as in `replay`.
        k: length K of the lists, or of what they are chosen from.
        memory_mb: bound of the scores held at one time.
        rows, window: B and T of the replay.
        shut: (N,) true for items that nobody may be answered; None: any may be.
        choose: makes the lists from the best; None: these are the lists.
        fill: is asked where some are short; None: they stay so.
    """
    for left in range(0, len(sequences.of), USERS_A_BLOCK):
        block = users_between(sequences, left, min(left + USERS_A_BLOCK, len(sequences.of)))
        last = np.zeros(len(block), bool)
        last[block.bounds[1:] - 1] = True
        begin = np.repeat(block.bounds[:-1], np.diff(block.bounds))
        limit = rows_within(model.n_items, memory_mb * 2**20 // 3)
        found = []
        for query, place in queries(model, block, last, rows, window):
            for piece in parted(place + 1 - begin[place], limit, memory_mb * 2**20 // BYTES_A_PAIR):
                part = place[piece]
                out = excluded_after(block, part, begin, exclude)
                scores = model.score(pick(query, piece))
                if shut is not None:
                    scores = np.where(shut, np.float32(-np.inf), scores)
                user, lists = block.user[part], top_k(scores, k, out)
                if choose is not None:
                    past = excluded_after(block, part, begin, "seen")
                    lists = choose(Best(user, *lists, part + 1 - begin[part], past))
                if fill is not None and (lists[0] < 0).any():
                    lists = fill(*lists, block.item[part], out)
                found.append(UserLists(user, *lists))
        joined = [np.concatenate(column) for column in zip(*found, strict=True)]
        order = np.argsort(joined[0], kind="stable")
        yield UserLists(*(column[order] for column in joined))


def users_between(sequences: Sequences, first: int, last: int) -> Sequences:
    """The sequences of the users from `first` up to `last`."""
    part = slice(int(sequences.bounds[first]), int(sequences.bounds[last]))
    bounds = sequences.bounds[first : last + 1] - part.start
    return sequences.part(part, bounds=bounds, of=sequences.of[first:last])
