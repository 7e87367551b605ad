"""A model that reads features of events goes on learning with them, from new days and from old sequences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from segue.artifact import Artifact, load_artifact, replay_of, save_artifact
from segue.choices import settings_of
from segue.data.events import EventLog
from segue.data.replay_sample import ReplaySample
from segue.errors import LogError
from segue.training.fingerprint import short_hashes
from segue.training.networks import Workshop
from segue.training.plan import plan_of
from segue.training.rolling.roll import rolling_of
from segue.training.run import train_artifact
from segue.training.updating.update import update_artifact
from update_models import PART, SETTINGS, whole_log

NAMES = ("", "left", "right", "up")


def featured() -> EventLog:
    """The shop's log, with a label and a number of each event."""
    log, rng = whole_log(), np.random.default_rng(5)
    code, price = rng.integers(4, size=len(log)).astype(np.int32), rng.normal(size=len(log)).astype(np.float32)
    return replace(log, features={"where": code, "price": price}, feature_names={"where": NAMES})


@pytest.fixture(scope="module")
def first() -> Artifact:
    log = featured()
    tree = {
        **SETTINGS,
        "train": {**SETTINGS["train"], "final": True},
        "content": {"events": ["where", "price"]},
        "update": {**SETTINGS["update"], "kept_events": 600},
    }
    plan = plan_of(log.where(np.arange(len(log)) < int(PART * len(log))), tree)
    return train_artifact(plan, "gru", Workshop(settings_of(tree), say=lambda _: None, show=lambda *_: None))[0]


def check(sample: ReplaySample | None, artifact: Artifact) -> None:
    """Each event of a sample has the numbers that it has in the log."""
    log = featured()
    assert sample is not None
    assert sample.features is not None
    assert artifact.events is not None
    expected, user = artifact.events.bound(log).at(np.arange(len(log))), short_hashes(log.users)[log.user]
    rows = {(int(who), float(at)): row for who, at, row in zip(user, log.time, expected, strict=True)}
    owner = np.repeat(sample.user, np.diff(sample.bounds))
    assert len(sample.features) == sample.events > 100
    for who, at, row in zip(owner, sample.time, sample.features, strict=True):
        np.testing.assert_array_equal(row, rows[int(who), float(at)])


def test_old_sequences_and_new_days_are_learned_with_their_features(first: Artifact, tmp_path: Path) -> None:
    check(first.replay, first)
    log = featured()
    new = log.where(log.time >= (first.facts.cutoff or 0.0))
    updated, report = update_artifact(first, new, force=True)
    assert report.events == len(new)
    before, after = first.model.arrays()["event_part"], updated.model.arrays()["event_part"]
    assert before.shape == after.shape
    assert not report.passes or np.abs(after - before).max() > 0
    check(updated.replay, updated)
    assert updated.replay is not None
    late = updated.replay.time >= (first.facts.cutoff or 0.0)
    assert late.any()
    assert not late.all()
    save_artifact(updated, tmp_path / "model")
    again = load_artifact(tmp_path / "model")
    check(replay_of(again), again)


def test_new_days_without_them_are_told(first: Artifact) -> None:
    log = featured()
    new = replace(log.where(log.time >= (first.facts.cutoff or 0.0)), features={}, feature_names={})
    with pytest.raises(LogError, match="`where`, which is no column that was kept of this log"):
        update_artifact(first, new, force=True)


def test_weeks_are_asked_with_them(first: Artifact) -> None:
    log = featured()
    left = float(log.time[-1]) - (first.facts.cutoff or 0.0)
    plain = replace(log, features={"where": np.zeros(len(log), np.int32), "price": log.features["price"]})
    found, other = (rolling_of(first, one, every=f"{int(left / 2.5)}s", weeks=2, retrain=False) for one in (log, plain))
    assert len(found.weeks) == 2
    assert found.weeks[0] != other.weeks[0], "a network is asked with the features of the log"
