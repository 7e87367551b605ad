"""Replay against a plain loop: one user at a time, one step at a time, one sorted list at a time."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch

from segue.data.events import EventLog
from segue.data.sessions import Sequences, lay_out
from segue.data.synthetic import noisy_chain
from segue.errors import EvaluationError
from segue.evaluation import lists as user_lists
from segue.evaluation.lists import lists_after_last
from segue.evaluation.replay import Predictions, askable, replay
from segue.models.base import Event, Model, SessionRule, advance
from segue.models.build import kind_of
from segue.models.network import Network
from segue.ranking import NEVER
from segue.shapes import Bools

N, GAP = 15, 120.0
RULE = SessionRule(GAP, "reset")


def some_log() -> EventLog:
    log = noisy_chain(12, 14, N + 2, follow=0.7)
    return replace(log, time=np.sort(np.random.default_rng(2).integers(0, 2000, len(log)).astype(float)))


def laid(log: EventLog) -> Sequences:
    item = np.where(log.item < N, log.item, -1).astype(np.int32)
    return lay_out(log, gap=GAP, at_session_start="reset", item=item)


def markov(sequences: Sequences) -> Model:
    return kind_of("markov")(N, rule=RULE).fit(sequences)


def network(_: Sequences) -> Model:
    torch.manual_seed(1)
    return Network(N, rule=RULE, width=8).eval()


def plain(model: Model, sequences: Sequences, asked: Bools, exclude: str) -> list[tuple[int, int, list[int], bool]]:
    """Place, rank, list and whether the target was had before, by the shortest loop there is."""
    found = []
    for begin, end in zip(sequences.bounds[:-1], sequences.bounds[1:], strict=True):
        state = model.initial_state(1)
        for e in range(begin, end):
            history = [int(i) for i in sequences.item[begin:e] if i >= 0]
            if asked[e] and not sequences.opens[e]:
                scores = model.score(model.query(state))[0].astype(float)
                out = {"none": [], "current": [int(sequences.item[e - 1])], "seen": history}[exclude]
                allowed = [i for i in range(N) if i not in out]
                ranked = sorted(allowed, key=lambda i: (-scores[i], i))
                target = int(sequences.item[e])
                rank = NEVER if target not in allowed else sum(scores[i] >= scores[target] for i in allowed)
                found.append((e, int(rank), ranked[:5], target in history))
            event = Event(*(column[e : e + 1] for column in (sequences.item, sequences.time, sequences.opens)))
            state = advance(model, event, sequences.starts[e : e + 1], state)
    return found


def told(predictions: Predictions) -> list[tuple[int, int, list[int], bool]]:
    return [
        (int(place), int(rank), [i for i in items.tolist() if i >= 0], bool(repeated))
        for place, rank, items, repeated in zip(
            predictions.place, predictions.rank, predictions.lists, predictions.repeated, strict=True
        )
    ]


@pytest.mark.parametrize("exclude", ["none", "current", "seen"])
@pytest.mark.parametrize("make", [markov, network])
def test_replay_is_the_plain_loop(make: object, exclude: str) -> None:
    sequences = laid(some_log())
    model = make(sequences)  # type: ignore[operator]
    asked = np.random.default_rng(1).random(len(sequences)) < 0.5
    expected = plain(model, sequences, asked, exclude)
    assert any(rank == NEVER for _, rank, _, _ in expected), "unknown targets are among them"
    for options in ({}, {"rows": 1, "window": 1}, {"rows": 3, "window": 5}, {"rows": 500, "window": 7}):
        found = replay(model, sequences, asked, exclude=exclude, k=5, memory_mb=1, **options)  # type: ignore[arg-type]
        # Users without an asked event are not replayed: places are counted without them.
        assert [one[1:] for one in told(found)] == [one[1:] for one in expected]


def test_first_events_of_a_session_are_not_asked_for() -> None:
    sequences = laid(some_log())
    found = replay(markov(sequences), sequences, np.ones(len(sequences), bool), exclude="none")
    assert len(found.rank) == int((~sequences.opens).sum()) == int(askable(sequences).sum())


def test_nothing_to_ask_is_an_error() -> None:
    sequences = laid(some_log())
    with pytest.raises(EvaluationError, match="nothing to evaluate"):
        replay(markov(sequences), sequences, sequences.opens, exclude="none")


@pytest.mark.parametrize("exclude", ["none", "current", "seen"])
def test_lists_after_the_last_event_are_the_plain_loop(exclude: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_lists, "USERS_A_BLOCK", 5)
    sequences = laid(some_log())
    model = network(sequences)
    blocks = list(lists_after_last(model, sequences, exclude=exclude, k=N))
    assert [len(block.user) for block in blocks] == [5, 5, 2]
    found = {
        int(u): [i for i in row.tolist() if i >= 0]
        for block in blocks
        for u, row in zip(block.user, block.items, strict=True)
    }
    for begin, end, user in zip(sequences.bounds[:-1], sequences.bounds[1:], sequences.of, strict=True):
        state = model.initial_state(1)
        for e in range(begin, end):
            event = Event(*(column[e : e + 1] for column in (sequences.item, sequences.time, sequences.opens)))
            state = advance(model, event, sequences.starts[e : e + 1], state)
        scores = model.score(model.query(state))[0].astype(float)
        history = set(sequences.item[begin:end].tolist())
        out = {"none": set(), "current": {int(sequences.item[end - 1])}, "seen": history}[exclude]
        assert found[int(user)] == sorted(set(range(N)) - out, key=lambda i: (-scores[i], i))


def test_a_matrix_of_users_by_items_never_exists() -> None:
    n_items, users = 50_000, 400
    log = noisy_chain(users, 4, n_items, follow=0.5)
    sequences = lay_out(log, gap=None, at_session_start="reset")
    model = kind_of("popularity")(n_items, rule=SessionRule()).fit(sequences)
    asked = askable(sequences)
    tracemalloc.start()
    replay(model, sequences, asked, exclude="seen", memory_mb=4)
    list(lists_after_last(model, sequences, exclude="seen", k=10, memory_mb=4))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6 < 4 * users * n_items
