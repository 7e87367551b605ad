"""Each strategy against its plain form: what the formula says, item by item."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest

from segue.errors import ConfigError, RequestError
from segue.ranking.diversity import STRATEGIES, Kinds, Known, Pool, discover, parse, relevance, strategy
from segue.ranking.diversity import base as registry

CASES = [(n, k, d, seed) for n, k in ((9, 4), (25, 10)) for d in (0.15, 0.5, 0.85) for seed in range(3)]


def a_pool(n: int, seed: int, width: int = 6, kinds: int = 4) -> Pool:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, width)) + 0.8
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    table = rng.random((n, kinds)) < 0.4
    table[table.sum(axis=1) == 0, 0] = True
    taste = rng.random(kinds)
    return Pool(
        np.arange(n),
        np.sort(rng.normal(size=n))[::-1].astype(np.float32),
        vectors.astype(np.float32),
        table,
        rng.random(n) + 0.01,
        taste / taste.sum(),
        rng.random(n) < 0.3,
    )


def run(name: str, pool: Pool, k: int, diversity: float, seed: int = 1, **given: int) -> list[int]:
    return np.asarray(STRATEGIES[name](pool, k, diversity, np.random.default_rng(seed), **given)).tolist()


def unit(scores: np.ndarray) -> np.ndarray:
    scores = scores.astype(np.float64)
    return (scores - scores.min()) / (scores.max() - scores.min())


def by_place(scores: np.ndarray) -> np.ndarray:
    """The relevance of distinct scores, the best first."""
    return 1 / np.log2(1 + np.arange(1, len(scores) + 1))


def greedy(n: int, k: int, value) -> list[int]:
    """Whatever adds the most, first of equals."""
    chosen: list[int] = []
    for _ in range(k):
        rest = [i for i in range(n) if i not in chosen]
        chosen.append(max(rest, key=lambda i: value(chosen, i)))
    return chosen


@pytest.mark.parametrize(("n", "k", "d", "seed"), CASES)
def test_mmr_is_the_plain_quadratic_form(n: int, k: int, d: float, seed: int) -> None:
    pool = a_pool(n, seed)
    r, alike = by_place(pool.scores), pool.vectors.astype(np.float64) @ pool.vectors.T

    def value(chosen: list[int], i: int) -> float:
        return (1 - d) * r[i] - d * max([0.0, *(alike[i, j] for j in chosen)])

    assert run("mmr", pool, k, d) == greedy(n, k, value)


@pytest.mark.parametrize(("n", "k", "d", "seed"), CASES)
def test_dpp_is_greedy_in_the_determinants_of_the_kernel(n: int, k: int, d: float, seed: int) -> None:
    pool = a_pool(n, seed)
    r, kernel = by_place(pool.scores), 0.9 * pool.vectors.astype(np.float64) @ pool.vectors.T
    np.fill_diagonal(kernel, 1.0)

    def likely(chosen: list[int]) -> float:
        sign, size = np.linalg.slogdet(kernel[np.ix_(chosen, chosen)])
        assert sign > 0
        return (1 - d) * r[chosen].sum() + d * size

    assert run("dpp", pool, k, d) == greedy(n, k, lambda chosen, i: likely([*chosen, i]))


@pytest.mark.parametrize(("n", "k", "d", "seed"), CASES)
def test_calibrated_is_greedy_in_relevance_less_divergence(n: int, k: int, d: float, seed: int) -> None:
    pool = a_pool(n, seed)
    r, p = by_place(pool.scores), pool.taste
    of = pool.kinds / pool.kinds.sum(axis=1, keepdims=True)

    def value(chosen: list[int], i: int) -> float:
        whole = [*chosen, i]
        q = 0.99 * of[whole].mean(axis=0) + 0.01 * p
        return (1 - d) * r[whole].sum() - d * float((p * np.log(p / q)).sum())

    assert run("calibrated", pool, k, d) == greedy(n, k, value)


def test_in_orthogonal_groups_mmr_and_dpp_take_one_of_each_which_is_the_best_list_there_is() -> None:
    vectors = np.repeat(np.eye(4, dtype=np.float32), 3, axis=0)[np.random.default_rng(2).permutation(12)]
    pool = Pool(np.arange(12), np.linspace(1.1, 1.0, 12, dtype=np.float32), vectors)
    kernel = 0.9 * vectors @ vectors.T
    np.fill_diagonal(kernel, 1.0)
    r = by_place(pool.scores)

    def likely(chosen: tuple[int, ...]) -> float:
        return 0.1 * r[list(chosen)].sum() + 0.9 * np.linalg.slogdet(kernel[np.ix_(chosen, chosen)])[1]

    best = max(combinations(range(12), 4), key=likely)
    assert sorted(run("dpp", pool, 4, 0.9)) == sorted(run("mmr", pool, 4, 0.9)) == sorted(best)
    assert len({tuple(row) for row in vectors[list(best)]}) == 4


def test_equal_vectors_are_taken_once_the_others_are_used_up() -> None:
    vectors = np.repeat(np.eye(2, dtype=np.float32), 5, axis=0)
    pool = Pool(np.arange(10), np.linspace(2, 1, 10, dtype=np.float32), vectors)
    found = run("dpp", pool, 10, 1.0)
    assert {found[0] // 5, found[1] // 5} == {0, 1}
    assert sorted(found) == list(range(10))


def test_a_list_calibrated_fully_has_the_mix_of_the_taste() -> None:
    kinds = np.zeros((40, 2), bool)
    kinds[:30, 0], kinds[30:, 1] = True, True
    pool = Pool(np.arange(40), np.linspace(2, 1, 40, dtype=np.float32), kinds=kinds, taste=np.array([0.7, 0.3]))
    assert sum(place < 30 for place in run("calibrated", pool, 10, 0.999)) == 7


def test_quotas_hold_what_was_given_and_take_the_best_that_fit() -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        kinds = np.eye(5, dtype=bool)[rng.choice(5, size=14, p=[0.5, 0.2, 0.1, 0.1, 0.1])]
        pool = Pool(np.arange(14), np.linspace(2, 1, 14, dtype=np.float32), kinds=kinds)
        for at_most, at_least in ((1, 1), (2, 1), (5, 5), (2, 4)):
            fitting = [
                chosen
                for chosen in combinations(range(14), 5)
                if kinds[list(chosen)].sum(axis=0).max() <= at_most
                and kinds[list(chosen)].any(axis=0).sum() >= at_least
            ]
            if fitting:  # the first in lexicographic order is the best by place
                assert run("quotas", pool, 5, 0.0, at_most=at_most, at_least=at_least) == list(fitting[0])


def test_quotas_from_the_knob_are_at_1_one_of_a_kind_and_give_way_where_there_are_too_few_kinds() -> None:
    kinds = np.eye(3, dtype=bool)[[0, 0, 0, 0, 1, 1, 2]]
    pool = Pool(np.arange(7), np.linspace(2, 1, 7, dtype=np.float32), kinds=kinds)
    assert run("quotas", pool, 3, 1.0) == [0, 4, 6]
    assert run("quotas", pool, 5, 1.0) == [0, 1, 4, 5, 6]
    with pytest.raises(RequestError, match="`at_most` is 0"):
        run("quotas", pool, 5, 0.5, at_most=0)


def test_less_popular_at_1_is_the_rarest_first() -> None:
    pool = a_pool(20, 3)
    assert run("less_popular", pool, 20, 1.0) == np.argsort(pool.shares, kind="stable").tolist()
    r, p = by_place(pool.scores), unit(np.log(pool.shares))
    assert run("less_popular", pool, 20, 0.4) == np.argsort(-(0.6 * r - 0.4 * p), kind="stable").tolist()


def test_rotation_draws_as_plackett_and_luce_say() -> None:
    scores = np.array([2.0, 1.5, 1.0], np.float32)
    pool, d, rng = Pool(np.arange(3), scores), 0.6, np.random.default_rng(5)
    weight = np.exp(by_place(scores) / d**2)
    draws = [tuple(STRATEGIES["rotation"](pool, 2, d, rng).tolist()) for _ in range(4000)]
    for a, b in permutations(range(3), 2):
        expected = weight[a] / weight.sum() * weight[b] / (weight.sum() - weight[a])
        assert draws.count((a, b)) / len(draws) == pytest.approx(expected, abs=0.03)


def test_exploration_shows_every_new_item_as_often_as_its_floor_says() -> None:
    new = np.zeros(30, bool)
    new[[2, 12, 17, 22, 27]] = True
    pool, rng = Pool(np.arange(30), np.linspace(2, 1, 30, dtype=np.float32), new=new), np.random.default_rng(5)
    lists = [STRATEGIES["exploration"](pool, 10, 0.25, rng) for _ in range(2000)]
    shown = np.bincount(np.concatenate(lists), minlength=30) / len(lists)
    assert shown[2] == 1.0, "it is in the list by itself"
    # 2.5 slots on average, one of them taken by the item that is there anyway
    assert shown[[12, 17, 22, 27]] == pytest.approx(np.full(4, 1.5 / 4), abs=0.04)
    assert shown[10:].sum() == pytest.approx(1.5, abs=0.04)


def test_the_long_tail_is_drawn_in_proportion_to_rarity_and_takes_the_last_places() -> None:
    shares = np.array([0.3, 0.3, 0.2, 0.1, 0.05, 0.05, 0.0])
    pool, rng = Pool(np.arange(7), np.linspace(2, 1, 7, dtype=np.float32), shares=shares), np.random.default_rng(5)
    lists = np.stack([STRATEGIES["long_tail"](pool, 3, 0.25, rng) for _ in range(4000)])
    assert (lists[:, :2] == [0, 1]).all()
    drawn = np.bincount(lists[:, 2], minlength=7)
    assert drawn[2] / len(lists) == pytest.approx(0.25, abs=0.02), "three quarters of a place are drawn"
    rarity = 1 / np.array([0.1, 0.05, 0.05, 0.05])  # without events: as the rarest
    np.testing.assert_allclose(drawn[3:] / drawn[3:].sum(), rarity / rarity.sum(), atol=0.03)


def test_exploration_without_new_items_is_the_order_of_the_pool() -> None:
    pool = Pool(np.arange(9), np.linspace(2, 1, 9, dtype=np.float32), new=np.zeros(9, bool))
    assert run("exploration", pool, 4, 1.0) == [0, 1, 2, 3]
    everyone = pool._replace(new=np.arange(9) >= 3)
    assert sorted(run("exploration", everyone, 4, 1.0)) == sorted(set(run("exploration", everyone, 4, 1.0)))
    assert min(run("exploration", everyone, 4, 1.0)) >= 3


def test_relevance_is_by_place_and_equal_scores_are_equally_relevant() -> None:
    assert relevance(np.array([3e38, 0.0, -3e38], np.float32)).tolist() == pytest.approx([1, 1 / np.log2(3), 0.5])
    found = relevance(np.array([2.0, 2.0, 1.0, 1.0, 1.0, 0.0], np.float32))
    assert found.tolist() == pytest.approx([1, 1, 0.5, 0.5, 0.5, 1 / np.log2(7)])
    assert relevance(np.zeros(0, np.float32)).tolist() == []


def test_a_taste_is_the_mean_over_the_distinct_items_of_the_past() -> None:
    kinds = Kinds.of([["a"], ["a", "b"], None, ["c", "b"]])
    found = kinds.tastes(np.array([0, 0, 0, 0, 1, 1, 3]), np.array([0, 0, 1, 2, 3, -1, 2]), 4)
    np.testing.assert_allclose(found, [[0.75, 0.25, 0], [0, 0.5, 0.5], [0, 0, 0], [0, 0, 0]])
    assert kinds.taste(np.array([3, 3, -1])).tolist() == [0, 0.5, 0.5]
    assert kinds.taste(np.zeros(0, np.int64)).tolist() == [0, 0, 0]


def test_of_many_categories_the_largest_are_kept_and_the_others_counted() -> None:
    kinds = Kinds.of([["a", "z"], ["z", "b"], ["z", "b"], ["c"]], most=2)
    assert (kinds.names, kinds.left_out) == (("b", "z"), 2)
    assert kinds.table(np.array([3, 1])).tolist() == [[False, False], [True, True]]


def test_a_pool_is_cut_from_what_is_known() -> None:
    known = Known(vectors=np.eye(3, dtype=np.float32), kinds=Kinds.of([["a"], None, ["b"]]), shares=np.arange(3))
    assert known.fields == {"vectors", "kinds", "taste", "shares"}
    pool = known.pool(np.array([2, 0]), np.array([1.0, 0.5], np.float32), np.array([1.0, 0.0]))
    assert pool.vectors is not None
    assert pool.vectors.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert pool.kinds is not None
    assert pool.kinds.tolist() == [[False, True], [True, False]]
    assert pool.new is None


def test_a_name_that_is_no_strategy_says_what_would_be() -> None:
    with pytest.raises(ConfigError, match="did you mean `mmr`"):
        parse("mmrr")


def test_two_strategies_of_one_name_and_needs_that_no_pool_has_are_errors() -> None:
    with pytest.raises(ConfigError, match=r"`mmr` of .* is already registered"):
        strategy("vectors")(STRATEGIES["mmr"].function)
    with pytest.raises(ConfigError, match="did you mean `vectors`"):
        strategy("vector")


def test_a_file_dropped_in_registers_itself(tmp_path, monkeypatch) -> None:
    (tmp_path / "backwards.py").write_text(
        "import numpy as np\nfrom segue.ranking.diversity.base import strategy\n\n\n"
        "@strategy()\ndef backwards(pool, k, diversity, rng):\n    return np.arange(len(pool.items))[::-1][:k]\n"
    )
    import segue.ranking.diversity as package

    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    try:
        discover(package.__path__, package.__name__)
        assert run("backwards", a_pool(5, 1), 2, 0.5) == [4, 3]
    finally:
        registry.STRATEGIES.pop("backwards", None)
