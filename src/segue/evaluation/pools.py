"""The best of the catalog before each asked event: what a list is chosen from, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.sessions import Sequences
from segue.errors import EvaluationError
from segue.evaluation.replay import BYTES_A_PAIR, askable, excluded_after, only_users_with, parted, queries
from segue.models.base import Model, pick
from segue.ranking import mask, rank_of, rows_within, top_k
from segue.ranking.diversity import Kinds
from segue.shapes import Array, Doubles, Floats, Ints, Longs


class Pools(NamedTuple):
    """The pools of R predictions.

    Attributes:
        number: (R,) of each prediction, 0..P-1, in the order of `replay`.
        user: (R,) whose it is.
        target: (R,) items, -1 for one outside the catalog.
        rank: (R,) of the target in the whole catalog, ties against us; `NEVER` where it may not be answered.
        items: (R, C) best first, -1 past the end.
        scores: (R, C).
        had: (R,) how many events each user had.
        taste: (R, G) the categories of each user's past, or None.
    """

    number: Longs
    user: Array
    target: Ints
    rank: Ints
    items: Ints
    scores: Floats
    had: Longs
    taste: Doubles | None


class Asked(NamedTuple):
    """What is asked for: the sequences of users with an asked event, and the P places of the targets, ascending."""

    sequences: Sequences
    place: Longs

    @classmethod
    def of(cls, sequences: Sequences, asked: Array) -> Asked:
        """Raises EvaluationError if no event can be asked for."""
        marks = spill.filled(len(asked), bool, lambda block: asked[block] & askable(sequences, block), asked)
        if not marks.any():
            raise EvaluationError("nothing to evaluate: no asked event has an earlier one in its session")
        kept, marks = only_users_with(sequences, marks)
        return cls(kept, np.flatnonzero(marks))


def pools_of(
    model: Model,
    asked: Asked,
    *,
    exclude: str,
    size: int,
    kinds: Kinds | None = None,
    memory_mb: int = 256,
    rows: int = 64,
    window: int = 50,
) -> Iterator[Pools]:
    """Feed every event, and before each asked one give the best `size` items, as `replay` would rank them.

    Args:
        model: anything that fulfils the contract.
        asked: what is asked for.
        exclude: `none`, `current` or `seen`, as in `replay`.
        size: C.
        kinds: of the items, for the users' tastes.
        memory_mb: bound of the scores held at one time.
        rows, window: B and T of the replay.
    """
    sequences, places = asked
    begin = np.repeat(sequences.bounds[:-1], np.diff(sequences.bounds))
    after = np.zeros(len(sequences), bool)
    after[places - 1] = True
    block = rows_within(model.n_items, memory_mb * 2**20 // 3)
    for query, before in queries(model, sequences, after, rows, window):
        for part in parted(before + 1 - begin[before], block, memory_mb * 2**20 // BYTES_A_PAIR):
            last = before[part]
            target = sequences.item[last + 1].astype(np.int32)
            out = excluded_after(sequences, last, begin, exclude)
            scores = mask(np.array(model.score(pick(query, part)), np.float32), out)
            items, best = top_k(scores, min(size, model.n_items))
            taste = None
            if kinds is not None:
                past = excluded_after(sequences, last, begin, "seen")
                taste = kinds.tastes(past.rows, past.items, len(last))
            number, had = np.searchsorted(places, last + 1), last + 1 - begin[last]
            yield Pools(number, sequences.user[last], target, rank_of(scores, target), items, best, had, taste)
