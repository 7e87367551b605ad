"""Arrays that may outgrow memory: small ones are in memory, large ones in a file that no one else sees.

A large array is a map of a file without a name in the folder of temporary files (`TMPDIR` chooses it): the system
writes it out when memory is short, and it is gone when the last view of it is.
"""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from segue.errors import LogError
from segue.shapes import Array

LARGE = 8 * 2**20
"""Bytes above which an array is put into a file."""

BLOCK = 1 << 21
"""Events at a time, where a whole log is gone through."""


def empty(shape: int | tuple[int, ...], dtype: Any) -> Array:
    """An array to be filled; its values are undefined if it is small and zero if it is large."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if size <= LARGE:
        return np.empty(shape, dtype)
    with room(), tempfile.TemporaryFile(prefix="segue-") as file:  # the map keeps what it needs of a closed file
        reserve(file.fileno(), size)
        return np.ndarray(shape, dtype, buffer=mmap.mmap(file.fileno(), size))


def reserve(file: int, size: int) -> None:
    """Give a file its size, and the room for it: a map that finds the disk full would kill the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.truncate(file, size)


@contextmanager
def room() -> Iterator[None]:
    """Make a full disk under the temporary files a LogError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise LogError(
            f"the temporary files of a large log do not fit into {tempfile.gettempdir()} ({error.strerror}); expected "
            "about 60 bytes an event: free some space, or name another folder with the variable TMPDIR"
        ) from None


def blocks(length: int, size: int | None = None) -> Iterator[slice]:
    """Slices of `size`, by default `BLOCK`, that cover `length` places in order."""
    size = BLOCK if size is None else size
    return (slice(left, min(left + size, length)) for left in range(0, length, size))


def filled(length: int, dtype: Any, values: Callable[[slice], Array], *read: Array) -> Array:
    """An array whose values are computed block by block; the arrays that are `read` for it are released as one goes."""
    out = empty(length, dtype)
    for block in blocks(length):
        out[block] = values(block)
        for array in (out, *read):
            release(array)
    return out


def counted(array: Array, length: int) -> Array:
    """(length,) how often each number occurs, as in `np.bincount`; negative numbers are left out."""
    counts = np.zeros(length, np.int64)
    for block in blocks(len(array)):
        part = array[block]
        counts += np.bincount(part[part >= 0], minlength=length)
        release(array)
    return counts


def cumulated(lengths: Array) -> Array:
    """(n + 1,) where lists of these lengths begin and end, one after another."""
    ends = empty(len(lengths) + 1, np.int64)
    ends[0] = 0
    for block in blocks(len(lengths)):
        ends[block.start + 1 : block.stop + 1] = np.cumsum(lengths[block], dtype=np.int64) + ends[block.start]
        release(ends)
    release(lengths)
    return ends


def run_of(marks: Array) -> slice | None:
    """The one slice that holds just the places that are marked, or None where they do not lie side by side."""
    total, first, last = 0, 0, -1
    for block in blocks(len(marks)):
        part = marks[block]
        found = int(np.count_nonzero(part))
        if found:
            first = block.start + int(part.argmax()) if not total else first
            last = block.stop - 1 - int(part[::-1].argmax())
            total += found
    return slice(first, last + 1) if total == last + 1 - first else None


def taken(array: Array, places: Array) -> Array:
    """`array[places]`, block by block; places are numbers or marks (E,) of what to keep."""
    if places.dtype == np.bool_:
        out = empty((int(np.count_nonzero(places)), *array.shape[1:]), array.dtype)
        left = 0
        for block in blocks(len(array)):
            part = array[block][places[block]]
            out[left : left + len(part)] = part
            left += len(part)
            release(array)
        return out
    out = empty((len(places), *array.shape[1:]), array.dtype)
    for block in blocks(len(places)):
        out[block] = array[places[block]]
    return out


def kept(array: Array, marks: Array) -> Array:
    """What is marked, for reading: a view where that lies side by side, else as `taken`."""
    run = run_of(marks)
    return taken(array, marks) if run is None else array[run]


def release(array: Array) -> None:
    """Let the system take back the memory of a mapped array; its values stay in the file."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    if isinstance(owner, mmap.mmap):
        owner.madvise(mmap.MADV_DONTNEED)
