"""Codes of four bits of all items, and which items they hold for the best.

A search of them takes no filter (faiss refuses one for `PQx4fs`): what may not be answered is found and dropped, and so
many more are looked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from segue.shapes import Array, Bools, Floats, Longs

NOTHING: Longs = np.zeros(0, np.int64)

ALL_SCORED = 32
"""Where less than this part of the catalog may be answered, all of it is scored: no search is faster."""

TRIES = 4
"""So many times codes are searched, each time further, where too much of what was found may not be answered."""

FURTHEST = 4
"""More than this part of the catalog is not looked for again: all of it is scored."""

MOST_FURTHER = 10
"""At most so many times as many are looked for in the next try."""

SLACK = 1.5
"""So many times more is looked for than is needed if what may not be answered lies anywhere."""

CROWDED = 0.3
"""Where the best may not be answered, codes are taken to be wrong by more: by this part for each time that e times as
many as were wanted are closed before the last one wanted. With the best 20 to 1,000 closed, 98 % are found so."""

RECALL_K = 20
"""Candidates are looked for as if at least so many were wanted."""

FURTHER = 0.6
"""See `reach`."""

FEW = 8
"""So many exclusions are looked for one by one, and change nothing else in a search but that as many more are found."""


TIES = 8
"""So many more are found than are looked for, as the last ones are left out: of items that are equally near, codes hold
any few, and which ones hangs on how far others were looked for beside them."""


def reach(wanted: Longs, factor: int) -> Longs:
    """(B,) how many of the nearest by their codes hold the best `wanted`, where all may be answered.

    `factor` times the best 20; from there it grows more slowly than what is wanted, as the items come closer together
    the further down one looks: with this the best 500 are found as surely as the best 20 (docs/decisions/0013).
    """
    return np.ceil(factor * RECALL_K * (np.maximum(wanted, RECALL_K) / RECALL_K) ** FURTHER).astype(np.int64)


def is_much(opened: int, n_items: int) -> bool:
    """Whether so many items are searched; of fewer all are scored."""
    return opened * ALL_SCORED > n_items


def candidates(
    codes: Any, queries: Floats, wanted: Longs, factor: int, gone: Sequence[Array], shut: Bools | None
) -> Longs:
    """(B, L) the items that the codes hold for the best of each row, ascending, after -1 in shorter rows.

    A row of nothing but -1 is one for which the codes are of no use: too few were found.

    Args:
        queries: (B, D).
        wanted: (B,) how many of the best there are to be.
        factor: of `reach`.
        gone: of each row what may not be answered.
        shut: (N,) true for what may not be answered in any row; None: nothing.
    """
    n_items, opened = codes.ntotal, codes.ntotal if shut is None else codes.ntotal - int(np.count_nonzero(shut))
    more = np.array([len(items) for items in gone], np.int64)
    looks = reach(wanted, factor) + more
    if 0 < opened < n_items:
        looks = np.ceil(looks * (SLACK * n_items / opened)).astype(np.int64)
    # to find one costs half of what it costs to score it
    todo = np.flatnonzero((looks < min(n_items, 2 * opened)) & is_much(opened, n_items))
    # one who had much is likely to have had the best
    further = looks + np.where(more > FEW, np.minimum(more, MOST_FURTHER * wanted) * factor, 0)
    looks = np.minimum(further, np.maximum(looks, n_items // FURTHEST))
    found: list[Longs] = [NOTHING] * len(queries)
    for _ in range(TRIES):
        if not len(todo):
            break
        asked = augmented(queries[todo], np.ones(len(todo), np.float32))
        ends = np.minimum(looks[todo] + TIES, n_items)
        nearness, held = codes.search(asked, int(ends.max()))
        # of those that are nearer than the last one all were found
        last = nearness[np.arange(len(todo)), ends - 1]
        nearer = np.where(ends < n_items, np.count_nonzero(nearness > last[:, None], axis=1), n_items).tolist()
        for place, row in enumerate(todo.tolist()):
            near, items = nearness[place, : nearer[place]], held[place, : nearer[place]]
            left = (items >= 0) if shut is None else (items >= 0) & ~shut[items]
            for item in gone[row] if more[row] <= FEW else ():
                left &= items != item
            if more[row] > FEW:
                left &= ~np.isin(items, gone[row])
            if shut is None and more[row] <= FEW:
                some, further_on = items[left], 0
                found[row] = some if len(some) >= wanted[row] else NOTHING
            else:
                found[row], further_on = enough_of(near, items, left, int(wanted[row]), factor, opened / n_items)
            looks[row] = max(further_on, 2 * int(looks[row]))
        todo = todo[[not len(found[row]) and looks[row] * FURTHEST < n_items for row in todo.tolist()]]
    whole = np.full((len(queries), max((len(items) for items in found), default=0)), -1, np.int64)
    for row, items in enumerate(found):
        whole[row, : len(items)] = items
    whole.sort(axis=1)  # so that those of equal scores are in this order in the list
    return whole


def enough_of(near: Floats, items: Longs, left: Bools, wanted: int, factor: int, share: float) -> tuple[Longs, int]:
    """Those that are scored of what codes have found for a row, and how many to look for if these were too few.

    Where all may be answered the best are found among as many as `reach` says: codes are wrong by no more than what
    lies between the last one wanted and the last one found. As far below the last one wanted of those that are `left`
    is looked, and further where the best may not be answered: the others lie closer together.

    Args:
        near: (L,) how near the codes take items to be, descending.
        items: (L,) found, whether they may be answered or not.
        left: (L,) which of them may be.
        share: of the catalog that may be.
    """
    places = np.flatnonzero(left)
    looked = int(reach(np.array([wanted]), factor)[0])
    if len(places) < wanted:
        return NOTHING, MOST_FURTHER * len(items)
    # the last of those that are as near: in which order these come is not to matter
    last = int(np.searchsorted(-near, -near[places[wanted - 1]], side="right")) - 1
    margin = 1 + CROWDED * max(0.0, math.log((last + 1) * share / wanted))
    least = near[last] - margin * (near[wanted - 1] - near[min(looked, len(near)) - 1])
    if near[-1] > least:
        return NOTHING, max(int(last + 1) * factor, 4 * len(items))
    return items[places[near[places] >= least]], 0


def padded(width: int) -> int:
    """The width of a vector with its bias, made even."""
    return width + 1 + (width + 1) % 2


def augmented(vectors: Floats, last: Floats) -> Floats:
    """Vectors with one more number each, and zeros up to an even width: the bias becomes part of the inner product."""
    whole = np.zeros((len(vectors), padded(vectors.shape[1])), np.float32)
    whole[:, : vectors.shape[1]] = vectors
    whole[:, vectors.shape[1]] = last
    return whole
