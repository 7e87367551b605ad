"""A further column of a log: numbers as long as every value is one, else kinds."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import polars as pl

from segue.data import spill
from segue.data.reading.coding import Coder
from segue.data.reading.spool import Spool


class Feature:
    """Takes a column batch by batch.

    Measures have as many values as events: they are numbered, as kinds are, only once one of them is no number. For
    that the texts wait in a file.
    """

    def __init__(self) -> None:
        self.values = Spool(np.float32)
        self.coder: Coder | None = None
        self.texts = Texts()
        self.filled = False

    def add(self, texts: pl.Series) -> None:
        """Take a batch of strings, none of them null; an empty one is no value."""
        if self.coder is None:
            filled = texts.filter(texts != "")
            if filled.cast(pl.Float64, strict=False).null_count() == 0:
                self.filled |= len(filled) > 0
                self.texts.append(texts)
                self.values.append(texts.cast(pl.Float32, strict=False).to_numpy())
                return
            self.coder = self._number()
        self.values.append(self.coder.encode(texts))

    def finish(self) -> tuple[Spool, Coder | None]:
        """Float32 values (E,) and None, or int32 codes (E,) and what they stand for."""
        if self.coder is None and not self.filled:
            self.coder = self._number()
        return self.values, self.coder

    def _number(self) -> Coder:
        coder, self.values = Coder(), Spool(np.int32)
        for texts in self.texts.batches():
            self.values.append(coder.encode(texts))
        self.texts = Texts()
        return coder


class Texts:
    """Batches of strings, in memory while there are few and in a file after that."""

    def __init__(self) -> None:
        self.file = tempfile.SpooledTemporaryFile(max_size=spill.LARGE, prefix="segue-")  # noqa: SIM115
        self.ends = [0]

    def __del__(self) -> None:
        with suppress(OSError):  # what a full disk did not take
            self.file.close()

    def append(self, texts: pl.Series) -> None:
        """Add a batch."""
        packed = io.BytesIO()
        texts.alias("text").to_frame().write_ipc(packed, compression="lz4")
        self.ends.append(self.ends[-1] + self.file.write(packed.getbuffer()))

    def batches(self) -> Iterator[pl.Series]:
        """All batches in order."""
        self.file.seek(0)
        for start, end in zip(self.ends, self.ends[1:], strict=False):
            yield pl.read_ipc(io.BytesIO(self.file.read(end - start)))["text"]
