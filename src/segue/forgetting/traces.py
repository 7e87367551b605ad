"""What logs say of some users: how much a model may have learned from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from segue.artifact import Facts
from segue.data import spill
from segue.data.events import EventLog
from segue.data.forgetting.packed import others_in
from segue.data.log import read_log
from segue.errors import LogError
from segue.shapes import Doubles
from segue.training.fingerprint import fingerprint


class Traces(NamedTuple):
    """What the users have in logs.

    Attributes:
        times: Unix seconds of their events, where the logs have times.
        events: how many there are; of those without times, too.
        alone: items that have events of nobody else, in no particular order.
        prints: by cutoff, the fingerprint of all events before it, where there is one log.
        notes: why a log says nothing, one sentence each.
    """

    times: Doubles
    events: int
    alone: set[str]
    prints: dict[float, str]
    notes: list[str]

    def learned(self, facts: Facts) -> int | None:
        """How many of the events a model has learned from, if they were in its log; None where that is not known."""
        if facts.cutoff is None or len(self.times) != self.events:
            return None if self.events else 0
        return int((self.times < facts.cutoff).sum())

    def same_log(self, facts: Facts) -> bool | None:
        """Whether the log is the one that a model learned from; None where that was not to be seen."""
        found = None if facts.cutoff is None else self.prints.get(facts.cutoff)
        return None if found is None else found == facts.trained_on


def traces_of(
    logs: Sequence[str | Path], columns: Mapping[str, Any], users: frozenset[str], cutoffs: Sequence[float]
) -> Traces:
    """Look through logs, each of which is read by itself. One without a usable row says nothing, and is noted."""
    times, events, theirs, others = [np.zeros(0)], 0, set[str](), set[str]()
    prints: dict[float, str] = {}
    notes = []
    for name in logs:
        try:
            log = read_log(str(name), **columns)
        except LogError as error:
            notes.append(f"{name} was not looked through for what was learned from it: {error}")
            continue
        mine = ~others_in(log, users)
        events += int(mine.sum())
        if log.timed:
            times.append(spill.taken(log.time, mine))
        theirs |= items_in(log.where(mine))
        others |= items_in(log.where(~mine))
        if len(logs) == 1 and log.timed:
            prints = {cutoff: fingerprint(log.where(log.time < cutoff)) for cutoff in set(cutoffs)}
    return Traces(np.concatenate(times), events, theirs - others, prints, notes)


def items_in(log: EventLog) -> set[str]:
    """The ids of the items that have an event."""
    return set(log.items.take(np.flatnonzero(spill.counted(log.item, len(log.items)))))
