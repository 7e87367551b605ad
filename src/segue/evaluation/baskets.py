"""Whole baskets of the asked part, and the places right before them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.sessions import Sequences, from_the_first, neighbours
from segue.errors import EvaluationError
from segue.evaluation.phase import Phase, count
from segue.metrics import LACKING, Runs
from segue.shapes import Array, Bools, Floats, Longs


class Baskets(NamedTuple):
    """Q baskets: what a user takes in one session, or in a log without sessions, at one time.

    Attributes:
        first: (E,) which of the replayed events begin one.
        events: those of each basket that are to be predicted; a basket has at least one.
        user: (Q,) whose it is.
        kind: in words.
    """

    first: Bools
    events: Runs
    user: Array
    kind: str


def baskets_of(phase: Phase) -> Baskets:
    """The baskets that begin in the asked part, each of a user who has earlier events.

    Where a cap left out predictions, those of the users who are asked. Under an objective a basket is what is to be
    predicted of it, and one without any such event is none.

    Raises:
        EvaluationError: the log has neither sessions nor times, or there is no such basket.
    """
    sequences = phase.replayed
    kind, begins = beginnings(sequences)
    first = spill.filled(len(sequences), bool, lambda block: begins[block] & ~phase.earlier[block], begins)
    first[sequences.bounds[:-1]] = False
    if phase.left_out:
        drawn = sequences.events_of(sequences.count_of(phase.asked) > 0)
        first = spill.filled(len(first), bool, lambda block: first[block] & drawn[block], first, drawn)
    places = np.flatnonzero(first)
    if not len(places):
        raise EvaluationError(f"no {kind} that could be asked for has an earlier event of its user: there is no basket")
    events = Runs(sequences.item, places, ends_of(places, begins))
    if sequences.worth is not None:
        events, some = wanted_of(events, sequences.worth)
        if not some.any():
            raise EvaluationError(
                f"no {kind} of the asked part has an event that is to be predicted under the objective, after an "
                "earlier event of its user: there is no basket"
            )
        first[places[~some]] = False
        places, events = places[some], Runs(events.item, events.begins[some], events.ends[some])
    return Baskets(first, events, sequences.user[places], kind)


def wanted_of(runs: Runs, worth: Floats) -> tuple[Runs, Bools]:
    """What is to be predicted of each stretch, by the worth (E,) of all events; and (Q,) where that is something."""
    wanted = spill.filled(len(worth), bool, lambda block: worth[block] > 0, worth)
    before = spill.cumulated(wanted)
    found = Runs(spill.kept(runs.item, wanted), before[runs.begins], before[runs.ends])
    return found, np.asarray(found.begins < found.ends)


def beginnings(sequences: Sequences) -> tuple[str, Bools]:
    """What a basket is in this log, and (E,) where one begins: at a session's first event, else at another time."""
    if count(sequences.opens) > len(sequences.of):
        return "session", sequences.opens
    if not sequences.timed:
        raise EvaluationError(f"a basket cannot be told: a metric of baskets needs {LACKING['basket']}")

    def begins(block: slice) -> Array:
        before, after = neighbours(block)
        return sequences.opens[block] | from_the_first(block, sequences.time[before] != sequences.time[after])

    return "group of events of one time", spill.filled(len(sequences), bool, begins, sequences.time, sequences.opens)


def ends_of(places: Longs, begins: Bools) -> Longs:
    """(Q,) where the next basket begins after each of some ascending beginnings."""
    ends = np.full(len(places), len(begins), np.int64)
    done = 0
    for block in spill.blocks(len(begins)):
        marks = np.flatnonzero(begins[block]) + block.start
        last = int(np.searchsorted(places, marks[-1])) if len(marks) else done
        ends[done:last] = marks[np.searchsorted(marks, places[done:last], side="right")]
        done = max(done, last)
    return ends
