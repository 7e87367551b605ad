"""The candidates of one list, and what is known of them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from segue.errors import EvaluationError
from segue.shapes import Array, Bools, Doubles, Floats


class Pool(NamedTuple):
    """C candidates for one list, best first: after everything that may not be answered is out.

    Attributes:
        items: (C,) items.
        scores: (C,) descending; in double precision where a large boost is in them.
        vectors: (C, D) unit rows whose cosine says how alike two items are; a row of zeros: nothing is known of it.
        kinds: (C, G) which categories an item is in.
        shares: (C,) the share of all training events that each item has.
        taste: (G,) the share of the user's past in each category; all zero: nothing is known of the user.
        new: (C,) which items are new.
    """

    items: Array
    scores: Floats | Doubles
    vectors: Floats | None = None
    kinds: Bools | None = None
    shares: Array | None = None
    taste: Array | None = None
    new: Bools | None = None


def relevance(scores: Array) -> Floats:
    """(C,) the relevance of candidates in (0, 1], by their places, so that one knob means the same for every model.

        r_i = 1 / log2(1 + rank_i),    rank_i = 1 + the candidates that score higher

    Source: the discount of Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation (2002): places count as they do in
    ndcg. Scores themselves do not compare between models; made [0, 1] over the pool, `mmr` and `rotation` lost more
    ndcg for the same gain on both logs of docs/diversity.md.
    Edge cases: equal scores are equally relevant; an empty pool stays empty.

    >>> [f"{one:.2f}" for one in relevance(np.array([3.0, 2.0, 2.0, -9.0], np.float32))]
    ['1.00', '0.63', '0.63', '0.43']
    """
    first = np.zeros(len(scores), np.intp)  # the place of the first with that score
    differs = np.flatnonzero(scores[1:] != scores[:-1]) + 1
    first[differs] = differs
    np.maximum.accumulate(first, out=first)
    found: Floats = discounts(len(scores))[first]
    return found


@lru_cache(maxsize=64)
def discounts(length: int) -> Floats:
    """(length,) of the places in order; never to be written to."""
    return np.asarray(1 / np.log2(2.0 + np.arange(length)), np.float32)


def check_scores(scores: Array) -> None:
    """Raise EvaluationError where scores are not finite numbers in descending order."""
    # A NaN compares as false with both neighbours.
    ordered = not len(scores) or (np.isfinite(scores[0]) and np.isfinite(scores[-1]))
    if not (ordered and (scores[1:] <= scores[:-1]).all()):
        raise EvaluationError(
            f"the scores of a pool are {np.array2string(np.asarray(scores), threshold=6)}; expected finite numbers, "
            "the best first: sort them, and leave out what may not be answered"
        )


def unit(table: Array) -> Floats:
    """Rows of length 1, in an array of their own; a row of zeros stays as it is."""
    vectors = np.array(table, np.float32)
    vectors /= lengths_of(vectors)[:, None]
    return vectors


def lengths_of(vectors: Floats) -> Floats:
    """(N,) the lengths of rows (N, D), 1 for a row of zeros."""
    lengths: Floats = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    lengths[lengths == 0] = 1
    return lengths
