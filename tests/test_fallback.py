"""A list that the model leaves short is filled, in a known order, as long as anything may be answered."""

from __future__ import annotations

import numpy as np
import pytest

from baseline_logs import laid
from segue.models.log_counts import LogCounts
from segue.serving.lists.fallback import Chain
from serving_models import fading_bundle

NOTHING = np.zeros(0, np.int32)


def items(*places: int) -> np.ndarray:
    return np.array(places, np.int32)


def counts(
    *sessions: str, n: int = 6, timed: bool = True, half_life: float = 0.5, targets: str | None = None
) -> LogCounts:
    rows = laid(list(sessions))
    worth = None if targets is None else np.isin(rows.item, ["abcdef".index(item) for item in targets])
    rows = rows.other(timed=timed, worth=None if worth is None else worth.astype(np.float32))
    return LogCounts.of(rows, n, half_life=half_life)


def filled(chain: Chain, had: np.ndarray, k: int, left_out: np.ndarray = NOTHING, allowed: np.ndarray | None = None):
    return [(one.item, one.source) for one in chain.fill(had, k, left_out=left_out, allowed=allowed)]


def test_what_others_did_after_the_last_items_comes_first_the_last_item_most() -> None:
    # a: b 2 of 3, c 1 of 3; b: d 1 of 1
    chain = Chain(counts("ab", "ab", "ac", "bd"))
    found = chain.fill(items(0, 1), 3, left_out=NOTHING)
    assert [(one.item, one.source) for one in found] == [(1, "neighbours"), (3, "neighbours"), (2, "neighbours")]
    assert [one.score for one in found] == pytest.approx([2 / 3, 1 / 2, 1 / 3])
    # d now weighs whole, b a third, c a sixth
    found = chain.fill(items(1, 0), 3, left_out=NOTHING)
    assert [one.item for one in found] == [3, 1, 2]
    assert [one.score for one in found] == pytest.approx([1, 1 / 3, 1 / 6])


def test_then_what_is_popular_of_late_then_the_newest() -> None:
    # at 0 a, at 1 b, ..., at 5 c: half-life 2.5; c 2^0 + 2^-0.4 + 2^-1.2; d 2^-0.8, below one event; e and f never came
    chain = Chain(counts("abcdcc"))
    assert filled(chain, NOTHING, 9) == [
        (2, "trending"),
        (4, "newest"),
        (5, "newest"),
        (3, "newest"),
        (1, "newest"),
        (0, "newest"),
    ]
    scores = [one.score for one in chain.fill(NOTHING, 9, left_out=NOTHING)]
    assert scores == pytest.approx([np.log(1 + 2**-0.4 + 2**-1.2), *(-1 - np.array([0, 1, 2, 4, 5]) / 6)])
    assert filled(chain, items(0), 2) == [(1, "neighbours"), (2, "trending")]


@pytest.mark.parametrize("timed", [False, True])
def test_what_is_not_to_be_predicted_is_not_trending_however_frequent(timed: bool) -> None:
    chain = Chain(counts("aaab", "aac", "cab", "b", n=4, timed=timed, targets="bc", half_life=100.0))
    assert [item for item, source in filled(chain, NOTHING, 4) if source == "trending"] == [1, 2]
    assert [source for _, source in filled(chain, NOTHING, 4)[2:]] == ["newest", "newest"]


def test_a_log_without_times_has_its_most_frequent_items() -> None:
    chain = Chain(counts("aab", "cc", "c", n=4, timed=False))
    assert chain.trending[1] == pytest.approx(np.log([3, 2, 1]))
    assert filled(chain, NOTHING, 9) == [(2, "trending"), (0, "trending"), (1, "trending"), (3, "newest")]


def test_what_is_left_out_or_not_allowed_is_not_answered_and_nothing_twice() -> None:
    chain = Chain(counts("ab", "ab", "ac", "bd"))
    assert filled(chain, items(0, -1, 1), 9, items(1, -1)) == [
        (3, "neighbours"),
        (2, "neighbours"),
        *[(item, source) for item, source in filled(chain, NOTHING, 9) if item not in (1, 2, 3)],
    ]
    assert filled(chain, items(0), 9, items(1), items(1, 5, 2)) == [(2, "neighbours"), (5, "newest")]
    assert filled(chain, items(0), 9, items(1), items(1)) == []
    assert filled(chain, items(0), 0) == []


def test_every_item_that_may_be_answered_has_a_place() -> None:
    chain = Chain(counts("abcab", "bcdef", "ffa", n=9))
    for had in (NOTHING, items(0), items(5, 1)):
        assert sorted(item for item, _ in filled(chain, had, 99)) == list(range(9))


def test_a_bundle_without_counts_has_no_chain() -> None:
    assert fading_bundle().chain is None
    assert isinstance(fading_bundle(counts=counts("ab", n=8)).chain, Chain)
