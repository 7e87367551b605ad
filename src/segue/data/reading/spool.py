"""A column that grows batch by batch, in memory while it is small and in a file after that."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from segue.data import spill
from segue.shapes import Array


class Spool:
    """Values (E,) of one type.

    They are written and read, not mapped, so that a column takes no memory once it is in its file. The file has no
    name and is gone with the spool.

    Args:
        dtype: the type of the values.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        self.length = 0
        self.file = tempfile.SpooledTemporaryFile(max_size=spill.LARGE, prefix="segue-")  # noqa: SIM115

    def __del__(self) -> None:
        with suppress(OSError):  # what a full disk did not take
            self.file.close()

    def __len__(self) -> int:
        return self.length

    def append(self, values: Array) -> None:
        """Add values (B,) at the end."""
        self.put(self.length, values)

    def put(self, place: int, values: Array) -> None:
        """Write values (B,) from a place on; what was never written in between is undefined."""
        self.file.seek(place * self.dtype.itemsize)
        self.file.write(np.ascontiguousarray(values, self.dtype).data)
        self.length = max(self.length, place + len(values))

    def read(self, places: slice) -> Array:
        """A copy of the values at `places`, which have a start and a stop."""
        out = np.empty(places.stop - places.start, self.dtype)
        self.file.seek(places.start * self.dtype.itemsize)
        found = self.file.readinto(out.view(np.uint8).data)
        assert found == out.nbytes
        return out

    def blocks(self) -> Iterator[Array]:
        """Copies of all values in order, block by block."""
        return (self.read(block) for block in spill.blocks(len(self)))

    def array(self) -> Array:
        """All values as one array, a map of the file if there is one; nothing may be added afterwards."""
        size = self.length * self.dtype.itemsize
        if size <= spill.LARGE:
            return self.read(slice(0, self.length))
        self.file.flush()
        return np.ndarray(self.length, self.dtype, buffer=mmap.mmap(self.file.fileno(), size))
