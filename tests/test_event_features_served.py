"""Features of events in a server: taken in or told of, kept, folded, exported and backfilled."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from litestar.testing import TestClient

from featured_logs import N, encoder_of, featured_log, network
from segue.data.ids import Ids
from segue.data.log import read_log
from segue.data.sessions import lay_out
from segue.data.splits import TEST, Split
from segue.errors import LogError, RequestError, StoreError
from segue.evaluation.phase import Phase
from segue.models.base import SessionRule
from segue.serving.backfill import backfill
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent, Observed
from segue.serving.fold import refold
from segue.serving.lists.without import without_each
from segue.serving.store import export
from segue.serving.store.base import Change, StoredEvent
from segue.serving.store.folder import StoreFolder
from segue.serving.store.memory import MemoryStore
from segue.serving.store.sqlite import SqliteStore
from segue.serving.store.valkey.codec import decode_event, encode_event
from segue.serving.user_state import after, initial
from segue.traffic.log_plan import LogPlan
from segue.traffic.wire import event_of
from segue.web.app import create_app
from segue.web.messages import OwnEventMessage
from small_shop import Ran

LOG = featured_log(np.random.default_rng(7))
ENCODER = encoder_of(LOG)
MODEL = network(SessionRule(), features=ENCODER.width)


def bundle(version: str = "v1", **more) -> Bundle:
    return Bundle(MODEL, Ids.of(f"i{n}" for n in range(N)), version=version, name="m", **{"events": ENCODER, **more})


def live(user: str, item: str, at: float, features=None, **more) -> LiveEvent:
    return LiveEvent(user, item, at, event_type="buy", features=features, **more)


SOME = [
    live("u", "i1", 1.0, {"price": 0.5, "label": "a"}),
    live("u", "i2", 2.0, {"label": ["a", "b"]}),
    live("u", "i3", 3.0),
    live("u", "i4", 4.0, {"price": "-1.5", "label": None}),
]


def test_an_event_is_kept_with_its_features_and_folded_with_them(tmp_path: Path) -> None:
    engine = Engine(bundle(), StoreFolder(tmp_path / "store"))
    assert engine.observe(SOME) == [Observed(seq, False, True) for seq in (1, 2, 3, 4)]
    (shard,) = engine.shards
    kept = [event.features for event in shard.store.history("u")]
    assert kept == ['{"label":"a","price":0.5}', '{"label":["a","b"]}', None, '{"price":"-1.5"}']
    expected = refold(bundle(), shard.store.history("u")).state["output"]
    engine.close()
    again = Engine(bundle("v2"), StoreFolder(tmp_path / "store"))
    again.observe([live("v", "i1", 1.0)])
    memories, _ = again.shards[0].memories.of(again.bundle, ["u"])
    np.testing.assert_array_equal(memories["u"].state["output"], expected)
    plain = refold(bundle(), [event._replace(features=None) for event in again.shards[0].store.history("u")])
    assert np.abs(plain.state["output"] - expected).max() > 1e-3
    other = refold(bundle(), [event._replace(event_type="view") for event in again.shards[0].store.history("u")])
    assert np.abs(other.state["output"] - expected).max() > 1e-3
    again.close()


def test_what_is_of_another_kind_is_refused_and_what_is_not_read_is_kept_and_told() -> None:
    engine = Engine(bundle(), MemoryStore())
    bad, good, typo = engine.observe(
        [
            live("u", "i1", 1.0, {"price": "much"}),
            live("u", "i2", 1.0, {"price": 2.0}),
            live("u", "i3", 1.0, {"prise": 2.0, "label": 7}),
        ]
    )
    assert (bad.seq, bad.refused) == (0, "features")
    assert bad.message == "feature `price` is 'much'; expected a finite number, as it was learned"
    assert good == Observed(1, False, True)
    assert (typo.seq, typo.refused, list(typo.unread_features)) == (2, None, ["prise"])
    assert "does not read `prise` (did you mean `price`" in (typo.message or "")
    assert engine.shards[0].store.history("u")[1].features == '{"label":7,"prise":2}'
    without = Engine(bundle(events=None), MemoryStore())
    assert list(without.observe([live("u", "i1", 1.0, {"price": "much"})])[0].unread_features) == ["price"]


def test_an_event_that_comes_again_has_the_same_features_or_is_another() -> None:
    engine = Engine(bundle(), MemoryStore())
    first = live("u", "i1", 1.0, {"price": 2, "label": "a"}, event_id="e")
    again = live("u", "i1", 1.0, {"label": "a", "price": 2.0, "x": None}, event_id="e")
    other = live("u", "i1", 1.0, {"label": "a", "price": 2.5}, event_id="e")
    found = engine.observe([first, again, other])
    assert [(one.seq, one.duplicate, one.refused) for one in found] == [
        (1, False, None),
        (1, True, None),
        (0, False, "conflict"),
    ]
    assert "another `features`" in (found[2].message or "")


@pytest.mark.parametrize(
    ("features", "told"),
    [
        ({"price": float("nan")}, "`events[0].features.price` is nan; expected a finite number"),
        ({"type": "buy"}, "`events[0].features.type` is no feature: say it as `event_type` of the event itself"),
        ({"": 1}, "a feature ''; expected a name"),
        ({"label": {"a": 1}}, "expected a number, a text"),
        ({"label": ["a", 1]}, "`events[0].features.label` is 1; expected a number, a text"),
        ({"label": "a\0"}, "without NUL"),
        ({"label": "\ud800"}, "without NUL"),
        ({f"n{n}": n for n in range(101)}, "has 101 features; expected 100"),
        ([1], "expected names and values"),
    ],
)
def test_features_that_no_store_keeps_are_refused(features, told: str) -> None:
    engine = Engine(bundle(), MemoryStore())
    with pytest.raises(RequestError) as error:
        engine.observe([live("u", "i1", 1.0, features)])
    assert told in str(error.value)
    assert engine.shards[0].store.count().events == 0


def test_over_http_they_are_typed_and_told_of() -> None:
    with TestClient(create_app(Engine(bundle(), MemoryStore()))) as client:

        def sent(features, **more):
            event = {"user_id": "u", "item_id": "i1", "features": features, **more}
            return client.post("/v1/events", json={"events": [event]})

        assert sent({"price": 9, "label": ["a", "b"]}).json() == {
            "results": [{"seq": 1, "duplicate": False, "known_item": True}]
        }
        (typo,) = sent({"prise": 9}).json()["results"]
        assert (typo["seq"], typo["unread_features"]) == (2, ["prise"])
        refused = sent({"price": "much"})
        assert refused.status_code == 409
        assert refused.json()["results"][0]["refused"] == "features"
        wrong = sent({"price": {"much": 1}})
        assert (wrong.status_code, wrong.json()["error"]["field"]) == (400, "events[0].features[...]")
        event = {"item_id": "i2", "features": {"price": 0.25}}
        listed = client.post("/v1/recommend", json={"user_id": "u", "k": 3, "event": event}).json()
        assert (listed["event"]["seq"], listed["state_version"]) == (3, 3)


def test_a_user_event_by_event_in_python() -> None:
    served = bundle()
    state = initial(served)
    for event in SOME:
        given = {name: value for name, value in event._asdict().items() if value is not None and name != "user_id"}
        state = after(served, given, state)
    engine = Engine(served, MemoryStore())
    engine.observe(SOME)
    expected = refold(served, engine.shards[0].store.history("u"))
    np.testing.assert_allclose(state.memory.state["output"], expected.state["output"], atol=1e-6)
    with pytest.raises(RequestError, match=r"`prise`, which the model does not read.*did you mean `price`"):
        after(served, {"item_id": "i1", "features": {"prise": 1}}, state)
    with pytest.raises(RequestError, match="feature `price` is 'much'"):
        after(served, {"item_id": "i1", "features": {"price": "much"}}, state)


def test_reasons_leave_out_an_event_with_its_features() -> None:
    engine = Engine(bundle(), MemoryStore())
    engine.observe(SOME)
    events = engine.shards[0].store.history("u")
    found = without_each(bundle(), events, len(events))
    for left, output in zip(found.left.tolist(), found.state["output"], strict=True):
        rest = [event for place, event in enumerate(events) if place != left]
        np.testing.assert_allclose(output, refold(bundle(), rest).state["output"][0], atol=1e-6)


OLD = """
CREATE TABLE users (user INTEGER PRIMARY KEY, user_id TEXT NOT NULL UNIQUE);
CREATE TABLE events (
    user INTEGER NOT NULL, seq INTEGER NOT NULL,
    item_id TEXT NOT NULL, time REAL NOT NULL, stamped INTEGER NOT NULL,
    session_id TEXT, event_id TEXT, event_type TEXT,
    PRIMARY KEY (user, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX events_by_event_id ON events (user, event_id) WHERE event_id IS NOT NULL;
CREATE TABLE versions (version INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE states (
    user INTEGER PRIMARY KEY, version INTEGER NOT NULL, seq INTEGER NOT NULL,
    time REAL, session_id TEXT, item_id TEXT, state BLOB NOT NULL
);
CREATE INDEX states_by_version ON states (version);
INSERT INTO users VALUES (1, 'u');
INSERT INTO events VALUES (1, 1, 'i1', 5.0, 0, 's', 'e', 'buy');
PRAGMA application_id = 0x73656775; PRAGMA user_version = 2;
"""


def test_a_store_from_before_there_were_features_opens_and_takes_them(tmp_path: Path) -> None:
    path = tmp_path / "shard.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(OLD)
    connection.close()
    reader = export.opened(path)
    assert not export.has_features(reader)
    assert reader.execute(export.SELECT.format(features="NULL"), (-1, 0, 9)).fetchall()[0][2:4] == ("u", "i1")
    reader.close()
    store = SqliteStore(path)
    first = StoredEvent(1, "i1", 5.0, False, "s", "e", "buy")
    assert store.history("u") == [first]
    second = StoredEvent(2, "i2", 6.0, features='{"price":1}')
    memory = refold(bundle(), [first, second])
    store.commit([Change("u", [second], memory)])
    store.close()
    for _ in range(2):
        store = SqliteStore(path)
        assert store.history("u") == [first, second]
        store.close()


def test_an_event_in_valkey_without_features_is_as_it_was() -> None:
    old = StoredEvent(3, "i1", 5.0, True, None, "e", "buy")
    assert encode_event(old) == b"5.0\0e\0\x95\x03\xa2i1\xc3\xc0\xa3buy"
    assert decode_event(encode_event(old)) == old
    new = old._replace(features='{"price":1}')
    assert decode_event(encode_event(new)) == new
    with pytest.raises(StoreError, match="cannot be read"):
        decode_event(encode_event(new)[:-1])


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_an_export_has_them_as_columns_that_training_reads(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = Engine(bundle(), StoreFolder(tmp_path / "store", shards=2))
    engine.observe([*SOME, live("v", "i1", 9.0, {"label": "b|a", "is_new": True, "price": 1e-7})])
    engine.close()
    out = tmp_path / f"log.{ending}"
    ran = Ran(capsys, "store", "export", tmp_path / "store", "--out", out)
    assert ran.status == 0, ran.err
    log = read_log(out, feature_cols=("price", "label", "is_new"))
    features = ENCODER.bound(log).at(np.arange(len(log)))
    expected = ENCODER.encode(
        [(event.features, "buy") for event in [*SOME, live("v", "", 9, {"label": "a|b", "price": 1e-7})]]
    )
    np.testing.assert_array_equal(features, expected)
    assert set(log.feature_names["is_new"]) == {"", "true"}


def test_a_backfill_carries_them_and_is_what_came_live() -> None:
    filled = Engine(bundle(), MemoryStore())
    backfill(filled, LOG)
    role = np.full(len(LOG), TEST, np.int8)
    bare = Phase(*[None] * 6)  # type: ignore[arg-type]
    laid = lay_out(LOG, gap=None, at_session_start="reset")
    plan = LogPlan(LOG, Split("time", role, None, ()), bare._replace(replayed=laid, asked=np.zeros(len(LOG), bool)))
    sent = Engine(bundle(), MemoryStore())
    for sending in plan:
        message = msgspec.convert(event_of(sending), OwnEventMessage)
        event = LiveEvent(
            sending.user_id, message.item_id, message.timestamp, None, None, message.event_type, message.features
        )
        assert sent.observe([event])[0].refused is None
    for user in LOG.users:
        one, other = (engine.shards[0].store.history(user) for engine in (filled, sent))
        assert [event[1:] for event in one] == [event[1:] for event in other]
        assert any(event.features for event in one)
    with pytest.raises(LogError, match="no column that was kept of this log"):
        backfill(Engine(bundle(), MemoryStore()), replace(LOG, features={}, feature_names={}))
