import math

import numpy as np
import pytest

from segue.errors import EvaluationError
from segue.metrics import Bootstrap, bootstrap, intervals


def rng(seed=1):
    return np.random.default_rng(seed)


def half_width(interval):
    return (interval.high - interval.low) / 2


def test_the_interval_of_a_mean_is_that_of_the_normal_theory():
    values = rng().normal(3.0, 2.0, size=4000)
    interval = bootstrap(values, np.arange(4000), rng=rng(), replicates=4000)
    assert interval.value == pytest.approx(values.mean())
    assert half_width(interval) == pytest.approx(1.96 * values.std() / math.sqrt(4000), rel=0.05)
    assert interval.low < interval.value < interval.high


def test_groups_of_many_sequences_give_the_same_width(monkeypatch):
    monkeypatch.setattr(intervals, "MOST_GROUPS", 500)
    values = rng().normal(0.0, 1.0, size=9000)
    resamples = Bootstrap(np.arange(9000), rng=rng(), replicates=2000)
    assert half_width(resamples.interval(values)) == pytest.approx(1.96 / math.sqrt(9000), rel=0.1)


def test_the_interval_holds_the_truth_about_95_times_in_100():
    draws, held = rng(), 0
    for _ in range(200):
        values = draws.random(200) < 0.3
        interval = bootstrap(values.astype(float), np.arange(200), rng=draws, replicates=300)
        held += interval.low <= 0.3 <= interval.high
    assert 0.90 <= held / 200 <= 0.985


def test_equal_values_inside_a_sequence_widen_the_interval():
    values = np.repeat(rng().normal(size=500), 9)
    alone = bootstrap(values, np.arange(4500), rng=rng())
    together = bootstrap(values, np.repeat(np.arange(500), 9), rng=rng())
    # Nine equal values tell as much as one: sqrt(9) times as wide.
    assert half_width(together) / half_width(alone) == pytest.approx(3.0, rel=0.15)


def test_the_value_is_a_mean_over_predictions_not_over_sequences():
    assert bootstrap(np.array([1.0, 0.0, 0.0, 0.0]), np.array([7, -3, -3, -3]), rng=rng()).value == 0.25


def test_a_model_compared_with_itself_differs_by_nothing():
    values = rng().random(300)
    assert Bootstrap(np.arange(300), rng=rng()).compare(values, values) == (0.0, 0.0, 0.0, 1.0)


def test_a_clear_difference_has_the_smallest_p():
    a = rng().random(500)
    difference, low, high, p = Bootstrap(np.arange(500) // 2, rng=rng(), replicates=200).compare(a, a - 0.2)
    assert difference == pytest.approx(0.2)
    assert low == pytest.approx(0.2)
    assert high == pytest.approx(0.2)
    assert p == 1 / 200


def test_p_is_that_of_the_normal_theory():
    a, b = rng(2).normal(size=(2, 2000))
    b += (a - b).mean() - 0.06  # the difference is 0.06 exactly
    z = 0.06 / ((a - b).std() / math.sqrt(2000))
    compared = Bootstrap(np.arange(2000), rng=rng(), replicates=8000).compare(a, b)
    assert compared.p == pytest.approx(math.erfc(z / math.sqrt(2)), abs=0.015)
    assert 0.03 < compared.p < 0.1


def test_without_a_difference_p_is_rarely_small():
    draws, small = rng(), 0
    for _ in range(200):
        a, b = draws.random((2, 150))
        small += Bootstrap(np.arange(150), rng=draws, replicates=300).compare(a, b).p <= 0.05
    assert small / 200 <= 0.1


def test_swapped_models_change_the_sign_alone():
    a, b = rng().random((2, 100))
    resamples = Bootstrap(np.arange(100), rng=rng())
    forth, back = resamples.compare(a, b), resamples.compare(b, a)
    assert forth.difference == -back.difference
    assert forth.low == pytest.approx(-back.high)
    assert forth.p == back.p


def test_values_that_are_missing_count_in_neither_part():
    values = np.array([1.0, np.nan, 0.0, np.nan] * 50)
    resamples = Bootstrap(np.arange(200) // 2, rng=rng())
    assert resamples.interval(values).value == 0.5
    assert resamples.compare(values, np.zeros(200)).difference == 0.5


def test_one_sequence_has_a_value_and_no_bounds():
    assert str(bootstrap(np.array([1.0, 0.0]), np.zeros(2, int), rng=rng())) == (
        "Interval(value=0.5, low=nan, high=nan)"
    )
    assert Bootstrap(np.zeros(2, int), rng=rng()).compare(np.ones(2), np.zeros(2)).p == 1.0


@pytest.mark.parametrize(("sequences", "told"), [(2, False), (29, False), (30, True)])
def test_few_sequences_tell_no_two_models_apart_however_clear_it_looks(sequences, told):
    sequence = np.arange(sequences).repeat(3)
    found = Bootstrap(sequence, rng=rng()).compare(np.ones(len(sequence)), np.zeros(len(sequence)))
    assert found.difference == 1.0
    assert (found.low > 0) is told
    assert math.isnan(found.high) is not told
    assert (found.p == 1.0) is not told


def test_sequences_without_a_value_do_not_help_to_tell_models_apart():
    values = np.where(np.arange(100) < 29, 1.0, np.nan)
    assert math.isnan(Bootstrap(np.arange(100), rng=rng()).compare(values, np.zeros(100)).low)
    worth = np.where(np.arange(100) < 29, 1.0, 0.0)
    assert math.isnan(Bootstrap(np.arange(100), rng=rng()).compare(np.ones(100), np.zeros(100), worth).low)


def test_no_predictions_have_no_value():
    assert all(math.isnan(part) for part in bootstrap(np.empty(0), np.empty(0, int), rng=rng()))


def test_the_same_seed_gives_the_same_interval():
    values = rng().random(50)
    first, second = (bootstrap(values, np.arange(50), rng=rng(4)) for _ in range(2))
    assert first == second


def test_values_of_other_predictions_are_an_error():
    with pytest.raises(EvaluationError, match="3 values came for a bootstrap over 4 predictions"):
        Bootstrap(np.arange(4), rng=rng()).interval(np.zeros(3))
