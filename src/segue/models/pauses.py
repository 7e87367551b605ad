"""Pauses as a network reads them: by their size."""

from __future__ import annotations

import numpy as np

from segue.shapes import Array, Doubles

PAUSES = 40
"""How many sizes of pause the time input tells apart: powers of two of seconds, from none to 17,000 years."""


def pause_sizes(pause: Doubles) -> Array:
    """0 for no pause known, else 1 + the power of two of the seconds, int64."""
    seconds = np.nan_to_num(np.maximum(pause, 0), nan=-0.5)
    sizes: Array = np.minimum(np.ceil(np.log2(seconds + 1)) + 1, PAUSES - 1).astype(np.int64).clip(0)
    return sizes
