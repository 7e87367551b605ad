"""Whole baskets of the asked part, and the places right before them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.sessions import Sequences, from_the_first, neighbours
from segue.errors import EvaluationError
from segue.evaluation.phase import Phase, count
from segue.metrics import LACKING, Runs
from segue.shapes import Array, Bools, Longs


class Baskets(NamedTuple):
    """Q baskets: what a user takes in one session, or in a log without sessions, at one time.

    Attributes:
        first: (E,) which of the replayed events begin one.
        events: those of each basket.
        user: (Q,) whose it is.
        kind: in words.
    """

    first: Bools
    events: Runs
    user: Array
    kind: str


def baskets_of(phase: Phase) -> Baskets:
    """The baskets that begin in the asked part, each of a user who has earlier events.

    Where a cap left out predictions, those of the users who are asked.

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
    return Baskets(first, Runs(sequences.item, places, ends_of(places, begins)), sequences.user[places], kind)


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
