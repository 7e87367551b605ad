"""Replay a log through a model in time order, and rank the whole catalog wherever an event is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from segue.data import spill
from segue.data.batches import runs, windows
from segue.data.sessions import Sequences
from segue.errors import EvaluationError
from segue.models.base import Event, Model, Query, pick
from segue.ranking import Exclusions, mask, rank_of, rows_within, top_k
from segue.shapes import Array, Bools, Ints, Longs

BYTES_A_PAIR = 64
"""What an event of a history costs while it is compared with a list: a few arrays of 8 bytes."""


class Predictions(NamedTuple):
    """What a model answered, P times.

    Attributes:
        place: (P,) where the target lies in the sequences of the users who are asked (see `only_users_with`).
        user: (P,) whose it is; intervals resample users.
        target: (P,) item indices, -1 for an item outside the catalog.
        rank: (P,) 1-based; `NEVER` for an unknown or an excluded target.
        lists: (P, K) the first K items, -1 past the end.
        had: (P, K) True where the user had the item of the list before.
        repeated: (P,) True where the user had the target before.
    """

    place: Longs
    user: Array
    target: Ints
    rank: Ints
    lists: Ints
    had: Bools
    repeated: Bools


def askable(sequences: Sequences, events: slice = slice(None)) -> Bools:
    """(E,) True where an event may be asked for: not the first of a session, nor what is not to be predicted."""
    may = ~(sequences.opens[events] | sequences.starts[events])
    return may if sequences.worth is None else may & (sequences.worth[events] > 0)


def only_users_with(sequences: Sequences, asked: Bools) -> tuple[Sequences, Bools]:
    """The sequences of the users who have an asked event: the others need not be replayed."""
    wanted = sequences.count_of(asked) > 0
    if wanted.all():
        return sequences, asked
    keep = sequences.events_of(wanted)
    bounds = np.concatenate([[0], np.cumsum(np.diff(sequences.bounds)[wanted])])
    return sequences.part(keep, bounds=bounds, of=sequences.of[wanted]), spill.taken(asked, keep)


def replay(
    model: Model,
    sequences: Sequences,
    asked: Bools,
    *,
    exclude: str,
    k: int = 20,
    memory_mb: int = 256,
    rows: int = 64,
    window: int = 50,
) -> Predictions:
    """Feed every event, and before each asked one rank the catalog.

    Args:
        model: anything that fulfils the contract.
        sequences: E events; items are indices of the model's catalog, -1 outside it.
        asked: (E,) which events to ask for; those that `askable` forbids are left out.
        exclude: `none`, `current` (the item of the event before) or `seen` (every earlier item of the user).
        k: length K of the lists.
        memory_mb: bound of the scores held at one time; a users x items matrix never exists.
        rows, window: B and T of the replay; they change no result beyond the last bits of float32.

    Raises:
        EvaluationError: no event can be asked for, or a score is no number.
    """
    given = asked
    asked = spill.filled(len(given), bool, lambda block: given[block] & askable(sequences, block), given)
    if not asked.any():
        raise EvaluationError("nothing to evaluate: no asked event has an earlier one in its session")
    return replay_before(model, sequences, asked, exclude=exclude, k=k, memory_mb=memory_mb, rows=rows, window=window)


def replay_before(
    model: Model,
    sequences: Sequences,
    asked: Bools,
    *,
    exclude: str,
    k: int,
    memory_mb: int = 256,
    rows: int = 64,
    window: int = 50,
) -> Predictions:
    """The same before any events that have an earlier one of their user, be it in a session before.

    No request time is given: what is asked is what the state says right after the user's last event.
    """
    sequences, asked = only_users_with(sequences, asked)
    begin = np.repeat(sequences.bounds[:-1], np.diff(sequences.bounds))
    block = rows_within(model.n_items, memory_mb * 2**20 // 3)
    parts: list[Predictions] = []
    for query, before in queries(model, sequences, np.append(asked[1:], False), rows, window):
        place = before + 1
        blocks = parted(place - begin[place], block, memory_mb * 2**20 // BYTES_A_PAIR)
        parts += [answers(model, sequences, pick(query, part), place[part], begin, exclude, k) for part in blocks]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Predictions(*(column[order] for column in columns))


def parted(lengths: Longs, rows: int, pairs: int) -> Iterator[slice]:
    """Slices of rows, each of at most `rows` rows and, unless it is one row, `pairs` events of history in all."""
    left = 0
    while left < len(lengths):
        fitting = int(np.searchsorted(np.cumsum(lengths[left : left + rows]), pairs, side="right"))
        yield slice(left, left + max(1, fitting))
        left += max(1, fitting)


def queries(model: Model, sequences: Sequences, after: Bools, rows: int, window: int) -> Iterator[tuple[Query, Longs]]:
    """The queries right after the events that `after` (E,) marks, and the places of these events."""
    rows = min(rows, int(sequences.starts.sum()))
    state = model.initial_state(rows)
    for batch in windows(sequences, rows=rows, window=window):
        present = batch.place >= 0
        events = Event(
            np.where(present, sequences.item[batch.place], -1).astype(np.int32),
            sequences.time[batch.place],
            sequences.opens[batch.place] & present,
            sequences.features_at(batch.place),
        )
        query, state = model.scan(events, batch.starts, state)
        where = np.nonzero(present & after[batch.place])
        if len(where[0]):
            yield pick(query, where), batch.place[where]


def answers(
    model: Model, sequences: Sequences, query: Query, place: Longs, begin: Longs, exclude: str, k: int
) -> Predictions:
    """Ranks and lists for one block of queries."""
    target = sequences.item[place].astype(np.int32)
    seen = excluded_after(sequences, place - 1, begin, "seen")
    scores = mask(np.array(model.score(query), np.float32), excluded_after(sequences, place - 1, begin, exclude))
    lists, _ = top_k(scores, k)
    pairs = np.sort(seen.rows.astype(np.int64) * (model.n_items + 1) + seen.items)
    keys = np.arange(len(place))[:, None].astype(np.int64) * (model.n_items + 1)
    had = among(keys + lists, pairs) & (lists >= 0)
    repeated = among(keys[:, 0] + target, pairs) & (target >= 0)
    return Predictions(place, sequences.user[place], target, rank_of(scores, target), lists, had, repeated)


def excluded_after(sequences: Sequences, place: Longs, begin: Longs, exclude: str) -> Exclusions:
    """What may not be answered right after the events at `place` (R,), where each one's user begins at `begin`."""
    if exclude == "current":
        return Exclusions(np.arange(len(place)), sequences.item[place])
    lengths = place + 1 - begin[place] if exclude == "seen" else np.zeros_like(place)
    some = lengths > 0
    history = runs(begin[place][some], lengths[some])
    return Exclusions(np.repeat(np.arange(len(place)), lengths), sequences.item[history])


def among(values: Longs, ordered: Longs) -> Bools:
    """Which values occur in an ordered array."""
    if not len(ordered):
        return np.zeros(values.shape, bool)
    spot = np.searchsorted(ordered, values).clip(max=len(ordered) - 1)
    return np.asarray(ordered[spot] == values)
