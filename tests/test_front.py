"""Someone of whom nothing is known gets the list that scoring all items gives, without its being done."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules_shop import CATEGORIES, IDS, NAMES, N, contradicts, rules_of, shop
from segue.models.counts import Lists
from segue.models.log_counts import LogCounts
from segue.ranking.pool import pool_of
from segue.ranking.rules import Bound, Limits
from segue.serving.engine import Engine
from segue.serving.lists import filling
from segue.serving.lists.applied import rules_of as checked
from segue.serving.lists.asks import Ask, Ranked
from segue.serving.lists.diverse import Wish
from segue.serving.lists.fallback import Chain
from segue.serving.lists.front import Front
from segue.serving.task import question_of
from serving_models import Fading

LARGE = 3000


class Shy(Fading):
    """Knows nothing of strangers, as a network."""

    knows_strangers = False


def counts(n_items: int, seed: int = 1) -> LogCounts:
    """A quarter of the items are trending, many of them as much as others."""
    rng = np.random.default_rng(seed)
    events = rng.integers(0, 5, n_items).astype(np.int32)
    first = np.where(events > 0, rng.integers(0, 50, n_items).astype(float), np.inf)
    recent = np.where(events > 0, rng.integers(-6, 3, n_items), -np.inf).astype(np.float32)
    nothing = np.zeros(n_items, np.int32)
    return LogCounts(Lists.empty(n_items), nothing[:0], nothing, events, events, recent, first, np.array([100.0]))


CHAIN = Chain(counts(LARGE))


def some(rng: np.random.Generator, share: float) -> Any:
    return np.flatnonzero(rng.random(LARGE) < share).astype(np.int32)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.001, 0.5, 0.9, 0.999, 1.0]),
    st.sampled_from([0.0, 0.001, 0.3, 1.0]),
    st.sampled_from([1, 10, 200, LARGE + 5]),
    st.booleans(),
)
def test_the_best_are_those_of_all(seed: int, denied: float, moved: float, size: int, ahead: bool) -> None:
    rng = np.random.default_rng(seed)
    shifted = some(rng, moved)
    bound = Bound(shifted=shifted, shift=rng.integers(-3, 4, len(shifted)) / 2)
    gone = CHAIN.best.items[: int(denied * LARGE)] if ahead else some(rng, denied)
    limits, also = Limits(LARGE, None, np.sort(gone)), rng.random(LARGE) < 0.2
    front = Front.of(CHAIN, limits, bound)
    if front is None:
        assert len(limits.answerable) * 32 <= LARGE
        return
    scores = CHAIN.by_item.scores + bound.shift_of(np.arange(LARGE, dtype=np.int32))
    for shut, found in ((limits.mask, front.best(size)), (limits.mask | also, front.best(size, also))):
        left = np.flatnonzero(~shut).astype(np.int32)
        expected = pool_of(left, scores[left], size)
        np.testing.assert_array_equal(found.items, expected.items)
        np.testing.assert_array_equal(found.scores, expected.scores)
    for item in rng.integers(0, LARGE, 10).tolist():
        assert front.score_of(item) == (-np.inf if limits.mask[item] else scores[item])


def ask(engine: Engine, k: int, rules: Any, wish: Wish, **more: Any) -> Ranked:
    applied = None if rules is None else engine.applied(checked(rules), None, k)
    task = question_of(None, [], Ask(k, rules=applied, diverse=engine.diverse(wish), explain=True, **more))
    engine.submit([task])
    ranked = task.result.result().ranked
    assert ranked is not None
    return ranked


def test_lists_with_rules_are_those_of_all_items() -> None:
    engine, rng, listed = shop(model=Shy, windows=True, counts=counts(N)), random.Random(3), 0
    for _ in range(300):
        k = rng.choice([1, 2, 5, 10, 24, 40])
        rules = rng.choice([None, rules_of(rng, k)])
        if rules is not None and contradicts(rules, k):
            continue
        wish = rng.choice([Wish(), Wish(0.3, "mmr"), Wish(1.0, "quotas", seed=4)])
        more = rng.choice([{}, {"categories": rng.sample(NAMES, 2)}, {"candidates": rng.sample(IDS, 9)}])
        found = ask(engine, k, rules, wish, **more)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Front, "of", classmethod(lambda *_: None))
            assert found == ask(engine, k, rules, wish, **more)
        listed += 1
    assert listed > 150


FEW = {"deny": {"items": ["i3"]}}


@pytest.mark.parametrize(
    ("rules", "wish", "more"),
    [
        (FEW, Wish(), {}),
        (None, Wish(0.3, "mmr"), {}),
        (None, Wish(), {"categories": ["drama", "war"]}),
        ({"boost": [{"categories": ["war"], "factor": 2}], "pin": [{"item": "i5", "place": 2}]}, Wish(), {}),
        ({"apart": [{"by": "brand", "within": 1}]}, Wish(), {}),
    ],
)
def test_not_all_items_are_looked_at(
    rules: Any, wish: Wish, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = shop(model=Shy, counts=counts(N))
    assert engine.bundle.chain is not None
    _ = engine.bundle.chain.by_item

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("all that may be answered was gone through")

    monkeypatch.setattr(Limits, "answerable", property(refuse))
    monkeypatch.setattr(Chain, "order", refuse)
    found = ask(engine, 5, rules, wish, **more)
    assert len(found.items) == 5
    assert set(found.filled.values()) <= {"trending", "newest"}


def test_the_ranks_before_diversity_are_those_of_a_plain_list(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = shop(model=Shy, counts=counts(N))
    plain = [item for item, _ in ask(engine, N, None, Wish()).items]
    calls: list[Any] = []
    monkeypatch.setattr(filling, "limits_of", lambda *given: calls.append(given))
    found = ask(engine, 5, None, Wish(0.5, "mmr"))
    assert list(found.before_rules) == plain
    assert calls == []


def test_what_is_answered_of_few_categories_is_in_them() -> None:
    found = ask(shop(model=Shy, counts=counts(N)), 24, None, Wish(), categories=["new"])
    assert {item for item, _ in found.items} == {IDS[n] for n in range(N) if "new" in (CATEGORIES[n] or [])}
