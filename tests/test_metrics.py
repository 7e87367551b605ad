import doctest
import math
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import pytest

import segue.metrics
from segue.errors import ConfigError, EvaluationError
from segue.metrics import METRICS, Lists, attribute_vectors, cooccurrence_vectors, discover, parse
from segue.ranking import NEVER, rank_of

MODULES = [
    "segue.ranking.top_k",
    *(f"segue.metrics.{module.name}" for module in iter_modules(segue.metrics.__path__)),
]


def lists(*rows, n_items=4, counts=None, seen=None, vectors=None):
    items = np.array(rows, dtype=np.int32)
    counts = np.ones(n_items, dtype=np.int64) if counts is None else np.array(counts)
    seen = np.zeros(items.shape, dtype=bool) if seen is None else np.array(seen, dtype=bool)
    vectors = None if vectors is None else np.array(vectors, dtype=np.float32)
    return Lists(items, n_items, counts, seen, vectors)


def value(name, given):
    metric, k = parse(name)
    return np.asarray(metric(given, k)).tolist()


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_the_docstrings_are_true(module):
    assert doctest.testmod(import_module(module)).failed == 0


@pytest.mark.filterwarnings("ignore")  # numba, by way of ranx
def test_rank_metrics_agree_with_ranx(monkeypatch):
    import numba

    # Interpreted, ranx answers at once; compiled, after a minute.
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    from ranx import Qrels, Run, evaluate

    rng = np.random.default_rng(3)
    scores, target = rng.random((80, 30), dtype=np.float32), rng.integers(30, size=80)
    run = {f"q{b}": {f"d{i}": float(s) for i, s in enumerate(row)} for b, row in enumerate(scores)}
    qrels = {f"q{b}": {f"d{item}": 1} for b, item in enumerate(target)}
    ranks = rank_of(scores, target)
    for ours, theirs in [("ndcg", "ndcg"), ("mrr", "mrr"), ("recall", "recall"), ("hr", "hit_rate")]:
        for k in (1, 5, 20):
            expected = evaluate(Qrels(qrels), Run(run), f"{theirs}@{k}")
            assert np.mean(value(f"{ours}@{k}", ranks)) == pytest.approx(expected, abs=1e-12)


def test_rank_metrics_by_hand():
    ranks = np.array([1, 2, 7, NEVER], dtype=np.int32)
    assert value("recall@2", ranks) == [1, 1, 0, 0]
    assert value("mrr@10", ranks) == pytest.approx([1, 1 / 2, 1 / 7, 0])
    assert value("ndcg@10", ranks) == pytest.approx([1, 1 / math.log2(3), 1 / 3, 0])


def test_popularity_is_the_mean_share_of_events():
    assert value("popularity@2", lists([0, 1], [2, -1], counts=[6, 3, 0, 1])) == pytest.approx([0.45, 0.0])
    assert math.isnan(value("popularity@2", lists([0, 1], counts=[0, 0, 0, 0]))[0])


def test_novelty_is_the_mean_information():
    # (count + 1) / (12 + 4): 8/16, 4/16, 1/16, 3/16
    assert value("novelty@2", lists([0, 1], [2, -1], counts=[7, 3, 0, 2])) == pytest.approx([1.5, 4.0])


def test_repeat_share_is_over_the_places_that_hold_an_item():
    given = lists([0, 1, 2, 3], [0, 1, -1, -1], seen=[[1, 0, 0, 0], [1, 0, 1, 1]])
    assert value("repeat_share@4", given) == [0.25, 0.5]


def test_coverage_and_gini_are_over_the_whole_catalog():
    given = lists([0, 1], [0, 2], [0, -1])
    assert value("coverage@2", given) == 0.75
    assert value("coverage@1", given) == 0.25
    # exposures 0 1 1 3: (-3 * 0 - 1 * 1 + 1 * 1 + 3 * 3) / (4 * 5)
    assert value("gini@2", given) == pytest.approx(0.45)
    assert value("gini@1", given) == pytest.approx(3 / 4)
    assert value("gini@2", lists([0, 1], [2, 3])) == 0.0


def test_diversity_is_one_minus_the_mean_cosine_of_the_pairs():
    half = [math.sqrt(0.5), math.sqrt(0.5)]
    given = lists([0, 1, 2], [0, 0, -1], vectors=[[1, 0], [0, 1], half, [0, 0]])
    # cosines 0, 0.7071, 0.7071
    assert value("intra_list_diversity@3", given) == pytest.approx([1 - 2 * math.sqrt(0.5) / 3, 0.0], abs=1e-6)


def test_diversity_leaves_out_items_without_a_vector():
    given = lists([0, 3, 1], [0, 3, -1], [3, 3, 3], vectors=[[1, 0], [0, 1], [1, 0], [0, 0]])
    values = value("intra_list_diversity@3", given)
    assert values[0] == pytest.approx(1.0)
    assert math.isnan(values[1])
    assert math.isnan(values[2])


