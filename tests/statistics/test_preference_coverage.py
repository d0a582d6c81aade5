"""Intervals of pairwise judging cover the truth as often as they say: one design in make test, all in the full set."""

import pytest
from simulated_verdicts import VERDICT_DESIGNS, VerdictDesign
from verdict_coverage import verdict_coverage

# Verdicts of one combo are alike here: intervals as if they were independent of each other cover the win rate in 50%.
SAMPLE = VerdictDesign("8 combos that differ much, 2 models, 2 judges", 8, 2, judges=2, combo_model=1.5)


def test_a_sample():
    results = verdict_coverage(SAMPLE, cohorts=40, seed=11, most=800)
    covered, printed = (sum(getattr(one, what) for one in results.values()) for what in ("covered", "printed"))
    assert 0.92 <= covered / printed <= 0.99
    # 40 cohorts tell the coverage of one figure to about 7 points.
    assert results["win rate"].share >= 0.85
    assert results["strength"].share >= 0.85


@pytest.mark.full_set
@pytest.mark.parametrize("design", VERDICT_DESIGNS, ids=lambda design: design.name)
def test_each_figure_of_each_design(design):
    results = verdict_coverage(design, cohorts=120, seed=1).values()
    print(*results, sep="\n")  # for docs/preferences.md: pytest -rP
    # 120 cohorts tell a coverage to about 4 points.
    assert {result.figure: result.share for result in results if result.share < 0.88} == {}
    assert {result.figure for result in results if result.share_printed < 0.85} == set()
