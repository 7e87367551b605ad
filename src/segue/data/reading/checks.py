"""Rows that cannot be used: how many, for which reason, and the first of each."""

from __future__ import annotations

import numpy as np
import polars as pl

from segue.data.events import Rejection
from segue.data.reading.tables import Batch
from segue.shapes import Bools

LONGEST_ID = 1024


class Checks:
    """Which rows of a batch may stay, and over all batches how many went for which reason."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.examples: dict[str, str] = {}

    def reject(self, keep: Bools, bad: Bools, reason: str, batch: Batch, column: str, expected: str) -> None:
        """Take the `bad` (B,) rows out of `keep` (B,), in place; of several reasons the first counts."""
        found = keep & bad
        count = int(found.sum())
        if not count:
            return
        keep &= ~found
        if reason not in self.rows:
            self.examples[reason] = f"{batch.cell(int(np.argmax(found)), column)}, expected {expected}"
        self.rows[reason] = self.rows.get(reason, 0) + count

    def check_ids(self, keep: Bools, ids: pl.Series, role: str, batch: Batch, column: str) -> None:
        """Reject ids that are empty or too long."""
        length = ids.str.len_bytes().fill_null(0).to_numpy()
        self.reject(keep, length == 0, f"{role} is empty", batch, column, "an id")
        bound = f"at most {LONGEST_ID:,} bytes"
        self.reject(keep, length > LONGEST_ID, f"{role} is longer than {LONGEST_ID:,} bytes", batch, column, bound)

    def rejections(self) -> tuple[Rejection, ...]:
        """What was rejected, most frequent reason first."""
        found = sorted(self.rows.items(), key=lambda pair: -pair[1])
        return tuple(Rejection(reason, rows, self.examples[reason]) for reason, rows in found)
