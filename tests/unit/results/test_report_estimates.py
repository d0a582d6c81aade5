"""Means, standard deviations and intervals, against published values."""

import pytest

from daydreaming.inputs.records import Scale
from daydreaming.results.report.estimates import estimate, student_factor


@pytest.mark.parametrize(
    ("degrees_of_freedom", "factor"),
    # Tables of Student's distribution, two-sided 95%.
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (10, 2.228), (30, 2.042), (100, 1.984)],
)
def test_the_factor_is_that_of_the_tables(degrees_of_freedom, factor):
    assert student_factor(degrees_of_freedom) == pytest.approx(factor, abs=0.0005)


def test_the_factor_of_large_samples_is_hardly_above_that_of_the_normal_distribution():
    assert 1.95996 < student_factor(1_000_000) < 1.95996 * 1.0013


def test_a_sample_has_mean_deviation_and_interval():
    # Worked by hand: s = sqrt(10 / 4), half the interval 2.776445 * s / sqrt(5).
    result = estimate([3.0, 4.0, 5.0, 6.0, 7.0], Scale())
    assert (result.n, result.mean) == (5, 5.0)
    assert result.deviation == pytest.approx(1.581139, abs=1e-6)
    assert result.interval == pytest.approx((3.036757, 6.963243), abs=1e-5)


def test_an_interval_ends_where_scores_end():
    assert estimate([0.0, 10.0], Scale()).interval == (0.0, 10.0)
    assert estimate([1.0, 5.0], Scale(1.0, 5.0)).interval == (1.0, 5.0)
    low, high = estimate([60.0, 70.0], Scale(0.0, 100.0)).interval
    assert 0.0 < low < 10.0 < high


@pytest.mark.parametrize(
    ("scores", "mean", "deviation"), [([], None, None), ([7.0], 7.0, None), ([4.1, 4.1, 4.1], 4.1, 0.0)]
)
def test_there_is_no_interval_where_nothing_tells_how_scores_vary(scores, mean, deviation):
    result = estimate(scores, Scale())
    assert (result.n, result.mean, result.deviation, result.interval) == (len(scores), mean, deviation, None)
