"""Strengths of models and essays by their verdicts, and what is said where they cannot be told."""

import pytest
from simulated_verdicts import VerdictDesign, records, simulate_verdicts
from written_verdicts import both_orders, said

from daydreaming.results.statistics.preferences.analysis import analyse_preferences


def test_differences_of_strengths_are_those_of_the_strengths_with_an_interval_of_their_own():
    analysis = analyse_preferences(records(simulate_verdicts(VerdictDesign("", 12), seed=4)))
    strengths = analysis.strengths[analysis.strengths.figure == "strength"].set_index("level")
    for _, one in analysis.differences.iterrows():
        a, b = (strengths.loc[model] for model in (one.model_a, one.model_b))
        assert one.difference == pytest.approx(a.value - b.value)
        # Strengths around a common mean are not independent: their intervals do not tell that of a difference.
        half, of_a, of_b = ((row.high - row.low) / 2 for row in (one, a, b))
        assert abs(of_a - of_b) < half < of_a + of_b
        assert (one.p < 0.05) == (one.low > 0 or one.high < 0)
    assert len(analysis.differences) == 3
    two = analyse_preferences(records(simulate_verdicts(VerdictDesign("", 12, 2), seed=4)))
    [one] = two.differences.itertuples()
    [first] = two.strengths[two.strengths.level == "m0"].itertuples()
    assert (one.low, one.high) == pytest.approx((2 * first.low, 2 * first.high))


@pytest.mark.parametrize(
    ("verdicts", "reason"),
    [
        (both_orders(*((combo, "xy", "AB") for combo in range(5))), "the verdicts are separated"),
        ([said(combo, "xy", verdict) for combo, verdict in enumerate("ABAB")], "strength and position cannot be told"),
        (both_orders((0, "xy", "AA"), (0, "zw", "AB"), (1, "xy", "BA"), (1, "zw", "BA")), "fall into 2 groups"),
        (both_orders((0, "xy", "tt"), (1, "xy", "tt")), "all verdicts are ties"),
        ([said(0, "xy", "A", model_b="mx"), said(1, "xy", "B", model_b="mx")], "no two of them were compared"),
        ([said(0, "xy", "")], "no two of them were compared"),
    ],
)
def test_strengths_that_cannot_be_told_say_why(verdicts, reason):
    table = analyse_preferences(verdicts).strengths
    assert table.value.isna().all()
    assert all(note.startswith("cannot be told") and reason in note for note in table.note)


def test_strengths_of_one_combo_have_no_interval():
    verdicts = both_orders((0, "xy", "AB"), (0, "yz", "AB"), (0, "xz", "BA"), (0, "xw", "AA"), (0, "yw", "tB"))
    analysis = analyse_preferences(verdicts)
    assert analysis.strengths.value.notna().all()
    assert analysis.strengths.low.isna().all()
    assert all("only 1 combo has" in note for note in analysis.strengths.note)
    assert set(analysis.essays.essay) == {"x0", "y0", "z0", "w0"}
    assert all("one combo" in note for note in analysis.essays.note)


def test_essays_of_a_combo_have_points_where_strengths_are_infinite():
    essays = analyse_preferences(both_orders((0, "xy", "AB"), (0, "yz", "AB"), (0, "xz", "AB"))).essays
    assert dict(zip(essays.essay, essays.points, strict=True)) == {"x0": 1.0, "y0": 0.5, "z0": 0.0}
    assert essays.strength.isna().all()
    assert all("separated" in note for note in essays.note)
