"""Which events are learned from, which choose, and which judge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.config import SplitSettings
from segue.data import spill
from segue.data.events import SPLITS, EventLog
from segue.errors import SplitError
from segue.shapes import Array, Bools

TRAIN, VALID, TEST = 0, 1, 2


class Split(NamedTuple):
    """The part of every event.

    Attributes:
        kind: `time`, `leave-one-out` or `column`.
        role: (E,) `TRAIN`, `VALID` or `TEST`, in the order of the log.
        cutoff: for `time`: Unix seconds from which on events are test; None where parts overlap in time.
        notes: what a reader of the report must know, one sentence each.
    """

    kind: str
    role: Array
    cutoff: float | None
    notes: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Events a part."""
        found = spill.counted(self.role, TEST + 1)
        return {name: int(found[part]) for part, name in enumerate(SPLITS)}

    def first(self, part: int) -> int | None:
        """The place of the first event of a part, None if it has none."""
        return first_of(self.role, part)

    def below(self, part: int) -> Bools:
        """(E,) True for the events of the parts before one."""
        return spill.filled(len(self.role), bool, lambda block: self.role[block] < part, self.role)


def split_log(log: EventLog, settings: SplitSettings) -> Split:
    """Part a log as asked.

    Raises:
        SplitError: the log cannot be split so, or a part would be empty.
    """
    if not len(log):
        raise SplitError("there is nothing to split: the log has no events")
    kind = settings.kind
    if kind == "time":
        result = by_time(log, settings.valid, settings.test)
    elif kind == "leave-one-out":
        result = leave_one_out(log)
    else:
        result = by_column(log)
    for name, events in result.counts().items():
        if not events:
            raise SplitError(
                f"the {kind} split leaves no {name} event out of {len(log)}: "
                "use a longer log, other shares (--set split.test=0.2), or another split"
            )
    return result


def by_time(log: EventLog, valid: float, test: float) -> Split:
    """One global cutoff for everyone: the last `test` of the events judge, the `valid` before them choose."""
    if not log.timed:
        raise SplitError(
            "the time split needs times that can be compared across users, and this log has only an order: "
            "use --split leave-one-out"
        )
    if valid + test >= 1:
        raise SplitError(f"split.valid {valid} and split.test {test} leave nothing to train on")
    # A hair is taken off, so that 10 x (1 - 0.2) is not 8.000000000000002.
    first = [min(len(log) - 1, int(np.ceil(len(log) * share - 1e-9))) for share in (1 - test, 1 - test - valid)]
    valid_from, cutoff = (int(np.searchsorted(log.time, log.time[place])) for place in reversed(first))
    role = spill.empty(len(log), np.int8)
    for part, events in enumerate((slice(0, valid_from), slice(valid_from, cutoff), slice(cutoff, None))):
        role[events] = part
    return Split("time", role, float(log.time[cutoff]), ())


def leave_one_out(log: EventLog) -> Split:
    """Each user's last event judges, the one before chooses (for users with three events or more)."""
    count = spill.counted(log.user, len(log.users))
    last, second = (np.zeros(len(count), np.int64) for _ in range(2))
    for block in spill.blocks(len(log)):
        last[log.user[block]] = np.arange(block.start, block.stop)  # of equal users the last one stays
    for block in spill.blocks(len(log)):
        user, place = log.user[block], np.arange(block.start, block.stop)
        earlier = place != last[user]
        second[user[earlier]] = place[earlier]
    spill.release(log.user)
    role = spill.empty(len(log), np.int8)
    role[:] = TRAIN
    role[last[count >= 2]] = TEST
    role[second[count >= 3]] = VALID
    note = (
        "leave-one-out mixes times: the model has learned from events that happened after those it is asked for, "
        "so figures are higher than what a live system sees"
    )
    return Split("leave-one-out", role, None, (note,))


def by_column(log: EventLog) -> Split:
    """The publisher's own parts; without a `valid` part the last tenth of the training sequences chooses."""
    if log.split is None:
        raise SplitError("--split column needs a column `split` with train, valid, test (--split-col names another)")
    published = log.split
    role = spill.filled(len(log), np.int8, lambda block: published[block].astype(np.int8), published)
    sequence = log.user if log.session is None else log.session
    name = "user" if log.session is None else "session"
    number = max((int(sequence[block].max()) for block in spill.blocks(len(log))), default=-1) + 1
    low, high = np.full(number, TEST + 1, np.int8), np.full(number, -1, np.int8)
    for block in spill.blocks(len(log)):
        np.minimum.at(low, sequence[block], role[block])
        np.maximum.at(high, sequence[block], role[block])
    shared = int(np.count_nonzero(low < high))
    if shared:
        raise SplitError(
            f"{shared} {name}s have events in more than one part of the `split` column: "
            f"a {name} must lie in one part, or what is tested was learned; use --split time instead"
        )
    notes = []
    if first_of(role, VALID) is None:
        latest = latest_tenth(log, sequence, role, number)
        for block in spill.blocks(len(log)):
            role[block][(role[block] == TRAIN) & latest[sequence[block]]] = VALID
        count = np.count_nonzero(latest)
        notes.append(f"the log has no valid part: the last {count} training {name}s choose")
    test_from = first_of(role, TEST)
    if log.timed and test_from is not None:
        after = int(np.searchsorted(log.time, log.time[test_from], side="right"))
        train, valid, _ = spill.counted(role[after:], TEST + 1).tolist()
        if train or valid:
            notes.append(
                f"the published parts overlap in time: {train} training and {valid} validation events fall after the "
                "first test event"
            )
    return Split("column", role, None, tuple(notes))


def latest_tenth(log: EventLog, sequence: Array, role: Array, number: int) -> Bools:
    """Which of the sequences 0 to `number` - 1 are the last tenth of those in training, by their last event."""
    last = spill.empty(number, np.float64)
    last[:] = -np.inf
    for block in spill.blocks(len(log)):
        training = np.flatnonzero(role[block] == TRAIN) + block.start
        np.maximum.at(last, sequence[training], log.time[training] if log.timed else training)
    known = int(np.count_nonzero(last > -np.inf))
    wanted = min(known, max(1, known // 10))
    if not wanted:
        return np.zeros(number, bool)
    ordered = spill.taken(last, np.ones(number, bool))
    ordered.partition(number - wanted)
    least = ordered[number - wanted]
    chosen = last > least
    ties = np.flatnonzero(last == least)
    chosen[ties[len(ties) - (wanted - int(np.count_nonzero(chosen))) :]] = True
    return np.asarray(chosen)


def first_of(role: Array, part: int) -> int | None:
    """The place of the first event of a part, None if it has none."""
    for block in spill.blocks(len(role)):
        found = role[block] == part
        if found.any():
            return int(block.start + found.argmax())
    return None
