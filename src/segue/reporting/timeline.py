"""How a log is parted along time: what the picture of it shows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.events import SPLITS, EventLog
from segue.data.splits import Split
from segue.reporting.words import lasting
from segue.shapes import Longs

MOST = 260
WIDTHS = (60.0, 600.0, 3600.0, 21_600.0, 86_400.0, 604_800.0, 30 * 86_400.0, 365 * 86_400.0)
"""So many bars at most, and how many seconds one may stand for."""


class Stretches(NamedTuple):
    """A log along time.

    Attributes:
        counts: (S, 3) events of each part in each stretch of time; none without times.
        width: seconds of a stretch.
        first, last: Unix seconds of the first event and the last.
        spans: for each part, the first and the last event of it; None where there is none.
    """

    counts: Longs
    width: float
    first: float | None
    last: float | None
    spans: dict[str, tuple[float, float] | None]

    @property
    def unit(self) -> str:
        """What a bar counts."""
        names = {60.0: "a minute", 600.0: "in ten minutes", 3600.0: "an hour", 86_400.0: "a day", 604_800.0: "a week"}
        return f"events {names.get(self.width) or f'in {lasting(self.width)}'}"

    def share(self, seconds: float) -> float:
        """How far across a time lies, from 0 to 1."""
        return 0.0 if self.first is None else (seconds - self.first) / (self.width * len(self.counts))


def stretches_of(log: EventLog, split: Split) -> Stretches:
    """Count the events of each part along time."""
    if not log.timed or not len(log):
        return Stretches(np.zeros((0, len(SPLITS)), np.int64), 0.0, None, None, {})
    first, last = float(log.time[0]), float(log.time[-1])
    width = next((width for width in WIDTHS if (last - first) / width < MOST), (last - first) / (MOST - 1))
    counts = np.zeros((int((last - first) // width) + 1, len(SPLITS)), np.int64)
    ends: dict[str, tuple[float, float] | None] = dict.fromkeys(SPLITS)
    for block in spill.blocks(len(log)):
        time, role = log.time[block], split.role[block]
        for part, name in enumerate(SPLITS):
            mine = time[role == part]
            if not len(mine):
                continue
            counts[:, part] += np.bincount(((mine - first) // width).astype(np.int64), minlength=len(counts))
            known = ends[name]
            ends[name] = (float(mine[0]) if known is None else known[0], float(mine[-1]))
        spill.release(log.time)
    return Stretches(counts, width, first, last, ends)
