"""One log along three roads, batched, in process and over HTTP, gives the same scores.

Float32 batches of another shape differ in the last bits: 5e-6 is allowed, relative to the largest score.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from litestar.testing import TestClient

from segue.cells import CELLS
from segue.data.encoding.events import EventEncoder
from segue.data.event_values import event_values
from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.data.sessions import Sequences, lay_out
from segue.evaluation.replay import askable, excluded_after, queries
from segue.models.base import Model, SessionRule
from segue.models.build import kind_of
from segue.models.network import Network
from segue.ranking import top_k
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.store.memory import MemoryStore
from segue.training.axes import axes_of
from segue.web.app import create_app

N, UNKNOWN, GAP = 30, 4, 1800.0
TOLERANCE = 5e-6
Answers = dict[int, list[tuple[str, float]]]


def some_log(*, sessions: bool) -> EventLog:
    """20 users, pauses on both sides of the gap, some items outside the catalog, ties in time; features and types."""
    rng = np.random.default_rng(5)
    users = rng.integers(20, size=400).astype(np.int32)
    item = rng.integers(N + UNKNOWN, size=400).astype(np.int32)
    time = np.cumsum(rng.choice([0.0, 5.0, 300.0], 400)) + 1_600_000_000
    log = EventLog(
        users=Ids.of(f"u{i}" for i in range(20)),
        items=Ids.of(f"i{i}" for i in range(N + UNKNOWN)),
        user=users,
        item=item,
        time=time,
        features={
            "price": np.where(rng.random(400) < 0.2, np.nan, rng.normal(size=400)).astype(np.float32),
            "tags": rng.integers(4, size=400).astype(np.int32),
        },
        feature_names={"tags": ("", "a", "b", "a|b")},
        event_type=rng.integers(2, size=400).astype(np.int8),
        type_names=("view", "buy"),
    )
    return replace(log, session=(users * 7 + np.arange(400) // 150).astype(np.int32)) if sessions else log


def network(rule: SessionRule, **settings: Any) -> Network:
    torch.manual_seed(3)
    model = Network(N, rule=rule, width=16, **settings)
    for parameter in model.parameters():  # none may be zero, or a forgotten input would not be noticed
        torch.nn.init.normal_(parameter, std=0.4)
    return model.eval()


def baseline(kind: str, rule: SessionRule, log: EventLog) -> Model:
    return kind_of(kind)(N, rule=rule).fit(laid(log, rule))


def mix(rule: SessionRule, log: EventLog, **settings: Any) -> Model:
    parts = {"network": network(rule, **settings), "neighbours": baseline("sknn", rule, log)}
    return kind_of("mix")(N, rule=rule, weight=0.3, **parts)  # type: ignore[no-any-return]


ENCODER = EventEncoder.fitted(some_log(sessions=False), ("price", "tags", "type"), axes=axes_of)


def laid(log: EventLog, rule: SessionRule) -> Sequences:
    known = np.where(log.item < N, log.item, -1).astype(np.int32)
    features = ENCODER.bound(log)
    return lay_out(log, gap=rule.gap, at_session_start=rule.at_session_start, item=known, features=features)


def batched(model: Model, log: EventLog, exclude: str) -> Answers:
    """By the packed scan of training and evaluation; the answer before each askable event, by its place in the log."""
    sequences = laid(log, model.rule)
    begin = np.repeat(sequences.bounds[:-1], np.diff(sequences.bounds))
    asked = np.append(askable(sequences)[1:], False)
    answers = {}
    for query, place in queries(model, sequences, asked, rows=7, window=13):
        scores = model.score(query)
        lists, values = top_k(scores, N, excluded_after(sequences, place, begin, exclude))
        for at, items, row in zip(sequences.order[place + 1].tolist(), lists, values, strict=True):
            answers[at] = [(f"i{item}", float(v)) for item, v in zip(items, row, strict=True) if item >= 0]
    return answers


def bundle(model: Model, exclude: str) -> Bundle:
    return Bundle(model, Ids.of(f"i{i}" for i in range(N)), version="1", name="m", exclude=exclude, events=ENCODER)  # type: ignore[arg-type]


def live(log: EventLog, at: int) -> dict[str, Any]:
    event = {"user_id": log.users[log.user[at]], "item_id": log.items[log.item[at]], "timestamp": float(log.time[at])}
    (features,) = event_values(log, np.array([at]))
    event |= {"event_type": log.type_names[log.event_type[at]], "features": features}  # type: ignore[index]
    return event if log.session is None else {**event, "session_id": str(log.session[at])}


def in_process(model: Model, log: EventLog, exclude: str, wanted: Answers) -> Answers:
    engine, answers = Engine(bundle(model, exclude), MemoryStore()), {}
    for at in range(len(log)):
        event = live(log, at)
        if at in wanted:
            found = engine.recommend(user_id=event["user_id"], k=N, timestamp=asked_at(log, at))
            answers[at] = found.items
        engine.observe([LiveEvent(**event)])
    return answers


def over_http(model: Model, log: EventLog, exclude: str, wanted: Answers) -> Answers:
    answers = {}
    with TestClient(create_app(Engine(bundle(model, exclude), MemoryStore()))) as client:
        for at in range(len(log)):
            event = live(log, at)
            if at in wanted:
                body = {"user_id": event["user_id"], "k": N, "timestamp": asked_at(log, at)}
                answer = client.post("/v1/recommend", json=body).raise_for_status().json()
                answers[at] = [(one["item_id"], one["score"]) for one in answer["items"]]
            client.post("/v1/events", json={"events": [event]}).raise_for_status()
    return answers


def asked_at(log: EventLog, at: int) -> float:
    """The moment of the request: that of the event itself; with session ids, right after the event before.

    A request carries no session id, so that a pause would open a session which the ids of the log do not know.
    """
    if log.session is None:
        return float(log.time[at])
    return float(log.time[:at][log.user[:at] == log.user[at]][-1])


def same(one: Answers, other: Answers) -> None:
    assert one.keys() == other.keys()
    assert len(one) > 50
    for at, expected in one.items():
        found, wanted = dict(other[at]), dict(expected)
        assert found.keys() == wanted.keys(), f"event {at}: other items are left out"
        scale = max(map(abs, wanted.values()))
        for item, score in wanted.items():
            assert abs(found[item] - score) <= TOLERANCE * scale, f"event {at}, item {item}"


RESET, MARK = SessionRule(GAP, "reset"), SessionRule(GAP, "mark")
ROADS = {
    "gru": (lambda log: network(RESET), "seen"),
    "gru that marks sessions": (lambda log: network(MARK), "current"),
    "gru of two layers with pauses": (lambda log: network(RESET, layers=2, time_gap=True), "none"),
    "gru that marks sessions, with pauses": (lambda log: network(MARK, time_gap=True), "seen"),
    "gru that reads features": (lambda log: network(RESET, features=ENCODER.width), "none"),
    "gru that reads features and marks sessions": (
        lambda log: network(MARK, features=ENCODER.width, block="residual", time_gap=True),
        "current",
    ),
    "markov": (lambda log: baseline("markov", RESET, log), "current"),
    "sknn": (lambda log: baseline("sknn", RESET, log), "none"),
    "popularity": (lambda log: baseline("popularity", MARK, log), "seen"),
    "mix": (lambda log: mix(RESET, log), "none"),
    "mix that marks sessions, with pauses": (lambda log: mix(MARK, log, time_gap=True), "current"),
}


@pytest.mark.parametrize("sessions", [False, True], ids=["pauses cut sessions", "ids cut sessions"])
@pytest.mark.parametrize("name", ROADS)
def test_three_roads_give_the_same_scores(name: str, sessions: bool) -> None:
    log = some_log(sessions=sessions)
    make, exclude = ROADS[name]
    model = make(log)
    expected = batched(model, log, exclude)
    same(expected, in_process(model, log, exclude, expected))
    same(expected, over_http(model, log, exclude, expected))


BLOCKS: dict[str, dict[str, Any]] = {
    "plain": {"layers": 2},
    "residual": {"block": "residual", "front": 2, "convolution": 3, "feed_forward": 1.0},
}


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_is_served_the_scores_of_training(cell: str, block: str) -> None:
    log = some_log(sessions=False)
    model = network(RESET, cell=cell, **BLOCKS[block])
    expected = batched(model, log, "current")
    same(expected, in_process(model, log, "current", expected))


def test_a_road_that_cuts_sessions_otherwise_is_noticed() -> None:
    log = some_log(sessions=False)
    model = network(RESET)
    expected = batched(model, log, "none")
    model.rule = SessionRule(GAP / 3, "reset")
    with pytest.raises(AssertionError):
        same(expected, in_process(model, log, "none", expected))


def test_a_road_that_forgets_the_pause_is_noticed() -> None:
    log = some_log(sessions=False)
    model = network(RESET, time_gap=True)
    expected = batched(model, log, "none")
    model.time_gap = False
    with pytest.raises(AssertionError):
        same(expected, in_process(model, log, "none", expected))


def test_a_road_that_forgets_features_is_noticed() -> None:
    log = some_log(sessions=False)
    model = network(RESET, features=ENCODER.width)
    expected = batched(model, log, "none")
    with pytest.raises(AssertionError):
        same(expected, in_process(model, replace(log, features={}), "none", expected))
    with pytest.raises(AssertionError):
        same(expected, in_process(model, replace(log, type_names=("buy", "view")), "none", expected))
