"""What every kind of model must fulfil; a new kind in `segue.models.build` is tested with no edit here."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from baseline_logs import MARK, RESET, laid, random_sessions
from segue.errors import ArtifactError, ConfigError
from segue.models.base import Event, Model, Query, SessionRule, State, advance, at_request, fold, pick, rows_at
from segue.models.build import BASELINES, KINDS, MIX, kind_of, restore
from segue.shapes import Array, Bools

N, B, T, F = 8, 3, 11, 4
SESSIONS = random_sessions()


def made(kind: str, rule: SessionRule, **settings: Any) -> Model:
    """A small model that knows something; of a network no weight is zero, which would hide its part."""
    if kind in LIGHT:
        return light(made(LIGHT[kind], rule, **settings), rule)
    if kind == "mix":
        parts = {"network": made("network", rule), "neighbours": made("sknn", rule)}
        return kind_of(kind)(N, rule=rule, **(parts | settings))
    if kind != "network":
        return kind_of(kind)(N, rule=rule, **settings).fit(laid(SESSIONS))
    torch.manual_seed(3)
    network = kind_of("network")(
        N, rule=rule, **({"width": 6, "layers": 2, "time_gap": True, "features": F} | settings)
    ).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.7)
    return network


LIGHT = {"network without torch": "network", "mix without torch": "mix"}
"""What runs the exported step, and what that was exported from."""


@cache
def graph_of(rule: SessionRule) -> bytes:
    """The step of the one network of a rule."""
    return made("network", rule).exported()  # type: ignore[attr-defined,no-any-return]


def light(model: Model, rule: SessionRule, arrays: dict[str, Array] | None = None) -> Model:
    """The same model without PyTorch."""
    return restore(model.kind, N, rule, model.settings(), arrays or model.arrays(), graph_of(rule))


def restored(kind: str, model: Model, rule: SessionRule, arrays: dict[str, Array]) -> Model:
    """A model of the same kind with these arrays."""
    return light(model, rule, arrays) if kind in LIGHT else restore(kind, N, rule, model.settings(), arrays)


CASES = [
    pytest.param(kind, rule, id=f"{kind}-{rule.at_session_start}")
    for kind in (*KINDS, *LIGHT)
    for rule in (RESET, MARK)
]
EVERY = pytest.mark.parametrize(("kind", "rule"), CASES)


def some(rule: SessionRule, seed: int = 5) -> tuple[Event, Bools]:
    """(T, B) events with unknown items, pauses around the gap, and a row that goes on from an earlier window."""
    rng = np.random.default_rng(seed)
    item = rng.integers(-1, N, (T, B)).astype(np.int32)
    pause = rng.choice([0.0, 3.0, 99.0, 100.0, 101.0, 5000.0], (T, B))
    opens = pause > 100
    opens[0] = [True, True, False]
    starts = opens if rule.resets else np.arange(T)[:, None] + np.zeros(B) == 0
    starts = starts & opens
    features = rng.normal(size=(T, B, F)).astype(np.float32)
    return Event(item, 1e6 + pause.cumsum(0), opens, features), starts


def begun(model: Model) -> State:
    """A state with something in it."""
    state = model.initial_state(B)
    opens = np.ones(B, bool)
    for item in ([0, 1, 2], [3, 4, 5]):
        state = model.step(Event(np.array(item, np.int32), np.full(B, 1e6 - 1), opens), state)
        opens = ~opens
    return state


def same_state(found: State, expected: State, atol: float = 5e-6) -> None:
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], atol=atol, rtol=0, err_msg=name)


def same_query(found: Query, expected: Query) -> None:
    if not isinstance(expected, dict):
        found, expected = {"query": found}, {"query": expected}
    same_state(found, expected)


def test_every_baseline_is_a_kind_and_a_wrong_name_gets_the_nearest() -> None:
    assert set(BASELINES) == set(KINDS) - {"network", MIX}
    for kind in KINDS:
        assert kind_of(kind).kind == kind
    with pytest.raises(ConfigError, match=r"`markof` is not a model.*markov"):
        kind_of("markof")


@EVERY
def test_scan_equals_fold_in_queries_and_state(kind: str, rule: SessionRule) -> None:
    model = made(kind, rule)
    events, starts = some(rule)
    queries, state = model.scan(events, starts, begun(model))
    expected, last = fold(model, events, starts, begun(model))
    same_query(queries, expected)
    same_state(state, last)


@EVERY
def test_a_sequence_cut_anywhere_gives_the_same_queries(kind: str, rule: SessionRule) -> None:
    model = made(kind, rule)
    events, starts = some(rule)
    whole, last = model.scan(events, starts, begun(model))
    for cut in range(1, T):
        left, state = model.scan(events.at(slice(cut)), starts[:cut], begun(model))
        right, state = model.scan(events.at(slice(cut, None)), starts[cut:], state)
        same_query(left, pick(whole, slice(None, cut)))
        same_query(right, pick(whole, slice(cut, None)))
        same_state(state, last)


@EVERY
def test_nothing_is_written_to(kind: str, rule: SessionRule) -> None:
    model = made(kind, rule)
    events, starts = some(rule)
    state = begun(model)
    for array in (*state.values(), *events, starts):
        array.setflags(write=False)
    copies = [array.copy() for array in (*state.values(), *events, starts)]
    after = advance(model, events.at(0), starts[0], state)
    model.step(events.at(1), after)
    model.scan(events, starts, state)
    query = model.query(state, np.full(B, 2e6))
    model.score(query)
    model.score(query, np.array([1, 0], np.int32))
    for array, copy in zip((*state.values(), *events, starts), copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@EVERY
def test_the_state_holds_the_time_of_the_last_event(kind: str, rule: SessionRule) -> None:
    model = made(kind, rule)
    assert np.isnan(model.initial_state(B)["time"]).all()
    assert all(len(array) == B for array in model.initial_state(B).values())
    events, starts = some(rule)
    _, last = model.scan(events, starts, begun(model))
    for state, time in ((last, events.time[-1]), (begun(model), np.full(B, 1e6 - 1))):
        assert state["time"].dtype == np.float64
        np.testing.assert_array_equal(state["time"], time)


@EVERY
def test_candidates_get_the_scores_they_have_in_the_whole_catalog(kind: str, rule: SessionRule) -> None:
    model = made(kind, rule)
    query = model.query(begun(model))
    whole = model.score(query)
    assert whole.shape == (B, N)
    assert whole.dtype == np.float32
    assert len(np.unique(whole[0])) > 2
    for candidates in ([5], [3, 0, 7, 3], list(range(N))[::-1]):
        found = model.score(query, np.array(candidates, np.int32))
        np.testing.assert_allclose(found, whole[:, candidates], atol=1e-6, rtol=0)


@EVERY
def test_what_is_restored_gives_the_same_scores(kind: str, rule: SessionRule) -> None:
    model = made(kind, rule)
    again = restored(kind, model, rule, {name: array.copy() for name, array in model.arrays().items()})
    assert again.settings() == model.settings()
    assert again.rule == rule
    events, starts = some(rule)
    queries, others = (one.scan(events, starts, begun(one))[0] for one in (model, again))
    for t in range(T):
        found, expected = again.score(pick(others, t)), model.score(pick(queries, t))
        np.testing.assert_array_equal(found, expected)


@EVERY
def test_a_request_past_the_gap_is_answered_as_an_opening_event_would_be(kind: str, rule: SessionRule) -> None:
    model = made(kind, rule)
    state = begun(model)
    now = state["time"] + [100.0, 100.5, 5000.0]
    inside, fresh = model.score(model.query(state)), model.score(model.query(model.initial_state(B)))
    same_state(at_request(model, state, None), state)
    seen = at_request(model, state, now)
    if rule.resets:
        same_state(rows_at(seen, [0]), rows_at(state, [0]), 0)
        same_state(rows_at(seen, [1, 2]), rows_at(model.initial_state(B), [1, 2]), 0)
        expected = np.concatenate([inside[:1], fresh[1:]])
        np.testing.assert_array_equal(model.score(model.query(state, now)), expected)
    else:
        same_state(seen, state, 0)
    np.testing.assert_array_equal(model.score(model.query(state, state["time"])), inside)


@EVERY
def test_an_unknown_item_gives_finite_scores_first_and_later(kind: str, rule: SessionRule) -> None:
    model = made(kind, rule)
    unknown = Event(np.full(B, -1, np.int32), np.full(B, 1e6), np.array([True, False, False]))
    for state in (model.initial_state(B), begun(model)):
        assert np.isfinite(model.score(model.query(state))).all()
        assert np.isfinite(model.score(model.query(model.step(unknown, state)))).all()


@EVERY
def test_rows_are_independent(kind: str, rule: SessionRule) -> None:
    model = made(kind, rule)
    events, starts = some(rule)
    queries, last = model.scan(events, starts, begun(model))
    for b in range(B):
        one = events.at((slice(None), [b]))
        alone, state = model.scan(one, starts[:, [b]], rows_at(begun(model), [b]))
        same_query(alone, pick(queries, (slice(None), [b])))
        same_state(state, rows_at(last, [b]))


@EVERY
def test_arrays_that_are_missing_or_misshapen_are_refused(kind: str, rule: SessionRule) -> None:
    model = made(kind, rule)
    arrays = model.arrays()
    assert arrays
    in_graph = (".stack.", ".boundary", ".pause", ".event_part") if kind in LIGHT else ()
    for name, array in arrays.items():
        if any(part in f".{name}" for part in in_graph):
            continue
        without = {other: kept for other, kept in arrays.items() if other != name}
        for damaged in (without, {**arrays, name: array[None]}):
            with pytest.raises(ArtifactError, match=name):
                restored(kind, model, rule, damaged)
        with pytest.raises(ArtifactError):  # where two arrays no longer fit each other, either may be named
            restored(kind, model, rule, {**arrays, name: array[:-1]})
