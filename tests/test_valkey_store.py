"""The store in Valkey: commits whose answers are lost, states that are damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import valkey

from segue.serving.events import LiveEvent
from segue.serving.fold import refold
from segue.serving.store.base import Change, ConflictError, Memory, StoredEvent, UncertainError
from segue.serving.store.valkey import server as valkey_server
from segue.serving.store.valkey.functions import COMMIT, FORGET, TRIM
from segue.serving.store.valkey.store import ValkeyStore
from serving_models import assert_same_memory, engine_of, fading_bundle, memory_of
from valkey_servers import (
    common_server,
    keys_of,
    store_in,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ValkeyStore]:
    opened = store_in(tmp_path)
    yield opened
    opened.close()


def test_a_state_that_cannot_be_read_is_folded_anew(tmp_path: Path, store: ValkeyStore) -> None:
    engine = engine_of(store)
    for user in ("cut", "gone", "whole"):
        engine.observe([LiveEvent(user, "i1", 1.0), LiveEvent(user, "i2", 2.0)])
    client, keys = keys_of(tmp_path)
    client.hset(keys.user("cut"), "memory", client.hget(keys.user("cut"), "memory")[:-3])
    client.hdel(keys.user("gone"), "memory")
    client.close()
    for user in ("cut", "gone", "whole"):
        assert engine.observe([LiveEvent(user, "i3", 3.0)])[0].seq == 3
        assert_same_memory(memory_of(store, user), refold(fading_bundle(), store.history(user)))
    assert (engine.shards[0].tally.damaged, engine.shards[0].tally.refolds) == (2, 2)


def test_functions_that_are_gone_are_loaded_again(store: ValkeyStore) -> None:
    client = common_server().client()
    client.function_flush()
    client.close()
    assert engine_of(store).observe([LiveEvent("u", "i1", 1.0)])[0].seq == 1


def losing(store: ValkeyStore, times: int, *, done: bool, function: str = COMMIT) -> list[int]:
    """The answers to some calls are lost, after they were done or before."""
    together, calls = store._server._together, [0]

    def lost(commands: Any) -> Any:
        if [one[:2] for one in commands] != [("FCALL", function)]:
            return together(commands)
        calls[0] += 1
        answers = together(commands) if done or calls[0] > times else None
        if calls[0] <= times:
            raise valkey.ConnectionError("the connection is gone")
        return answers

    store._server._together = lost  # type: ignore[method-assign]
    return calls


@pytest.mark.parametrize("done", [True, False])
def test_a_commit_whose_answer_is_lost_is_made_once(store: ValkeyStore, done: bool) -> None:
    calls, engine = losing(store, 2, done=done), engine_of(store)
    observed = engine.observe([LiveEvent("u", "i1", 1.0), LiveEvent("v", "i1", 1.0), LiveEvent("u", "i2", 2.0)])
    assert [(one.seq, one.duplicate) for one in observed] == [(1, False), (1, False), (2, False)]
    assert calls == [3]
    assert [one.item_id for one in store.history("u")] == ["i1", "i2"]
    assert engine.observe([LiveEvent("u", "i3", 3.0)])[0].seq == 3


@pytest.mark.parametrize("done", [True, False])
def test_where_no_answer_comes_nothing_is_done_again_and_all_are_told(
    store: ValkeyStore, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    monkeypatch.setattr(valkey_server, "PAUSES", (0.0, 0.0))
    calls, engine = losing(store, 3, done=done), engine_of(store)
    events = [LiveEvent("u", "i1", 1.0), LiveEvent("v", "i1", 1.0, event_id="e")]
    with pytest.raises(UncertainError, match="it is not known whether this was stored"):
        engine.observe(events)
    assert calls == [3]
    assert [len(store.history(user)) for user in "uv"] == [done, done]
    again = engine.observe([events[1], LiveEvent("u", "i2", 2.0)])
    assert [(one.seq, one.duplicate) for one in again] == [(1, done), (1 + done, False)]
    for user in "uv":
        assert_same_memory(memory_of(store, user), refold(fading_bundle(), store.history(user)))


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("function", [FORGET, TRIM], ids=["forget", "trim"])
def test_what_is_forgotten_with_its_answer_lost_is_forgotten_once_and_counted(
    tmp_path: Path, store: ValkeyStore, done: bool, function: str
) -> None:
    engine, other, sent = engine_of(store), store_in(tmp_path), []
    engine.observe([LiveEvent("u", "i1", 1.0), LiveEvent("u", "i2", 2.0)])
    losing(store, 2, done=done, function=function)
    call = store._server._call
    store._server._call = lambda *given: (sent.append(given), call(*given))[1]  # type: ignore[method-assign]
    assert (store.delete("u") if function == FORGET else store.trim(3.0, ["u"])) == 2
    engine_of(other).observe([LiveEvent("u", "i3", 1.0)])
    call(*sent[0])  # the first attempt, which arrives late
    assert [one.item_id for one in store.history("u")] == ["i3"]
    other.close()


def test_a_commit_that_arrives_after_a_later_one_is_refused(tmp_path: Path, store: ValkeyStore) -> None:
    engine, sent = engine_of(store), []
    call = store._server._call
    store._server._call = lambda *given: (sent.append(given), call(*given))[1]  # type: ignore[method-assign]
    engine.observe([LiveEvent("u", "i1", 1.0)])
    engine.observe([LiveEvent("v", "i1", 1.0)])
    assert call(*sent[1]) == 1, "the last one was stored"
    assert store.delete("u") == 1
    with pytest.raises(valkey.ResponseError, match="a later call of this writer is done"):
        call(*sent[0])
    assert (store.history("u"), len(store.history("v"))) == ([], 1)


def change(memory: Memory, seq: int, *events: StoredEvent) -> Change:
    return Change("u", list(events), memory._replace(seq=seq))


def test_a_change_of_what_another_process_changed_is_a_conflict(tmp_path: Path, store: ValkeyStore) -> None:
    engine_of(store).observe([LiveEvent("u", "i1", 1.0, event_id="e"), LiveEvent("u", "i1", 2.0)])
    memory = memory_of(store, "u")
    other = store_in(tmp_path)
    for seq in (1, 2, 4):
        with pytest.raises(ConflictError):
            other.commit([change(memory, seq, StoredEvent(seq, "i2", 3.0))])
    with pytest.raises(ConflictError):
        other.commit([change(memory, 1)])
    with pytest.raises(ConflictError):
        other.commit([change(memory, 3, StoredEvent(3, "i2", 3.0, event_id="e"))])
    assert_same_memory(memory_of(store, "u"), memory)
    other.commit([change(memory, 3, StoredEvent(3, "i2", 3.0))])
    other.close()


def test_an_event_is_found_by_its_id_where_later_ones_are_gone(store: ValkeyStore) -> None:
    times = [50.0, 60.0, 10.0, 70.0, 20.0, 80.0]
    events = [StoredEvent(n + 1, "item " + "\u00e4" * 300, time, event_id=f"e{n + 1}") for n, time in enumerate(times)]
    store.commit([Change("u", events, Memory("v1", 6, None, None, {}))])
    assert store.find([("u", f"e{n}") for n in range(9)]) == {("u", one.event_id): one for one in events}
    assert store.trim(30.0, ["u"]) == 2
    left = [one for one in events if one.time > 30]
    assert store.history("u") == left
    assert store.find([("u", f"e{n}") for n in range(9)]) == {("u", one.event_id): one for one in left}
    assert (store.size("u"), store.last_seq("u"), store.count().events) == (4, 6, 4)
    many = [StoredEvent(n, "i", float(n)) for n in range(7, 2007)]
    store.commit([Change("u", many, Memory("v1", 2006, None, None, {}))])
    assert store.trim(1000.0, ["u"]) == 997
    assert store.history("u") == many[993:]
