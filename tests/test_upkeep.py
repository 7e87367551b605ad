"""What is done beside the requests, in small pieces."""

from __future__ import annotations

import time

import pytest

from segue.serving import upkeep
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.serving.fold import refold
from segue.serving.store.memory import MemoryStore
from segue.serving.upkeep import DAY, Upkeep
from serving_models import ITEMS, NOW, assert_same_memory, engine_of, fading_bundle, memory_of, until


def filled(users: int) -> MemoryStore:
    store = MemoryStore()
    engine_of(store).observe([LiveEvent(f"u{n}", ITEMS[(n + t) % 8], float(t)) for n in range(users) for t in (1, 2)])
    return store


@pytest.mark.parametrize("threads", [False, True])
def test_states_of_another_model_are_folded_anew_while_nobody_asks(threads: bool) -> None:
    store = filled(120)
    engine = engine_of(store, version="v2", threads=threads)
    keeping = Upkeep(engine, seconds=0.01)
    until(lambda: store.count().memories == {"v2": 120})
    keeping.close()
    for user in ("u0", "u119"):
        assert_same_memory(memory_of(store, user), refold(engine.bundle, store.history(user)))
    assert engine.shards[0].tally.refolds == 120
    engine.close()


def test_old_events_are_forgotten_and_the_others_stay() -> None:
    store = MemoryStore()
    engine = engine_of(store, threads=True)
    old, new = NOW - 10 * DAY, NOW - DAY
    engine.observe([LiveEvent(f"u{n}", "i1", old) for n in range(130)])
    engine.observe([LiveEvent(f"u{n}", "i2", new) for n in range(60)])
    before = engine.recommend(user_id="u3", timestamp=new)
    keeping = Upkeep(engine, keep=5 * DAY, clock=lambda: NOW, seconds=0.01)
    until(lambda: store.count().events == 60)
    keeping.close()
    assert store.count().users == 60
    assert engine.recommend(user_id="u3", timestamp=new) == before, "the state still knows"
    assert engine.observe([LiveEvent("u3", "i1", NOW), LiveEvent("u99", "i1", NOW)])[0].seq == 3
    engine.close()


def test_it_takes_a_small_part_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []
    engine = engine_of(filled(3), version="v2")
    keeping = Upkeep(engine, seconds=60)
    monkeypatch.setattr(keeping.ending, "wait", paused.append)
    assert keeping.gently(0, lambda _: time.sleep(0.02) or 7) == 7
    monkeypatch.undo()
    keeping.close()
    assert paused[0] >= 0.02 * (1 / upkeep.SHARE - 1)


def test_one_state_that_cannot_be_folded_keeps_no_other_from_it_and_old_events_go(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = filled(9)
    engine = engine_of(store, version="v2", threads=True)
    shard = engine.shards[0]
    refolded = shard.memories.refolded

    def failing(bundle: Bundle, last: dict[str, int]) -> object:
        if "u3" in last:
            raise ZeroDivisionError("of the test")
        return refolded(bundle, last)

    monkeypatch.setattr(shard.memories, "refolded", failing)
    keeping = Upkeep(engine, keep=DAY, clock=lambda: DAY + 1.5, seconds=0.01)
    until(lambda: store.count().memories == {"v2": 8, "v1": 1} and store.count().events == 9)
    keeping.close()
    assert "a state could not be folded anew: of the test" in caplog.text
    engine.close()


def test_what_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    engine = engine_of(filled(3), version="v2", threads=True)
    keeping = Upkeep(engine, seconds=60)
    keeping.close()
    keeping = Upkeep(engine, keep=DAY, clock=lambda: DAY + 1.5, seconds=0.01)
    trim, failed = keeping.trim, []

    def failing(number: int, before: float) -> int:
        if not failed:
            failed.append(number)
            raise ZeroDivisionError
        return trim(number, before)

    monkeypatch.setattr(keeping, "trim", failing)
    until(lambda: engine.shards[0].store.count().events == 3)
    keeping.close()
    engine.close()


def test_a_store_that_is_closed_ends_it_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    engine: Engine = engine_of(filled(3), version="v2", threads=True)
    keeping = Upkeep(engine, seconds=60)
    engine.close()
    keeping.close()
    assert caplog.text == ""


def test_states_that_are_at_hand_from_before_a_roll_back_are_stored_anew_too() -> None:
    store = MemoryStore()
    engine = engine_of(store)
    engine.observe([LiveEvent(f"u{n}", "i1", 1.0) for n in range(6)])
    keeping = Upkeep(engine, seconds=0.01)
    for version in ("v2", "v1", "v2", "v1"):
        engine.swap(fading_bundle(version=version))
        until(lambda: engine.warm == 1)
        assert store.versions() == {version: 6}
    keeping.close()