def test_diversity_of_one_item_is_no_number():
    assert math.isnan(value("intra_list_diversity@1", lists([0, 1], vectors=np.eye(4)))[0])


def test_diversity_without_vectors_says_where_to_get_them():
    with pytest.raises(EvaluationError, match="cooccurrence_vectors"):
        value("intra_list_diversity@2", lists([0, 1]))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ndgc@10", "did you mean `ndcg`"),
        ("ndcg", "write the metric as `ndcg@10`"),
        ("ndcg@", "names no length"),
        ("ndcg@0", "names no length"),
        ("ndcg@ten", "names no length"),
        ("ndcg@-1", "names no length"),
        ("", "is not a metric"),
    ],
)
def test_a_name_that_is_no_metric_says_what_would_be(name, message):
    with pytest.raises(ConfigError, match=message):
        parse(name)


def test_a_file_dropped_in_registers_itself(tmp_path, monkeypatch):
    (tmp_path / "thrice.py").write_text(
        "from segue.metrics.base import rank_metric\n\n\n"
        "@rank_metric\ndef thrice(ranks, k):\n    return 3.0 * (ranks <= k)\n"
    )
    monkeypatch.setattr(segue.metrics, "__path__", [*segue.metrics.__path__, str(tmp_path)])
    try:
        discover(segue.metrics.__path__, "segue.metrics")
        assert value("thrice@5", np.array([5, 6])) == [3.0, 0.0]
    finally:
        METRICS.pop("thrice", None)


def test_two_metrics_of_one_name_are_an_error():
    with pytest.raises(ConfigError, match=r"`ndcg` of .* is already registered by segue.metrics.ndcg"):
        segue.metrics.base.rank_metric(segue.metrics.METRICS["ndcg"].function)


def test_attribute_vectors_are_unit_rows_with_the_cosine_of_sets():
    categories = [["b", "a", "a"], ["a"], ["c"], [], None]
    vectors = attribute_vectors(categories, rng=np.random.default_rng(1))
    half = math.sqrt(0.5)
    np.testing.assert_allclose(vectors, [[half, half, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]], rtol=1e-6)
    assert vectors.dtype == np.float32


def test_many_attributes_are_projected_and_keep_their_cosine():
    categories = [[f"tag{i}" for i in range(start, start + 40)] for start in range(0, 1000, 20)]
    vectors = attribute_vectors([*categories, None], rng=np.random.default_rng(1))
    assert vectors.shape == (51, 256)
    cosines = vectors @ vectors.T
    np.testing.assert_allclose(np.diag(cosines)[:50], 1.0, rtol=1e-5)
    assert np.diag(cosines, 1)[:49].mean() == pytest.approx(0.5, abs=0.05)
    assert np.diag(cosines, 2)[:48].mean() == pytest.approx(0.0, abs=0.05)
    assert not vectors[50].any()


def test_no_items_and_no_attributes_give_empty_vectors():
    assert attribute_vectors([], rng=np.random.default_rng(1)).shape == (0, 0)
    assert attribute_vectors([None, []], rng=np.random.default_rng(1)).shape == (2, 0)


def test_cooccurrence_vectors_have_the_cosine_of_the_sets_of_sequences():
    # item 0 in 7, 8, 9, 10; item 1 in 7 (twice); item 2 in 9, 10; item 3 in 11; item 4 nowhere
    item = np.array([0, 0, 0, 0, 1, 1, 2, 2, 3, -1])
    sequence = np.array([10, 7, 8, 9, 7, 7, 9, 10, 11, 7])
    vectors = cooccurrence_vectors(item, sequence, 5, rng=np.random.default_rng(1), width=40_000)
    expected = np.zeros((5, 5))
    expected[:4, :4] = np.eye(4)
    expected[0, 1] = expected[1, 0] = 1 / math.sqrt(4 * 1)
    expected[0, 2] = expected[2, 0] = 2 / math.sqrt(4 * 2)
    np.testing.assert_allclose(vectors @ vectors.T, expected, atol=0.03)


def test_cooccurrence_vectors_in_small_blocks_have_the_same_cosines(monkeypatch):
    monkeypatch.setattr(segue.metrics.vectors, "SIGNS_A_BLOCK", 20_000 * 7)
    monkeypatch.setattr(segue.metrics.vectors, "PAIRS_A_BLOCK", 11)
    draws = np.random.default_rng(2)
    item, sequence = draws.integers(6, size=200), draws.integers(40, size=200)
    sets = [set(sequence[item == i].tolist()) for i in range(6)]
    exact = [[len(a & b) / math.sqrt(len(a) * len(b)) for b in sets] for a in sets]
    vectors = cooccurrence_vectors(item, sequence, 6, rng=draws, width=20_000)
    np.testing.assert_allclose(vectors @ vectors.T, exact, atol=0.04)


def test_a_log_without_events_gives_zero_vectors():
    empty = np.empty(0, dtype=np.int64)
    assert not cooccurrence_vectors(empty, empty, 3, rng=np.random.default_rng(1)).any()
