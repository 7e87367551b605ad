"""The recall log is what it says; a cell whose state is carried solves it through windows shorter than the distance."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segue.config import TrainSettings
from segue.data.events import EventLog
from segue.data.sessions import Sequences, lay_out
from segue.data.synthetic import recall
from segue.evaluation.replay import replay
from segue.models.base import SessionRule
from segue.models.network import Network
from segue.shapes import Bools
from segue.training.loop import train_network

DISTANCE, WINDOW = 100, 32


def histories(log: EventLog) -> list[list[str]]:
    laid = lay_out(log, gap=None, at_session_start="reset")
    return [log.items.take(part) for part in np.split(laid.item, laid.bounds[1:-1])]


def distances(history: list[str]) -> list[int]:
    """Fillers of each whole episode; fails where something else stands in one."""
    answers = [place for place, name in enumerate(history) if name.startswith("answer")]
    found = []
    for first, last in zip([0, *(place + 1 for place in answers)], answers, strict=False):
        cue, *between, probe, _ = history[first : last + 1]
        assert cue.startswith("cue")
        assert probe == "probe"
        assert all(name.startswith("filler") for name in between)
        found.append(len(between))
    return found


def test_asked_histories_have_the_distance_and_the_others_shorter_ones_too() -> None:
    log = recall(40, 500, distance=50, nearest=2, asked=10)
    found = [distances(history) for history in histories(log)]
    assert found[30:] == [[50] * 9] * 10
    shorter = [distance for history in found[:30] for distance in history]
    assert min(shorter) == 2
    assert 45 <= max(shorter) <= 50
    assert log.split is not None
    assert sorted(set(log.user[log.split == 2].tolist())) == list(range(30, 40))


def test_the_answer_is_that_of_the_cue_and_every_cue_has_its_own() -> None:
    answer_of: dict[str, set[str]] = {}
    for history in histories(recall(20, 300, distance=5, cues=6)):
        cues, answers = ([name for name in history if name.startswith(kind)] for kind in ("cue", "answer"))
        for cue, answer in zip(cues, answers, strict=False):
            answer_of.setdefault(cue, set()).add(answer)
    assert all(len(answers) == 1 for answers in answer_of.values())
    assert len(set.union(*answer_of.values())) == 6


def test_the_seed_decides_the_log() -> None:
    first, again, other = (recall(6, 200, distance=20, nearest=1, asked=2, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.item, again.item)
    assert np.array_equal(first.time, again.time)
    assert not np.array_equal(first.item, other.item)


def answers_of(log: EventLog, laid: Sequences) -> Bools:
    return np.array([name.startswith("answer") for name in log.items])[laid.item]


def laid_out(log: EventLog, *, carried: bool) -> Sequences:
    """One state for the whole of a history, or a new one every WINDOW events."""
    laid = lay_out(log, gap=None, at_session_start="reset")
    place = np.arange(len(laid)) - np.repeat(laid.bounds[:-1], np.diff(laid.bounds))
    return laid if carried else Sequences(**{**laid._asdict(), "starts": place % WINDOW == 0})


def accuracy(*, carried: bool) -> float:
    """How many answers a minGRU foretells that learns from shorter distances too."""
    log = recall(112, 1030, distance=DISTANCE, nearest=1, asked=16)
    learned, asked = (laid_out(log.where(log.split == part), carried=carried) for part in (0, 2))
    settings = TrainSettings(epochs=6, rows=32, window=WINDOW, learning_rate=0.01, threads=1)
    torch.manual_seed(1)
    network = Network(len(log.items), rule=SessionRule(), cell="mingru", width=32, dropout=0.0, embedding_dropout=0.0)
    train_network(network, learned, settings, seed=1, learn=answers_of(log, learned))
    found = replay(network, asked, answers_of(log, asked), exclude="none", k=1)
    return float((found.rank == 1).mean())


@pytest.mark.slow
def test_a_carried_state_recalls_over_three_windows_and_one_that_begins_anew_guesses() -> None:
    assert accuracy(carried=True) >= 0.95
    assert accuracy(carried=False) < 0.25  # 1 / 8 by chance
