"""What is made of objects of their own is made by several threads at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np

from segue.lazy import lazy
from segue.models.base import SessionRule
from segue.ranking.rules import Bound, Limits
from segue.serving.lists.candidates import Candidates
from serving_models import ITEMS, Fading, fading_bundle

WAIT = 20.0
"""Who waits for another that waits for it is given up."""

NOTHING = np.zeros(0, np.int32)


def both(first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(2) as pool:
        return [one.result() for one in [pool.submit(first), pool.submit(second)]]


def test_a_value_is_made_once_an_object_and_by_two_threads_at_the_same_time() -> None:
    meet, made = Barrier(2, timeout=WAIT), []

    class Thing:
        def __init__(self, name: str) -> None:
            self.name = name

        @lazy
        def value(self) -> str:
            """What it is."""
            made.append(self.name)
            meet.wait()
            return self.name * 2

    one, other = Thing("a"), Thing("b")
    assert both(lambda: one.value, lambda: other.value) == ["aa", "bb"]
    assert (one.value, other.value, sorted(made)) == ("aa", "bb", ["a", "b"])
    assert isinstance(Thing.value, lazy)
    assert Thing.value.__doc__ == "What it is."


def test_lists_of_two_threads_are_scored_at_the_same_time() -> None:
    meet = Barrier(2, timeout=WAIT)

    class Meeting(Fading):
        def score(self, query: Any, candidates: Any = None) -> Any:
            meet.wait()
            return super().score(query, candidates)

    bundle = fading_bundle()
    object.__setattr__(bundle, "model", Meeting(len(ITEMS), rule=SessionRule(100)))
    query, n = bundle.model.query(bundle.model.initial_state(1)), len(ITEMS)
    lists = [Candidates(bundle, query, Limits(n, None, NOTHING), Bound(), NOTHING) for _ in range(2)]
    found = both(lambda: lists[0].all, lambda: lists[1].all)
    assert [items.tolist() for items, _ in found] == [list(range(n))] * 2


def test_limits_of_two_threads_are_made_at_the_same_time() -> None:
    meet = Barrier(2, timeout=WAIT)

    class Shut:
        def copy(self) -> Any:
            meet.wait()
            return np.array([True, False, False])

    shut: Any = Shut()
    one, other = (Limits(3, None, np.array([item], np.int32), shut=shut) for item in (1, 2))
    found = both(lambda: one.mask, lambda: other.mask)
    assert [mask.tolist() for mask in found] == [[True, True, False], [True, False, True]]
