"""Columns brought into the order of a key, in long runs and little memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from segue.data import spill
from segue.shapes import Array, Longs


def grouped(counts: Longs, key: Array, *columns: Array) -> tuple[Longs, list[Array]]:
    """Sort columns by a key; what shares a key stays in the order it had.

    First the events are dealt to bands of neighbouring keys, then each band is sorted: whatever their number, arrays
    are written in long runs, and no more than two blocks are in memory.

    Args:
        counts: (K,) how often each key occurs.
        key: (E,) numbers from 0 to K - 1.
        columns: each (E,).

    Returns:
        The place that each event had (E,); key and columns in the new order.
    """
    band_of, bounds = bands(counts, max(1, spill.BLOCK // 2))
    sources = (key, *columns)
    order = spill.empty(len(key), np.int64)
    out = [spill.empty(len(key), source.dtype) for source in sources]
    to = bounds[:-1].copy()
    for block in spill.blocks(len(key)):
        band = band_of[key[block]]
        by = np.argsort(band, kind="stable")
        sizes = np.bincount(band, minlength=len(to))
        _write(order, by + block.start, to, sizes)
        for target, source in zip(out, sources, strict=True):
            _write(target, source[block][by], to, sizes)
            spill.release(source)
        to += sizes
    several = np.bincount(band_of, counts > 0) > 1  # one key alone, which may have more than a block, is in order
    for number in np.flatnonzero(several).tolist():
        span = slice(int(bounds[number]), int(bounds[number + 1]))
        by = stable_order(out[0][span])
        for target in (order, *out):
            target[span] = target[span][by]
            spill.release(target)
    return order, out


def bands(counts: Longs, size: int) -> tuple[Array, Longs]:
    """Neighbouring keys with about `size` events in all, at most twice that; a key with more is a band of its own.

    Returns:
        (K,) the band of each key; where the bands begin and end in the order of keys.
    """
    ends = np.cumsum(counts)
    begins = ends - counts
    large = counts > size
    opens = np.zeros(len(counts), bool)
    opens[1:] = (begins[1:] // size != begins[:-1] // size) | large[1:] | large[:-1]
    bounds = np.concatenate([begins[np.flatnonzero(opens)], ends[-1:]])
    return _narrow(np.cumsum(opens)), np.concatenate([[0], bounds]).astype(np.int64)


def whole_rows(bounds: Longs, size: int) -> Iterator[tuple[int, int]]:
    """Cut rows, which begin and end at `bounds`, into spans from one row to another of at most `size` or one row."""
    left = 0
    while left < len(bounds) - 1:
        right = int(np.searchsorted(bounds, bounds[left] + size, side="right")) - 1
        yield left, max(left + 1, right)
        left = max(left + 1, right)


def distinct(counts: Longs, key: Array, value: Array, n_values: int) -> tuple[Array, Array, Longs]:
    """The distinct pairs of a key and a value (0 to `n_values` - 1), in order, and how often each occurs.

    Args:
        counts, key: as in `grouped`.
        value: (E,).
        n_values: how many values there may be.
    """
    _, (key, value) = grouped(counts, key, value)
    out = [spill.empty(len(key), dtype) for dtype in (key.dtype, value.dtype, np.int64)]
    bounds = np.concatenate([[0], np.cumsum(counts)])
    total = 0
    for left, right in whole_rows(bounds, spill.BLOCK):
        some = slice(int(bounds[left]), int(bounds[right]))
        if right == left + 1:
            times = spill.counted(value[some], n_values)
            keys, values = np.full(n_values, left)[times > 0], np.flatnonzero(times)
            times = times[values]
        else:
            joined = np.sort(key[some].astype(np.int64) * n_values + value[some])
            first = np.flatnonzero(np.diff(joined, prepend=-1))
            keys, values = np.divmod(joined[first], n_values)
            times = np.diff(first, append=len(joined))
        for column, found in zip(out, (keys, values, times), strict=True):
            column[total : total + len(found)] = found
            spill.release(column)
        total += len(times)
    return out[0][:total], out[1][:total], out[2][:total]


def _narrow(band: Array) -> Array:
    # numpy sorts numbers of 16 bits by radix
    return band.astype(np.uint16 if band.max(initial=0) < 2**16 else np.int64)


def _write(target: Array, values: Array, to: Longs, sizes: Longs) -> None:
    """Put `sizes[b]` values each, end to end, to the places from `to[b]` on."""
    ends = np.cumsum(sizes)
    for place, size, end in zip(to.tolist(), sizes.tolist(), ends.tolist(), strict=True):
        if size:
            target[place : place + size] = values[end - size : end]
    spill.release(target)


def stable_order(key: Array) -> Longs:
    """A stable argsort, several times as fast: each key carries its place in its lower bits."""
    bits = max(1, int(len(key) - 1).bit_length())
    low = int(key.min())
    joined = (key.astype(np.int64) - low) << bits | np.arange(len(key))
    joined.sort()
    return np.asarray(joined & ((1 << bits) - 1))
