"""Intervals cover the truth as often as they say: a sample of what `benchmarks/intervals.py` does in full."""

import pytest
from interval_coverage import alpha_coverage, coverage, essay_coverage
from simulated_designs import ALPHA_DESIGNS, DESIGNS, ESSAY_DESIGNS, SCALE_DESIGNS

COHORTS = 400


@pytest.mark.parametrize("design", (*DESIGNS, *SCALE_DESIGNS), ids=lambda design: design.name)
def test_levels_and_contrasts(design):
    cohorts = COHORTS // 4 if design.combos * len(design.paths) > 400 else COHORTS
    results = coverage(design, cohorts, seed=11)
    for kind in ("level", "contrast"):
        own = [result for result in results if result.kind == kind]
        covered = sum(result.covered for result in own) / sum(result.printed for result in own)
        # 400 cohorts tell a coverage to about 2 points; the promise itself is 93 to 97, or 99.
        assert 0.92 <= covered <= (0.995 if design.tied else 0.98), kind
        assert min(result.share_printed for result in own) >= (0.98 if design.failed or design.kept < 1 else 1.0)
    for result in (result for result in results if result.kind == "contrast"):
        assert result.relative_width <= 1.1, result.factor


@pytest.mark.parametrize("design", ALPHA_DESIGNS, ids=lambda design: design.name)
def test_alpha(design):
    assert 0.88 <= alpha_coverage(design, COHORTS, seed=11).share <= 0.99


@pytest.mark.parametrize("design", ESSAY_DESIGNS, ids=lambda design: design.name)
def test_essays(design):
    assert 0.92 <= essay_coverage(design, 25, seed=11).share <= 0.99
