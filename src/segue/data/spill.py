"""Arrays that may outgrow memory: small ones are in memory, large ones in a file that no one else sees.

A large array is a map of a file without a name in the folder of temporary files (`TMPDIR` chooses it): the system
writes it out when memory is short, and it is gone when the last view of it is.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from segue.shapes import Array

LARGE = 64 * 2**20
"""Bytes above which an array is put into a file."""

BLOCK = 1 << 21
"""Events at a time, where a whole log is gone through."""


def empty(shape: int | tuple[int, ...], dtype: Any) -> Array:
    """An array to be filled; its values are undefined if it is small and zero if it is large."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if size <= LARGE:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(prefix="segue-") as file:  # the map keeps what it needs of a closed file
        file.truncate(size)
        return np.ndarray(shape, dtype, buffer=mmap.mmap(file.fileno(), size))


def blocks(length: int, size: int = BLOCK) -> Iterator[slice]:
    """Slices that cover `length` places in order."""
    return (slice(left, min(left + size, length)) for left in range(0, length, size))


def taken(array: Array, places: Array) -> Array:
    """`array[places]`, block by block; places are numbers or marks (E,) of what to keep."""
    if places.dtype == np.bool_:
        out = empty(int(np.count_nonzero(places)), array.dtype)
        left = 0
        for block in blocks(len(array)):
            part = array[block][places[block]]
            out[left : left + len(part)] = part
            left += len(part)
            release(array)
        return out
    out = empty(len(places), array.dtype)
    for block in blocks(len(places)):
        out[block] = array[places[block]]
    return out


def release(array: Array) -> None:
    """Let the system take back the memory of a mapped array; its values stay in the file."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    if isinstance(owner, mmap.mmap):
        owner.madvise(mmap.MADV_DONTNEED)
