"""Lists of all users: as many blocks as it takes, the same lists however they are cut, in bounded memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch

from segue.data.sessions import Sequences, lay_out
from segue.data.synthetic import noisy_chain
from segue.evaluation import lists as user_lists
from segue.evaluation.lists import UserLists, lists_after_last
from segue.models.base import Event, Model, SessionRule, advance
from segue.models.build import kind_of
from segue.models.network import Network

N, UNKNOWN, GAP = 15, 2, 300.0
# Float32 batches of another shape differ in the last bits.
TOLERANCE = 5e-6


def laid(start: str) -> Sequences:
    log = noisy_chain(23, 9, N + UNKNOWN, follow=0.7)
    known = np.where(log.item < N, log.item, -1).astype(np.int32)
    return lay_out(log, gap=GAP, at_session_start=start, item=known)


def markov(sequences: Sequences) -> Model:
    return kind_of("markov")(N, rule=SessionRule(GAP, "reset")).fit(sequences)


def network(_: Sequences) -> Model:
    torch.manual_seed(1)
    model = Network(N, rule=SessionRule(GAP, "mark"), width=8, time_gap=True).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model


def plain(model: Model, sequences: Sequences, exclude: str) -> dict[int, dict[int, float]]:
    """Each user's answerable items with their scores, one user and one step at a time."""
    found = {}
    for begin, end, user in zip(sequences.bounds[:-1], sequences.bounds[1:], sequences.of, strict=True):
        state = model.initial_state(1)
        for e in range(begin, end):
            event = Event(*(column[e : e + 1] for column in (sequences.item, sequences.time, sequences.opens)))
            state = advance(model, event, sequences.starts[e : e + 1], state)
        had = [int(item) for item in sequences.item[begin:end]]
        left = {"none": [], "current": had[-1:], "seen": had}[exclude]
        scores = model.score(model.query(state))[0]
        found[int(user)] = {i: float(scores[i]) for i in range(N) if i not in left and scores[i] > -np.inf}
    return found


@pytest.mark.parametrize("exclude", ["none", "current", "seen"])
@pytest.mark.parametrize(("make", "start"), [(markov, "reset"), (network, "mark")])
@pytest.mark.parametrize("users", [1, 7, 23, 1000])
def test_lists_are_those_of_a_plain_loop_however_users_are_cut(
    make: object, start: str, exclude: str, users: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_lists, "USERS_A_BLOCK", users)
    sequences = laid(start)
    model = make(sequences)  # type: ignore[operator]
    expected = plain(model, sequences, exclude)
    blocks = list(lists_after_last(model, sequences, exclude=exclude, k=N + 3, memory_mb=1, rows=5, window=4))
    assert [len(block.user) for block in blocks] == [min(users, 23 - left) for left in range(0, 23, users)]
    joined = UserLists(*(np.concatenate(column) for column in zip(*blocks, strict=True)))
    assert joined.user.tolist() == sequences.of.tolist()
    for user, items, scores in zip(*joined, strict=True):
        wanted, length = expected[int(user)], len(expected[int(user)])
        assert set(items[:length].tolist()) == set(wanted)
        assert (items[length:] == -1).all()
        assert (np.diff(scores[:length]) <= 0).all()
        scale = max(map(abs, wanted.values()))
        for item, score in zip(items[:length].tolist(), scores.tolist(), strict=False):
            assert abs(wanted[item] - score) <= TOLERANCE * scale


def test_the_scores_of_all_users_are_never_held_at_once() -> None:
    users, n_items, mib = 100, 50_000, 2**20
    sequences = lay_out(noisy_chain(users, 3, n_items, follow=0.5), gap=None, at_session_start="reset")
    model = kind_of("popularity")(n_items, rule=SessionRule()).fit(sequences)
    tracemalloc.start()
    blocks = list(lists_after_last(model, sequences, exclude="seen", k=10, memory_mb=1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(len(block.user) for block in blocks) == users
    # 1 MiB was granted for scores; what else is held (events, lists, one row's work) fits in 4 more.
    assert peak < 5 * mib < 4 * users * n_items
