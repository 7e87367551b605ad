"""The replay sample of a model: drawn from what it was trained on, drawn anew when it has learned new days."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segue.config import Settings
from segue.data.batches import runs
from segue.data.encoding.bound import EventFeatures
from segue.data.events import EventLog
from segue.data.replay_sample import TAIL, ReplaySample, lowest
from segue.data.sessions import Moment, Sequences, opens_session
from segue.models.base import SessionRule
from segue.shapes import Array, Bools, Doubles, Longs
from segue.training.fingerprint import short_hashes


def sample_of(sequences: Sequences, log: EventLog, settings: Settings) -> ReplaySample | None:
    """The last events of users drawn by the seed; None where none are to be kept, or times do not compare.

    Args:
        sequences: what was learned, with the items of the catalog.
        log: whose users they are.
        settings: `update.kept_events` and the seed are read from them.
    """
    limit = settings.update.kept_events
    if not limit or not sequences.timed or not len(sequences):
        return None
    user = short_hashes(log.users)[sequences.of]
    lengths = np.diff(sequences.bounds)
    kept = lowest(user, np.minimum(lengths, TAIL), limit, settings.seed)
    length = np.minimum(lengths[kept], TAIL)
    return cut_out(sequences, user[kept], sequences.bounds[1:][kept] - length, length, settings.seed)


def cut_out(sequences: Sequences, user: Array, begins: Longs, lengths: Longs, seed: int) -> ReplaySample:
    """A sample of stretches of events, one for each user (U,)."""
    places = runs(begins, lengths)
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    starts = np.array(sequences.starts[places], bool)
    starts[bounds[:-1]] = True  # what came before is not kept
    return ReplaySample(
        user=user,
        bounds=bounds,
        item=np.array(sequences.item[places], np.int32),
        time=np.array(sequences.time[places], np.float64),
        opens=np.array(sequences.opens[places], bool),
        starts=starts,
        worth=None if sequences.worth is None else np.array(sequences.worth[places], np.float32),
        seed=seed,
        features=sequences.features_at(places),
    )


def renewed(
    old: ReplaySample | None,
    sequences: Sequences,
    new: Bools,
    user: Array,
    *,
    rule: SessionRule,
    limit: int,
    seed: int,
    by_id: bool = False,
) -> ReplaySample | None:
    """The sample after new days: of all users that there ever were, as if their events had come in one log.

    Args:
        old: the sample so far.
        sequences: the log of the update: new events, and old ones as context.
        new: (E,) which of them are new.
        user: (U,) the hash of each user of `sequences`.
        rule: when a session is over.
        limit: events to keep.
        seed: of the draw where there is no sample yet.
        by_id: whether ids part the sessions of a user: one that is not in the sample then opens another.
    """
    if not limit:
        return None
    if old is None:
        old = empty(sequences.worth is not None, seed, sequences.features)
    fresh = sequences.count_of(new) > 0
    begins, ends = sequences.bounds[:-1][fresh], sequences.bounds[1:][fresh]
    # a user's new events come last: those of before lie in the past of the model
    first_new = ends - sequences.count_of(new)[fresh]
    users = np.union1d(old.user, user[fresh])
    place = np.full((2, len(users)), 0, np.int64)
    length = np.zeros((2, len(users)), np.int64)
    at_old, at_new = np.searchsorted(users, old.user), np.searchsorted(users, user[fresh])
    place[0, at_old], length[0, at_old] = old.bounds[:-1], np.diff(old.bounds)
    known = length[0, at_new] > 0
    alone = known & (first_new == begins) & (not by_id)
    seam = Seam(old.time[(place[0] + length[0] - 1)[at_new[alone]]], first_new[alone])
    pool = joined(old, sequences, seam, rule)
    begins = np.where(known, first_new, begins)  # what the sample has of a user is not taken twice
    place[1, at_new], length[1, at_new] = begins + old.events, ends - begins
    over = np.maximum(length.sum(axis=0) - TAIL, 0)
    cut = np.stack([np.minimum(over, length[0]), over - np.minimum(over, length[0])])
    place, length = place + cut, length - cut
    kept = lowest(users, length.sum(axis=0), limit, old.seed)
    some = length[:, kept].T.ravel() > 0
    places = runs(place[:, kept].T.ravel()[some], length[:, kept].T.ravel()[some])
    pieces = pool.part(places, bounds=pool.bounds, of=pool.of)
    if old.features is not None and sequences.features is not None:
        rows = sequences.features.at(places - old.events)
        rows[places < old.events] = old.features[places[places < old.events]]
        pieces = Sequences(**{**pieces._asdict(), "features": EventFeatures.of(rows)})
    totals = length[:, kept].sum(axis=0)
    return cut_out(pieces, users[kept], np.cumsum(totals) - totals, totals, old.seed)


class Seam(NamedTuple):
    """Where the sample of a user goes on in a log that has nothing earlier of that user.

    Attributes:
        last: (S,) Unix seconds of the last event in the sample.
        place: (S,) of the first event in the log.
    """

    last: Doubles
    place: Longs


def joined(old: ReplaySample, sequences: Sequences, seam: Seam, rule: SessionRule) -> Sequences:
    """Old events and those of a log, one after another; what lay between two logs opens no session."""
    kept = old.sequences()
    opens, starts = np.array(sequences.opens, bool), np.array(sequences.starts, bool)
    opens[seam.place] = opens_session(Moment(seam.last), Moment(sequences.time[seam.place]), rule.gap)
    starts[seam.place] = opens[seam.place] & rule.resets
    worth = None
    if kept.worth is not None and sequences.worth is not None:
        worth = np.concatenate([kept.worth, sequences.worth])
    first = int(kept.of[-1]) + 1 if len(kept.of) else 0
    return Sequences(
        order=np.arange(old.events + len(sequences), dtype=np.int64),
        user=np.concatenate([kept.user, sequences.user + np.int32(first)]),
        item=np.concatenate([kept.item, sequences.item]).astype(np.int32, copy=False),
        time=np.concatenate([kept.time, sequences.time]),
        opens=np.concatenate([kept.opens, opens]),
        starts=np.concatenate([kept.starts, starts]),
        bounds=np.concatenate([kept.bounds, sequences.bounds[1:] + old.events]),
        of=np.concatenate([kept.of, sequences.of + np.int32(first)]),
        worth=worth,
    )


def empty(worth: bool, seed: int, features: EventFeatures | None = None) -> ReplaySample:
    """Nothing kept yet."""
    none = np.zeros(0, bool)
    return ReplaySample(
        user=np.zeros(0, np.uint64),
        bounds=np.zeros(1, np.int64),
        item=np.zeros(0, np.int32),
        time=np.zeros(0),
        opens=none,
        starts=none,
        worth=np.zeros(0, np.float32) if worth else None,
        seed=seed,
        features=None if features is None else np.zeros((0, features.width), np.float32),
    )


def faded(sample: ReplaySample, by: float) -> ReplaySample:
    """The same events worth less, where their worth is of an earlier day."""
    return sample if sample.worth is None else sample._replace(worth=(sample.worth * np.float32(by)))
