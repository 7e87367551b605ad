"""An index finds what a product with the whole catalog finds, leaves out what must be, and is never short."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.ranking import indexing as module
from segue.ranking.index import Index, Quality, restored
from segue.ranking.indexing import build, codes_of
from segue.ranking.top_k import Exclusions, top_k

N, D, K = 3000, 16, 20
NOTHING = Exclusions(np.zeros(0, np.int64), np.zeros(0, np.int64))


def catalog(n: int = N, width: int = D, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Items around some centres, as trained ones lie, and queries near them."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((30, width))
    vectors = centres[rng.integers(0, 30, n)] + 0.5 * rng.standard_normal((n, width))
    queries = vectors[rng.integers(0, n, 64)] + 0.2 * rng.standard_normal((64, width))
    return vectors.astype(np.float32), (0.3 * rng.standard_normal(n)).astype(np.float32), queries.astype(np.float32)


@pytest.fixture(scope="module")
def built() -> tuple[Index, np.ndarray, np.ndarray, np.ndarray]:
    vectors, bias, queries = catalog()
    index = build(vectors, bias, queries)
    assert index is not None
    return index, vectors, bias, queries


def test_it_finds_the_share_of_the_best_that_it_was_measured_to(built) -> None:
    index, vectors, bias, queries = built
    assert index.quality.recall >= 0.99
    others = catalog(seed=4)[2]  # queries it was not built with, somewhere else
    for asked, least in ((queries, 0.99), (others, 0.9)):
        true, _ = top_k(asked @ vectors.T + bias, K)
        found, _ = index.search(asked, [K] * 64, NOTHING)
        assert np.mean([len(np.intersect1d(*pair)) / K for pair in zip(found, true, strict=True)]) >= least


def test_the_best_500_are_found_as_surely_as_the_best_20() -> None:
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((40_000, 32)).astype(np.float32)
    queries = rng.standard_normal((40, 32)).astype(np.float32)
    index = build(vectors, np.zeros(len(vectors), np.float32), queries)
    assert index is not None
    true, _ = top_k(queries @ vectors.T, 500)
    for k in (20, 50, 100, 200, 500):
        found, _ = index.search(queries, [k] * len(queries), NOTHING)
        shares = [len(np.intersect1d(one, best[:k])) / k for one, best in zip(found, true, strict=True)]
        assert np.mean(shares) >= 0.988


def test_scores_are_exact_and_in_order(built) -> None:
    index, vectors, bias, queries = built
    items, scores = index.search(queries, [K] * 64, NOTHING)
    expected = np.einsum("bkd,bd->bk", vectors[items], queries) + bias[items]
    np.testing.assert_allclose(scores, expected, atol=1e-4)
    assert (np.diff(scores, axis=1) <= 0).all()
    assert (items.dtype, scores.dtype) == (np.int32, np.float32)


@settings(max_examples=40, deadline=None)
@given(
    gone=st.lists(st.lists(st.integers(-1, N - 1), max_size=300), min_size=3, max_size=3),
    best=st.lists(st.integers(0, 200), min_size=3, max_size=3),
    k=st.integers(1, 40),
)
def test_nothing_excluded_is_answered_and_no_list_is_short(built, gone, best, k) -> None:
    index, vectors, bias, queries = built
    true, _ = top_k(queries[:3] @ vectors.T + bias, 200)
    left_out = [[*some, *true[row, :first].tolist()] for row, (some, first) in enumerate(zip(gone, best, strict=True))]
    rows = np.repeat(np.arange(3), [len(one) for one in left_out])
    items, scores = index.search(
        queries[:3], [k] * 3, Exclusions(rows, np.array([item for one in left_out for item in one], np.int64))
    )
    for row in range(3):
        assert len(set(items[row].tolist())) == k
        assert (items[row] >= 0).all()
        assert np.isfinite(scores[row]).all()
        assert not set(items[row].tolist()) & set(left_out[row])


def test_where_nearly_all_is_excluded_the_rest_is_answered(built) -> None:
    index, vectors, bias, queries = built
    kept = [5, 77, 2999]
    gone = np.setdiff1d(np.arange(N), kept)
    items, scores = index.search(queries[:1], [10], Exclusions(np.zeros_like(gone), gone))
    exact = queries[0] @ vectors[kept].T + bias[kept]
    assert items[0].tolist() == [kept[i] for i in np.argsort(-exact)] + [-1] * 7
    assert np.isneginf(scores[0, 3:]).all()


def test_many_exclusions_of_one_row_cost_the_others_no_accuracy(built) -> None:
    index, _, _, queries = built
    gone = np.arange(2500)
    items, _ = index.search(queries[:2], [K] * 2, Exclusions(np.zeros_like(gone), gone))
    assert (items[0] >= 2500).all()
    alone, _ = index.search(queries[1:2], [K], NOTHING)
    np.testing.assert_array_equal(items[1], alone[0])


def test_an_index_comes_back_from_its_bytes(built) -> None:
    index, vectors, bias, queries = built
    again = restored(vectors, bias, index.content())
    assert again.quality == index.quality
    expected = index.search(queries, [K] * 64, NOTHING)
    for found, before in zip(again.search(queries, [K] * 64, NOTHING), expected, strict=True):
        np.testing.assert_array_equal(found, before)
    assert len(index.content()) < vectors.nbytes / 4


def test_bytes_of_something_else_are_refused(built) -> None:
    index, vectors, bias, _ = built
    with pytest.raises(ValueError, match="cannot be read"):
        restored(vectors, bias, b"nothing")
    with pytest.raises(ValueError, match=r"is of 3,000 items, expected 2,999"):
        restored(vectors[1:], bias[1:], index.content())


def test_what_cannot_be_found_well_enough_is_left_to_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((4000, 64)).astype(np.float32)  # no two of them are near each other
    monkeypatch.setattr(module, "FACTORS", (1,))
    assert build(vectors, np.zeros(4000, np.float32), rng.standard_normal((16, 64)).astype(np.float32)) is None


def test_finer_codes_are_taken_where_coarse_ones_do_not_find_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((4000, 24)).astype(np.float32)
    queries = rng.standard_normal((32, 24)).astype(np.float32)
    monkeypatch.setattr(module, "FACTORS", (4,))
    index = build(vectors, np.zeros(4000, np.float32), queries)
    assert index is not None
    assert index.quality.dimensions == 1


@pytest.mark.parametrize("width", [1, 2, 7, 8])
def test_any_width_will_do(width: int) -> None:
    vectors, bias, queries = catalog(600, width)
    index = build(vectors, bias, queries)
    assert index is not None
    items, _ = index.search(queries[:4], [5] * 4, NOTHING)
    assert (items >= 0).all()


def test_a_row_depends_on_no_other_row(built) -> None:
    index, _, _, queries = built
    gone = np.arange(0, 900, 3)
    sizes = [1, 3, 7, 40]
    items, scores = index.search(queries[:4], sizes, Exclusions(np.full_like(gone, 2), gone))
    for row, k in enumerate(sizes):
        left = Exclusions(np.zeros_like(gone), gone) if row == 2 else NOTHING
        alone, its_scores = index.search(queries[row : row + 1], [k], left)
        np.testing.assert_array_equal(items[row, :k], alone[0])
        np.testing.assert_array_equal(scores[row, :k], its_scores[0])
        assert (items[row, k:] == -1).all()


@pytest.mark.parametrize("k", [1, 3, 10, 20])
def test_short_lists_are_found_as_well_as_long_ones(built, k) -> None:
    index, vectors, bias, queries = built
    true, _ = top_k(queries @ vectors.T + bias, k)
    found, _ = index.search(queries, [k] * 64, NOTHING)
    assert np.mean([len(np.intersect1d(*pair)) / k for pair in zip(found, true, strict=True)]) >= 0.985


def test_someone_of_whom_nothing_is_known_gets_the_exact_list(built) -> None:
    index, _, bias, _ = built
    nobody = np.zeros((2, D), np.float32)
    best = np.argsort(-bias, kind="stable")
    gone = best[:5]
    items, scores = index.search(nobody, [10, 4], Exclusions(np.ones_like(gone), gone))
    assert items[0].tolist() == best[:10].tolist()
    assert items[1].tolist() == [*best[5:9].tolist(), *[-1] * 6]
    np.testing.assert_array_equal(scores[0], bias[best[:10]])


def test_a_short_list_is_looked_for_as_far_beside_a_long_one_as_alone() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((4000, 64)).astype(np.float32)  # no two of them are near each other
    bias, queries = np.zeros(4000, np.float32), rng.standard_normal((16, 64)).astype(np.float32)
    codes = module.codes_of(vectors, bias, np.arange(4000), 2)
    index = Index(vectors, bias, codes, Quality(0.0, 1, 2))  # finds few of the best
    alone, _ = index.search(queries, [5] * 16, NOTHING)
    beside, _ = index.search(np.concatenate([queries, queries[:1]]), [5] * 16 + [500], NOTHING)
    np.testing.assert_array_equal(beside[:16, :5], alone)


@pytest.mark.parametrize(("dimensions", "factor"), [(4, 4), (8, 3)])
def test_codes_that_take_many_items_for_equally_near_make_no_row_depend_on_another(
    dimensions: int, factor: int
) -> None:
    vectors, bias, queries = catalog(N, 15)
    index = Index(vectors, bias, codes_of(vectors, bias, np.arange(N), dimensions), Quality(1.0, factor, dimensions))
    plain = index.search(queries, [K] * 64, NOTHING)[0]
    rng = np.random.default_rng(5)
    for many in (3, 5, 300, 1500):
        gone = rng.permutation(N)[:many]
        found = index.search(queries, [K] * 64, Exclusions(np.zeros_like(gone), gone))[0]
        np.testing.assert_array_equal(found[1:], plain[1:])
        alone = index.search(queries[:1], [K], Exclusions(np.zeros_like(gone), gone))[0]
        np.testing.assert_array_equal(found[0], alone[0])
    wide = index.search(queries, [100] + [K] * 63, NOTHING)[0]
    np.testing.assert_array_equal(wide[1:, :K], plain[1:])
