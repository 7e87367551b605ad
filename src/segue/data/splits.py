"""Which events are learned from, which choose, and which judge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.config import SplitSettings
from segue.data import spill
from segue.data.events import SPLITS, EventLog
from segue.data.last_events import last_two
from segue.errors import SplitError
from segue.shapes import Array, Bools, Floats

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


def split_log(log: EventLog, settings: SplitSettings, worth: Floats | None = None) -> Split:
    """Part a log as asked.

    Args:
        log: E events.
        settings: how.
        worth: (E,) see `worth_of`; 0 for an event that is not to be predicted, which leave-one-out does not hold out.

    Raises:
        SplitError: the log cannot be split so, or a part would be empty.
    """
    if not len(log):
        raise SplitError("there is nothing to split: the log has no events")
    kind = settings.kind
    if kind == "time":
        result = by_time(log, settings.valid, settings.test)
    elif kind == "leave-one-out":
        result = leave_one_out(log, worth)
    else:
        result = by_column(log)
    counts = result.counts()
    for name, events in counts.items():
        if events:
            continue
        found = f"the {kind} split leaves no {name} event out of {len(log)}: "
        if worth is None or kind != "leave-one-out" or name == "train":
            raise SplitError(f"{found}use a longer log, other shares (--set split.test=0.2), or another split")
        number = "two events that are" if counts["test"] else "an event that is"
        raise SplitError(
            f"{found}no user has {number} to be predicted after the first one, as the objective asks; "
            "set another objective, or --split time"
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


def leave_one_out(log: EventLog, worth: Floats | None = None) -> Split:
    """Each user's last event judges, and the one before chooses; a user's first event does neither.

    With `worth` (E,) these are the last two that are to be predicted. What comes after one of them belongs to its part:
    it is not asked for, nothing is asked after it, and no model has learned from it when the part is asked.
    """
    last, second = last_two(log, worth)

    def part(block: slice) -> Array:
        user, place = log.user[block], np.arange(block.start, block.stop)
        return np.where(place >= last[user], TEST, np.where(place >= second[user], VALID, TRAIN))

    notes = [
        "leave-one-out mixes times: the model has learned from events that happened after those it is asked for, "
        "so figures are higher than what a live system sees"
    ]
    if worth is not None:
        notes.append("leave-one-out holds out each user's last event that is to be predicted, and all that came after")
    return Split("leave-one-out", spill.filled(len(log), np.int8, part, log.user), None, tuple(notes))


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
