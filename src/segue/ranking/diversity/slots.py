"""Some places of a list given to items from beyond it."""

from __future__ import annotations

import numpy as np

from segue.shapes import Array


def slots_of(diversity: float, k: int, rng: np.random.Generator) -> int:
    """How many of k places: d k on average, by chance rounded up or down, so that a small knob means something.

    slots = floor(d k + U),    U uniform in [0, 1)
    """
    return min(int(diversity * k + rng.random()), k)


def with_slots(k: int, drawn: Array, gives_way: Array) -> Array:
    """(k,) places: the first k of the pool, of which the last that give way are replaced by what was drawn.

    What was drawn stands evenly spread over the list, from its end on; the rest stays in the order of the pool.

    Args:
        k: length of the list.
        drawn: (M,) places of the pool from k on.
        gives_way: (L,) places below k that may be replaced, ascending; L at least M.

    >>> with_slots(4, np.array([9, 7]), np.arange(4)).tolist()
    [0, 9, 1, 7]
    """
    m = len(drawn)
    if not m:
        return np.arange(k)
    kept = np.setdiff1d(np.arange(k), gives_way[len(gives_way) - m :])
    taken = np.zeros(k, bool)
    taken[(np.arange(1, m + 1) * k) // m - 1] = True
    places = np.empty(k, np.intp)
    places[taken], places[~taken] = drawn, kept
    return places
