"""The candidates of one list, and what is known of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.errors import EvaluationError
from segue.shapes import Array, Bools, Floats


class Pool(NamedTuple):
    """C candidates for one list, best first: after everything that may not be answered is out.

    Attributes:
        items: (C,) items.
        scores: (C,) float32, descending.
        vectors: (C, D) unit rows whose cosine says how alike two items are; a row of zeros: nothing is known of it.
        kinds: (C, G) which categories an item is in.
        shares: (C,) the share of all training events that each item has.
        taste: (G,) the share of the user's past in each category; all zero: nothing is known of the user.
        new: (C,) which items are new.
    """

    items: Array
    scores: Floats
    vectors: Floats | None = None
    kinds: Bools | None = None
    shares: Array | None = None
    taste: Array | None = None
    new: Bools | None = None


def relevance(scores: Array) -> Floats:
    """(C,) scores as relevance in [0, 1], so that one knob means the same for every model.

        r_i = (s_i - min s) / (max s - min s),    over the pool

    Source: Lee, Analyses of Multiple Evidence Combination (1997): scores of different systems are made comparable by
    their least and their largest. Deviation: these are of the pool, not of the catalog, so in a larger pool the best
    items differ less.
    Edge cases: equal scores are all 1; an empty pool stays empty.

    >>> relevance(np.array([3.0, 2.0, -1.0], np.float32)).tolist()
    [1.0, 0.75, 0.0]
    """
    if not len(scores):
        return np.zeros(0, np.float32)
    high, low = float(scores[0]), float(scores[-1])
    if high <= low:
        return np.ones(len(scores), np.float32)
    # In float64: a difference of large float32 numbers would lose what parts them, or overflow.
    return ((scores.astype(np.float64) - low) / (high - low)).astype(np.float32)


def check_scores(scores: Array) -> None:
    """Raise EvaluationError where scores are not finite numbers in descending order."""
    # A NaN compares as false with both neighbours.
    ordered = not len(scores) or (np.isfinite(scores[0]) and np.isfinite(scores[-1]))
    if not (ordered and (scores[1:] <= scores[:-1]).all()):
        raise EvaluationError(
            f"the scores of a pool are {np.array2string(np.asarray(scores), threshold=6)}; expected finite numbers, "
            "the best first: sort them, and leave out what may not be answered"
        )
