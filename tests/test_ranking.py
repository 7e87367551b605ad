import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import EvaluationError, RequestError
from segue.ranking import NEVER, Exclusions, mask, rank_of, rows_within, top_k

INF = float("inf")


def row(*scores):
    return np.array([scores], dtype=np.float32)


def sorted_by_hand(scores, k):
    """The naive form: sort (score down, item up), leave out what may not be answered, pad."""
    answerable = [(-score, item) for item, score in enumerate(scores.tolist()) if score > -INF]
    items = [item for _, item in sorted(answerable)][:k]
    return items + [-1] * (k - len(items))


def counted_by_hand(scores, target):
    if target < 0 or scores[target] == -INF:
        return NEVER
    return 1 + sum(item != target and score >= scores[target] for item, score in enumerate(scores))


@st.composite
def cases(draw):
    """Scores from few levels (heavy ties) or many, a tenth at -inf, targets and exclusions with repeats."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, n_items = draw(st.integers(1, 4)), draw(st.sampled_from([1, 2, 7, 40, 300, 1000]))
    levels = draw(st.sampled_from([1, 2, 5, 10**6]))
    scores = rng.integers(levels, size=(rows, n_items)).astype(np.float32)
    scores[rng.random(scores.shape) < draw(st.sampled_from([0.0, 0.1, 0.99]))] = -np.inf
    pairs = draw(st.integers(0, 3 * n_items))
    exclude = Exclusions(rng.integers(rows, size=pairs), rng.integers(-1, n_items, size=pairs))
    return scores, rng.integers(-1, n_items, size=rows), exclude, draw(st.sampled_from([1, 2, 5, 20]))


@settings(max_examples=150, deadline=None)
@given(cases())
def test_the_list_and_the_rank_are_those_of_a_plain_sort(case):
    scores, target, exclude, k = case
    untouched = scores.copy()
    items, values = top_k(scores, k, exclude)
    ranks = rank_of(scores, target, exclude)
    np.testing.assert_array_equal(scores, untouched)
    masked = mask(scores.copy(), exclude)
    for b, left in enumerate(masked):
        assert items[b].tolist() == sorted_by_hand(left, k)
        assert ranks[b] == counted_by_hand(left, target[b])
        assert values[b].tolist() == [left[item] if item >= 0 else -INF for item in items[b]]
    assert (items.dtype, values.dtype, ranks.dtype) == (np.int32, np.float32, np.int32)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([3, 50, 2000]))
def test_without_ties_the_rank_is_the_place_in_the_list(seed, n_items):
    rng = np.random.default_rng(seed)
    scores = rng.permuted(np.tile(np.arange(n_items, dtype=np.float32), (3, 1)), axis=1)
    exclude = Exclusions(rng.integers(3, size=n_items), rng.integers(n_items, size=n_items))
    items, _ = top_k(scores, n_items, exclude)
    for target in range(min(n_items, 50)):
        ranks = rank_of(scores, np.full(3, target), exclude)
        for b in range(3):
            place = np.flatnonzero(items[b] == target)
            assert ranks[b] == (place[0] + 1 if place.size else NEVER)


def test_ties_at_the_end_of_the_list_go_to_the_lowest_items():
    scores = np.zeros((1, 5000), dtype=np.float32)
    scores[0, 4000] = 1.0
    assert top_k(scores, 4)[0].tolist() == [[4000, 0, 1, 2]]


@pytest.mark.parametrize(("rows", "width"), [(2, 3001), (5, 3001), (400, 700), (5, 4500)])
def test_long_rows_and_many_give_the_lists_of_a_plain_sort(rows, width):
    scores = np.random.default_rng(rows).integers(5 * width, size=(rows, width)).astype(np.float32)
    for k in (1, 20, 60, width - 1, width, width + 1000):
        assert top_k(scores, k)[0].tolist() == [sorted_by_hand(row, k) for row in scores]


@pytest.mark.parametrize("levels", [1, 2, 3])
@pytest.mark.parametrize("best", [0.0, 0.002])
def test_rows_of_ties_alone_give_the_lists_of_a_plain_sort(levels, best):
    rng = np.random.default_rng(levels)
    scores = rng.integers(levels, size=(9, 1500)).astype(np.float32)
    scores[rng.random(scores.shape) < best] = 9.0
    scores[3], scores[4, 5:], scores[5, :1490] = -np.inf, -np.inf, -np.inf
    exclude = Exclusions(rng.integers(9, size=600), rng.integers(1500, size=600))
    left = mask(scores.copy(), exclude)
    for k in (1, 7, 20, 200):
        assert top_k(scores, k, exclude)[0].tolist() == [sorted_by_hand(row, k) for row in left]


def test_ties_count_against_the_target():
    assert rank_of(row(1, 1, 1, 0), np.array([1])).tolist() == [3]


def test_a_short_list_is_padded():
    items, values = top_k(row(1, -INF, 2), 4)
    assert items.tolist() == [[2, 0, -1, -1]]
    assert values.tolist() == [[2.0, 1.0, -INF, -INF]]


@pytest.mark.parametrize("shape", [(0, 5), (2, 0), (0, 0)])
def test_no_rows_and_no_items_give_padding(shape):
    scores = np.zeros(shape, dtype=np.float32)
    assert top_k(scores, 3)[0].tolist() == [[-1, -1, -1]] * shape[0]
    assert rank_of(scores, np.full(shape[0], -1)).tolist() == [NEVER] * shape[0]


def test_unknown_and_excluded_targets_never_rank():
    scores, exclude = np.tile(row(3, 2, 1), (3, 1)), Exclusions(np.array([1, 2]), np.array([1, 0]))
    assert rank_of(scores, np.array([-1, 1, 1]), exclude).tolist() == [NEVER, NEVER, 1]


def test_an_unknown_item_excludes_nothing_not_the_last_item():
    exclude = Exclusions(np.array([0]), np.array([-1]))
    assert top_k(row(1, 2, 3), 1, exclude)[0].tolist() == [[2]]
    assert mask(row(1, 2, 3), exclude).tolist() == [[1, 2, 3]]


def test_mask_works_in_place():
    scores = row(1, 2, 3)
    assert mask(scores, Exclusions(np.array([0, 0]), np.array([2, 2]))) is scores
    assert scores.tolist() == [[1, 2, -INF]]


def test_exclusions_of_a_row_that_is_not_there_are_an_error():
    with pytest.raises(IndexError, match="the scores have 1 rows"):
        top_k(row(1, 2), 1, Exclusions(np.array([1]), np.array([0])))


@pytest.mark.parametrize("place", [0, 1234, 4999])
@pytest.mark.parametrize("n_items", [5000, 20_000])
def test_a_score_that_is_no_number_is_an_error(place, n_items):
    scores = np.full((2, n_items), -np.inf, dtype=np.float32)
    scores[1, place] = np.nan
    with pytest.raises(EvaluationError, match="not a number"):
        top_k(scores, 10)
    with pytest.raises(EvaluationError, match="not a number"):
        rank_of(scores, np.array([-1, -1]))


def test_a_list_of_no_items_cannot_be_asked_for():
    with pytest.raises(RequestError, match="k = 0"):
        top_k(row(1), 0)


def test_rows_fit_the_budget_and_are_at_least_one():
    assert rows_within(1000, 12_000) == 3
    assert rows_within(1000, 11_999) == 2
    assert rows_within(10**9, 1) == 1
