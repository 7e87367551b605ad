"""What an axis of a chart reaches over, and where its ticks are."""

from __future__ import annotations

import math
from collections.abc import Sequence

TICKS = 5

Point = tuple[float, float]


def bounds(points: Sequence[Point], *, logarithmic: bool) -> tuple[Point, Point]:
    """What the two axes reach from and to, in powers of ten where x is logarithmic."""
    xs = [math.log10(a) if logarithmic else a for a, _ in points] or [0.0]
    ys = [b for _, b in points] or [0.0]
    return widened(min(xs), max(xs)), widened(min(ys), max(ys))


def widened(low: float, high: float) -> Point:
    """A little room on both sides; never nothing."""
    room = 0.05 * (high - low) or 0.5 * abs(high) or 0.5
    return low - room, high + room


def round_numbers(low: float, high: float) -> list[float]:
    """About `TICKS` multiples of 1, 2 or 5 times a power of ten.

    >>> round_numbers(0.8, 5.2)
    [1.0, 2.0, 3.0, 4.0, 5.0]
    """
    apart = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(apart))
    apart = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= apart)
    return [number * apart for number in range(math.ceil(low / apart), math.floor(high / apart) + 1)]


def powers(low: float, high: float) -> list[float]:
    """Round numbers between two powers of ten; `TICKS` evenly placed ones where these are near each other.

    >>> powers(-0.1, 1.4)
    [1.0, 2.0, 5.0, 10.0, 20.0]
    >>> powers(-2, 2)
    [0.01, 0.1, 1.0, 10.0, 100.0]
    """
    tens = [10.0**power for power in range(math.floor(low), math.ceil(high) + 1)]
    for factors in ((1,), (1, 2, 5)):
        found = [factor * ten for ten in tens for factor in factors if low <= math.log10(factor * ten) <= high]
        if len(found) >= TICKS - 1:
            return found
    return [10 ** (low + number / (TICKS - 1) * (high - low)) for number in range(TICKS)]
