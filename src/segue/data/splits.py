"""Which events are learned from, which choose, and which judge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.config import SplitSettings
from segue.data.events import EventLog
from segue.errors import SplitError
from segue.shapes import Array

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
        return {name: int((self.role == part).sum()) for part, name in enumerate(("train", "valid", "test"))}


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
    for part, name in ((TRAIN, "train"), (VALID, "valid"), (TEST, "test")):
        if not (result.role == part).any():
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
    cutoff, valid_from = log.time[first[0]], log.time[first[1]]
    role = np.full(len(log), TRAIN, np.int8)
    role[log.time >= valid_from] = VALID
    role[log.time >= cutoff] = TEST
    return Split("time", role, float(cutoff), ())


def leave_one_out(log: EventLog) -> Split:
    """Each user's last event judges, the one before chooses (for users with three events or more)."""
    order = np.argsort(log.user, kind="stable")
    user = log.user[order]
    count = np.bincount(user, minlength=len(log.users))
    ends = np.cumsum(count)
    role = np.full(len(log), TRAIN, np.int8)
    role[order[(ends - 1)[count >= 2]]] = TEST
    role[order[(ends - 2)[count >= 3]]] = VALID
    note = (
        "leave-one-out mixes times: the model has learned from events that happened after those it is asked for, "
        "so figures are higher than what a live system sees"
    )
    return Split("leave-one-out", role, None, (note,))


def by_column(log: EventLog) -> Split:
    """The publisher's own parts; without a `valid` part the last tenth of the training sequences chooses."""
    if log.split is None:
        raise SplitError("--split column needs a column `split` with train, valid, test (--split-col names another)")
    role = log.split.astype(np.int8)
    sequence = log.user if log.session is None else log.session
    name = "user" if log.session is None else "session"
    low, high = np.full(sequence.max(initial=-1) + 1, TEST + 1), np.full(sequence.max(initial=-1) + 1, -1)
    np.minimum.at(low, sequence, role)
    np.maximum.at(high, sequence, role)
    shared = int((low < high).sum())
    if shared:
        raise SplitError(
            f"{shared} {name}s have events in more than one part of the `split` column: "
            f"a {name} must lie in one part, or what is tested was learned; use --split time instead"
        )
    notes = []
    if not (role == VALID).any():
        role = role.copy()
        training = role == TRAIN
        last = np.full(len(low), -np.inf)
        np.maximum.at(last, sequence[training], log.time[training] if log.timed else np.flatnonzero(training))
        known = np.flatnonzero(last > -np.inf)
        latest = known[np.argsort(last[known], kind="stable")][-max(1, len(known) // 10) :]
        role[training & np.isin(sequence, latest)] = VALID
        notes.append(f"the log has no valid part: the last {len(latest)} training {name}s choose")
    if log.timed and (role == TEST).any():
        late = log.time > log.time[role == TEST].min()
        train, valid = (int((late & (role == part)).sum()) for part in (TRAIN, VALID))
        if train or valid:
            notes.append(
                f"the published parts overlap in time: {train} training and {valid} validation events fall after the "
                "first test event"
            )
    return Split("column", role, None, tuple(notes))
