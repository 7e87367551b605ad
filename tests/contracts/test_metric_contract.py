"""What every registered metric must fulfil; a new file in `segue/metrics` is tested with no edit here."""

import numpy as np
import pytest

from segue.errors import EvaluationError
from segue.metrics import (
    METRICS,
    BasketMetric,
    CatalogMetric,
    Categories,
    ListMetric,
    Lists,
    RankMetric,
    Runs,
    TargetMetric,
    parse,
)
from segue.metrics.lists import PREDICTIONS_A_BLOCK
from segue.ranking import NEVER

N, K = 12, 6
ALL = [pytest.param(metric, id=name) for name, metric in METRICS.items()]
OF_RANKS = [case for case in ALL if isinstance(case.values[0], RankMetric)]
OF_LISTS = [case for case in ALL if isinstance(case.values[0], ListMetric)]
OF_TARGETS = [case for case in ALL if isinstance(case.values[0], TargetMetric)]
OF_BASKETS = [case for case in ALL if isinstance(case.values[0], BasketMetric)]
OF_CATALOGS = [case for case in ALL if isinstance(case.values[0], CatalogMetric)]


def some_lists(predictions, filled=K):
    rng = np.random.default_rng(5)
    items = rng.permuted(np.tile(np.arange(N, dtype=np.int32), (predictions, 1)), axis=1)[:, :K]
    items[:, filled:] = -1
    vectors = rng.random((N, 3), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kinds = [rng.choice(4, size=size, replace=False) for size in rng.integers(1, 4, size=N)]
    ends = np.sort(rng.integers(1, 60, size=predictions))
    expected = rng.permuted(np.tile(np.arange(N, dtype=np.int32), (predictions, 1)), axis=1)[:, :K]
    return Lists(
        items,
        N,
        np.arange(N),
        rng.random(items.shape) < 0.3,
        vectors,
        target=rng.integers(-1, N, size=predictions).astype(np.int32),
        weight=rng.random(predictions, dtype=np.float32),
        categories=Categories(tuple("abcd"), np.cumsum([0, *map(len, kinds)]), np.concatenate(kinds)),
        past=Runs(np.append(0, rng.integers(-1, N, size=59)), np.zeros_like(ends), ends),
        expected=expected,
        basket=Runs(rng.integers(-1, N, size=80), ends, ends + rng.integers(1, 20, size=predictions)),
    )


@pytest.mark.parametrize("metric", ALL)
def test_it_is_found_by_its_name_and_tells_its_source_and_edge_cases(metric):
    assert parse(f"{metric.name}@7") == (metric, 7)
    for part in ("Source: ", "Edge cases: ", ">>> "):
        assert part in metric.function.__doc__


@pytest.mark.parametrize("metric", OF_RANKS)
def test_a_perfect_first_hit_is_1_and_a_miss_is_0(metric):
    for k in (1, 10):
        ranks = np.array([1, k + 1, NEVER], dtype=np.int32)
        assert metric(ranks, k).tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("metric", OF_RANKS)
def test_a_longer_list_and_a_better_rank_never_cost(metric):
    ranks = np.arange(1, 31, dtype=np.int32)
    table = np.stack([metric(ranks, k) for k in range(1, 31)])
    assert table.min() >= 0
    assert table.max() <= 1
    assert (np.diff(table, axis=0) >= 0).all()
    assert (np.diff(table, axis=1) <= 0).all()
    assert (table > 0).tolist() == (ranks[None, :] <= np.arange(1, 31)[:, None]).tolist()


@pytest.mark.parametrize("metric", OF_RANKS)
def test_no_ranks_give_no_values(metric):
    values = metric(np.empty(0, dtype=np.int32), 10)
    assert values.shape == (0,)
    assert values.dtype == np.float64


@pytest.mark.parametrize("metric", OF_LISTS + OF_TARGETS + OF_BASKETS)
def test_each_list_has_a_value_of_its_own(metric):
    lists = some_lists(2 * PREDICTIONS_A_BLOCK + 3)
    values = metric(lists, K)
    assert values.dtype == np.float64
    assert np.isfinite(values).all()
    assert values.min() >= 0
    assert np.ptp(values) > 0
    np.testing.assert_allclose(values, metric.function(lists))
    alone = lists.part(slice(len(values) - 1, None))
    np.testing.assert_allclose(metric(alone, K), values[-1:])


@pytest.mark.parametrize("metric", OF_LISTS + OF_TARGETS + OF_BASKETS + OF_CATALOGS)
def test_a_list_cut_at_k_and_a_list_that_ends_there_are_the_same(metric):
    ended = some_lists(50, filled=3)
    ended.expected[:, 3:] = -1
    np.testing.assert_allclose(metric(some_lists(50), 3), metric(ended, K))


@pytest.mark.parametrize("metric", OF_LISTS + OF_TARGETS + OF_BASKETS + OF_CATALOGS)
def test_order_within_the_list_does_not_matter(metric):
    lists = some_lists(20)
    turned = lists._replace(items=lists.items[:, ::-1], seen=lists.seen[:, ::-1])
    np.testing.assert_allclose(metric(turned, K), metric(lists, K), rtol=1e-5)


@pytest.mark.parametrize("metric", OF_LISTS)
def test_an_empty_list_has_no_value(metric):
    assert np.isnan(metric(some_lists(3, filled=0), K)).all()
    assert metric(some_lists(0), K).shape == (0,)


@pytest.mark.parametrize("metric", OF_CATALOGS)
def test_the_catalog_has_one_value_between_0_and_1(metric):
    value = metric(some_lists(3), 2)
    assert isinstance(value, float)
    assert 0 < value < 1
    assert np.isnan(metric(some_lists(0), K))


@pytest.mark.parametrize("metric", OF_TARGETS + OF_BASKETS)
def test_what_came_is_found_or_not(metric):
    values = metric(some_lists(400), K)
    assert values.min() == 0
    assert values.max() <= 1
    assert not metric(some_lists(3, filled=0), K).any()
    assert metric(some_lists(0), K).shape == (0,)


@pytest.mark.parametrize("metric", OF_TARGETS)
def test_a_target_outside_the_catalog_is_a_miss(metric):
    lists = some_lists(30)
    assert not metric(lists._replace(target=np.full_like(lists.target, -1)), K).any()


@pytest.mark.parametrize("metric", ALL)
def test_what_it_lacks_is_named_with_the_way_to_give_it(metric):
    for field in sorted(metric.marks.needs):
        if isinstance(metric, RankMetric):
            assert field == "weight"  # the evaluation has it: tests/test_metrics_by_need.py
            continue
        with pytest.raises(EvaluationError, match=f"`{metric.name}` needs .*(give|log|holds)"):
            metric(some_lists(3)._replace(**{field: None}), K)
