"""What every registered strategy must fulfil; a new file in `segue/ranking/diversity` is tested with no edit here."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import ConfigError, EvaluationError, RequestError
from segue.ranking.diversity import STRATEGIES, Pool, Strategy

ALL = [pytest.param(strategy, id=name) for name, strategy in STRATEGIES.items()]
KNOBS = (0.1, 0.3, 0.7, 1.0)
FIELDS = ("vectors", "kinds", "shares", "taste", "new")


def a_pool(n: int, seed: int = 1, *, width: int = 5, kinds: int = 4, levels: int = 0) -> Pool:
    """A pool of n; with `levels`, of few distinct scores; the last item is one of which nothing is known."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=n) if not levels else rng.integers(levels, size=n)
    vectors = rng.normal(size=(n, width)).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    table, shares, new = rng.random((n, kinds)) < 0.4, rng.random(n) / max(n, 1), rng.random(n) < 0.3
    vectors[n - 1 :], table[n - 1 :], shares[n - 1 :] = 0.0, False, 0.0
    taste = rng.random(kinds)
    items = rng.permutation(1000)[:n]
    return Pool(items, np.sort(scores)[::-1].astype(np.float32), vectors, table, shares, taste / taste.sum(), new)


def places(strategy: Strategy, pool: Pool, k: int, diversity: float, seed: int = 1) -> list[int]:
    return np.asarray(strategy(pool, k, diversity, np.random.default_rng(seed))).tolist()


@pytest.mark.parametrize("strategy", ALL)
def test_it_tells_its_source_and_edge_cases(strategy: Strategy) -> None:
    for part in ("Source: ", "Deviation", "Edge cases: ", ">>> "):
        assert part in (strategy.function.__doc__ or "")


@pytest.mark.parametrize("strategy", ALL)
def test_at_0_it_gives_the_order_of_the_pool(strategy: Strategy) -> None:
    for levels in (0, 3):
        assert places(strategy, a_pool(50, levels=levels), 10, 0.0) == list(range(10))


@pytest.mark.parametrize("strategy", ALL)
def test_the_knob_changes_the_list(strategy: Strategy) -> None:
    pool = a_pool(50)
    assert places(strategy, pool, 10, 1.0) != list(range(10))


@given(
    n=st.integers(0, 30),
    k=st.integers(1, 40),
    diversity=st.floats(0, 1),
    seed=st.integers(0, 5),
    levels=st.sampled_from([0, 1, 3]),
)
@pytest.mark.parametrize("strategy", ALL)
def test_a_list_is_as_long_as_can_be_and_holds_no_place_twice(
    strategy: Strategy, n: int, k: int, diversity: float, seed: int, levels: int
) -> None:
    pool = a_pool(n, seed, levels=levels)
    kept = [None if field is None else np.array(field) for field in pool]
    found = places(strategy, pool, k, diversity, seed)
    assert len(found) == len(set(found)) == min(n, k)
    assert all(0 <= place < n for place in found)
    assert found == places(strategy, pool, k, diversity, seed), "the same seed gives the same list"
    for before, after in zip(kept, pool, strict=True):
        np.testing.assert_array_equal(before, after, "the pool is not changed")


@pytest.mark.parametrize("strategy", ALL)
def test_a_small_move_of_all_scores_changes_nothing(strategy: Strategy) -> None:
    pool = a_pool(40)
    moved = pool._replace(scores=pool.scores * np.float32(64) - np.float32(8))
    for knob in KNOBS:
        assert places(strategy, moved, 10, knob) == places(strategy, pool, 10, knob)


@pytest.mark.parametrize("strategy", ALL)
@pytest.mark.parametrize("diversity", [float("nan"), -0.1, 1.1, float("inf")])
def test_a_knob_that_is_not_from_0_to_1_is_refused(strategy: Strategy, diversity: float) -> None:
    with pytest.raises(RequestError, match="expected a number from 0"):
        places(strategy, a_pool(5), 3, diversity)


@pytest.mark.parametrize("strategy", ALL)
@pytest.mark.parametrize("scores", [[3.0, np.nan, 1.0], [np.nan, 2.0, 1.0], [3.0, 2.0, -np.inf], [1.0, 2.0, 3.0]])
def test_scores_that_are_no_numbers_or_not_in_order_are_refused(strategy: Strategy, scores: list[float]) -> None:
    pool = a_pool(3)._replace(scores=np.array(scores, np.float32))
    with pytest.raises(EvaluationError, match="expected finite numbers, the best first"):
        places(strategy, pool, 2, 0.5)


@pytest.mark.parametrize("strategy", ALL)
def test_a_list_of_no_length_is_refused(strategy: Strategy) -> None:
    with pytest.raises(RequestError, match="k must be at least 1"):
        places(strategy, a_pool(5), 0, 0.5)


@pytest.mark.parametrize("strategy", ALL)
def test_what_it_needs_and_does_not_get_is_named(strategy: Strategy) -> None:
    for field in FIELDS:
        lacking = a_pool(5)._replace(**{field: None})
        if field in strategy.needs:
            with pytest.raises(ConfigError, match=f"the strategy `{strategy.name}` needs"):
                places(strategy, lacking, 3, 0.5)
        else:
            places(strategy, lacking, 3, 0.5)


@pytest.mark.parametrize("strategy", ALL)
def test_nothing_known_of_any_item_is_no_error(strategy: Strategy) -> None:
    pool = a_pool(12)
    blank = pool._replace(**{field: np.zeros_like(getattr(pool, field)) for field in FIELDS})
    for knob in KNOBS:
        found = places(strategy, blank, 5, knob)
        assert len(set(found)) == 5
        if strategy.name not in ("rotation", "long_tail"):  # these draw
            assert found == list(range(5))
