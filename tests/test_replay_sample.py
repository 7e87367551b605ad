"""What a model keeps of old sequences: bounded, of users drawn by the seed, and renewed as if all had been one log."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from segue.config import Settings, UpdateSettings
from segue.data import replay_sample
from segue.data.events import EventLog, log_of
from segue.data.replay_sample import ReplaySample
from segue.data.sessions import Sequences, lay_out
from segue.data.synthetic import noisy_chain
from segue.errors import ArtifactError
from segue.models.base import SessionRule
from segue.training.fingerprint import short_hashes
from segue.training.updating.keeping import renewed, sample_of

USERS, LENGTH, ITEMS = 40, 30, 12
RULE = SessionRule(400.0)


def laid(log: EventLog, rule: SessionRule = RULE) -> Sequences:
    return lay_out(log, gap=rule.gap, at_session_start=rule.at_session_start)


def sample(log: EventLog, limit: int = 10**6, seed: int = 1, rule: SessionRule = RULE) -> ReplaySample:
    found = sample_of(laid(log, rule), log, Settings(seed=seed, update=UpdateSettings(kept_events=limit)))
    assert found is not None
    return found


def parted(share: float = 0.6) -> tuple[EventLog, EventLog, int]:
    """A log, what it was in the beginning, and the place of the first later event."""
    log = noisy_chain(USERS, LENGTH, ITEMS, follow=0.8)
    first = int(len(log) * share)
    return log, log.where(np.arange(len(log)) < first), first


def same(one: ReplaySample | None, other: ReplaySample) -> None:
    assert one is not None
    found, wanted = one.arrays(), other.arrays()
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array), name


def test_it_keeps_whole_tails_of_users_and_no_more_events_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.training.updating.keeping.TAIL", 7)
    log, _, _ = parted()
    found = sample(log, limit=100)
    assert found.events == 98
    assert np.diff(found.bounds).tolist() == [7] * 14
    assert found.starts[found.bounds[:-1]].all()
    hashes = short_hashes(log.users)
    for place, user in enumerate(found.user):
        mine = log.item[log.user == np.flatnonzero(hashes == user)[0]]
        assert found.item[found.bounds[place] : found.bounds[place + 1]].tolist() == mine[-7:].tolist()


def test_a_user_can_be_found_by_the_hash_of_the_id() -> None:
    log = log_of(["anna", "ben", "anna"], ["a", "b", "c"], [1.0, 2.0, 3.0])
    found = sample(log)
    anna = int.from_bytes(hashlib.blake2b(b"anna", digest_size=8).digest(), "little")
    assert found.item[np.repeat(found.user == anna, np.diff(found.bounds))].tolist() == [0, 2]
    assert found.only(found.user != anna).item.tolist() == [1]


def test_who_is_kept_is_drawn_by_the_seed() -> None:
    log, _, _ = parted()
    kept = {seed: frozenset(sample(log, limit=300, seed=seed).user.tolist()) for seed in range(30)}
    assert len(set(kept.values())) > 25
    # each user about as often as another: 10 of 40 in each draw, 7.5 times of 30
    times = [sum(user in some for some in kept.values()) for user in short_hashes(log.users).tolist()]
    assert min(times) >= 1
    assert max(times) <= 16
    same(sample(log, limit=300), sample(log, limit=300))


@pytest.mark.parametrize("limit", [10**6, 300])
@pytest.mark.parametrize("whole", [True, False], ids=["with old events", "new days alone"])
@pytest.mark.parametrize("start", ["reset", "mark"])
def test_a_renewed_sample_is_that_of_both_logs_together(limit: int, whole: bool, start: str) -> None:
    rule = SessionRule(400.0, start)
    log, before, first = parted()
    old = sample(before, rule=rule)
    given = log if whole else log.where(np.arange(len(log)) >= first)
    sequences = laid(given, rule)
    new = sequences.order >= (first if whole else 0)
    user = short_hashes(given.users)[sequences.of]
    same(renewed(old, sequences, new, user, rule=rule, limit=limit, seed=9), sample(log, limit, rule=rule))


def test_who_was_not_kept_before_comes_in_with_the_old_events_of_the_log() -> None:
    log, before, first = parted()
    old = sample(before, limit=200)
    sequences = laid(log)
    args: Any = (sequences, sequences.order >= first, short_hashes(log.users)[sequences.of])
    found = renewed(old, *args, rule=RULE, limit=300, seed=1)
    assert found is not None
    assert found.events <= 300
    same(found, sample(log, limit=300))
    assert renewed(None, *args, rule=RULE, limit=0, seed=1) is None
    alone = renewed(None, *args, rule=RULE, limit=10**6, seed=1)
    assert alone is not None
    late = short_hashes(log.users)[np.unique(log.user[first:])]
    assert set(alone.user.tolist()) == set(late.tolist()), "without a sample there are the users of the new days"


def test_it_reads_back_and_what_is_damaged_does_not() -> None:
    found = sample(parted()[0])
    same(ReplaySample.loaded(found.arrays(), ITEMS), found)
    broken: list[dict[str, Any]] = [
        {"bounds": found.bounds[:-1]},
        {"bounds": found.bounds[::-1].copy()},
        {"item": found.item + 1},
        {"item": found.item[1:]},
        {"item": found.item.astype(np.int64)},
        {"time": np.where(found.time > 0, np.nan, 0.0)},
        {"worth": np.zeros(3, np.float32)},
        {"seed": np.zeros(2, np.int64)},
    ]
    for change in broken:
        with pytest.raises(ArtifactError, match="the replay sample is damaged"):
            ReplaySample.loaded({**found.arrays(), **change}, ITEMS)
    with pytest.raises(ArtifactError, match="its array `user` is missing"):
        ReplaySample.loaded({name: array for name, array in found.arrays().items() if name != "user"}, ITEMS)


def test_a_fifth_of_the_users_is_held_out_whenever_one_asks() -> None:
    log = noisy_chain(500, 2, ITEMS, follow=0.8)
    found = sample(log)
    assert 60 < found.held_out.sum() < 140
    some = found.only(found.user % np.uint64(2) == 0)
    assert some.held_out.tolist() == found.held_out[found.user % np.uint64(2) == 0].tolist()
    assert replay_sample.HELD_OUT == 5
