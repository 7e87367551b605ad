"""Where a frontier bends, and what it gives at a loss that one can bear."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def knee(gains: Sequence[float], worths: Sequence[float]) -> int | None:
    """The place of the point that lies farthest above the straight line between the ends of a frontier.

    Both axes are made [0, 1] between the two ends, so the distance depends on no unit.

    Source: Satopaa et al., Finding a "Kneedle" in a Haystack (2011). Deviation: no smoothing; few points are known.
    Edge cases: fewer than three points, ends that do not differ in both, a number that is none, or no point above the
    line give None; of equal distances the first.

    Args:
        gains: what the knob buys, in the order of the knob.
        worths: what it costs, such as ndcg.

    >>> knee([0.0, 0.6, 0.8, 1.0], [0.5, 0.48, 0.3, 0.1])
    1
    """
    x, y = np.asarray(gains, float), np.asarray(worths, float)
    if len(x) < 3 or not (np.isfinite(x).all() and np.isfinite(y).all()) or x[0] == x[-1] or y[0] == y[-1]:
        return None
    across, down = (x - x[0]) / (x[-1] - x[0]), (y[0] - y) / (y[0] - y[-1])
    above = across - down if y[-1] < y[0] else down - across
    place = int(above.argmax())
    return place if above[place] > 1e-9 else None


def best_within(gains: Sequence[float], worths: Sequence[float], *, loss: float) -> int | None:
    """The place of the point with the largest gain among those that keep 1 - `loss` of the first one's worth.

    None where no such point gains anything over the first.

    >>> best_within([0.1, 0.2, 0.3], [1.0, 0.99, 0.9], loss=0.02)
    1
    """
    x, y = np.asarray(gains, float), np.asarray(worths, float)
    fitting = np.flatnonzero((y >= (1 - loss) * y[0]) & (x > x[0]))  # no comparison is true of nan
    return int(fitting[x[fitting].argmax()]) if len(fitting) else None
