"""The tables of pairwise judging, on verdicts that are written by hand."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau
from simulated_verdicts import VerdictDesign, records, simulate_verdicts

from daydreaming.base.errors import InputError
from daydreaming.results.statistics.preferences.analysis import analyse_preferences
from daydreaming.results.statistics.preferences.rates import clustered_rate
from daydreaming.results.statistics.preferences.table_names import TABLES
from daydreaming.results.statistics.preferences.verdicts import COLUMNS, Verdict, read_verdicts


def said(combo: int, pair: str, verdict: str, order: int = 1, judge: str = "judge", **more) -> Verdict:
    """A verdict on two essays of a combo, such as `xy`; the essay `x` is by the model `mx`, and 100 characters long."""
    first, second = pair
    values = {
        "combo_id": f"k{combo}",
        "essay_a": f"{first}{combo}",
        "essay_b": f"{second}{combo}",
        "model_a": f"m{first}",
        "model_b": f"m{second}",
        "length_a": 100.0,
        "length_b": 100.0,
    }
    return Verdict(**values | {"judge": judge, "verdict": verdict, "order": order} | more)


def row(table: pd.DataFrame, **keys: str) -> pd.Series:
    marked = np.logical_and.reduce([table[column] == value for column, value in keys.items()])
    [found] = [one for _, one in table[marked].iterrows()]
    return found


def test_every_table_of_a_simulated_cohort_has_numbers_intervals_and_counts():
    analysis = analyse_preferences(records(simulate_verdicts(VerdictDesign("", 8, judges=2), seed=1)), {"e0": 1.0})
    tables = analysis.tables()
    assert tuple(tables) == TABLES
    for name in ("win_rates", "strengths", "consistency", "longer", "own_model"):
        table = tables[name]
        assert (table.low < table.value).all(), name
        assert (table.value < table.high).all(), name
        assert (table.n_combos == 8).all(), name
        assert not table.isna().drop(columns=["numerator", "denominator"], errors="ignore").iloc[0].any(), name
    differences = tables["differences"]
    assert (differences.low < differences.difference).all()
    assert (differences.p <= differences.p_holm).all()
    assert set(tables["strengths"].judge) == {"", "m0", "m1"}
    assert tables["strengths"][tables["strengths"].figure == "strength"].groupby("judge").value.sum().abs().max() < 1e-9


def test_records_and_data_frames_are_read_alike():
    own = records(simulate_verdicts(VerdictDesign("", 4), seed=2))
    frame = pd.DataFrame([{column: getattr(one, column) for column in COLUMNS} for one in own])
    for without in ([], ["replicate"]):
        other = analyse_preferences(frame.drop(columns=without)).win_rates
        pd.testing.assert_frame_equal(other, analyse_preferences(own).win_rates)


def test_win_rates_count_a_tie_as_half_and_a_failure_as_nothing():
    verdicts = [
        *(said(combo, "xy", "A") for combo in range(3)),
        said(3, "xy", "B"),
        said(4, "xy", "tie"),
        said(5, "xy", ""),
    ]
    found = row(analyse_preferences(verdicts).win_rates, model="mx")
    assert (found.numerator, found.denominator, found.value) == (3.5, 5, 0.7)
    assert (found.n_ties, found.n_failed, found.n_combos) == (1, 1, 5)
    assert 0 < found.low < 0.7 < found.high < 1
    other = row(analyse_preferences(verdicts).win_rates, model="my")
    assert (other.value, other.low, other.high) == pytest.approx((0.3, 1 - found.high, 1 - found.low))


def test_many_verdicts_on_one_combo_tell_no_more_than_that_combo():
    one = [said(combo, "xy", verdict) for combo, verdict in enumerate("ABAABA")]
    many = [replace(verdict, replicate=number) for verdict in one for number in range(1, 21)]
    few, lots = (row(analyse_preferences(verdicts).win_rates, model="mx") for verdicts in (one, many))
    assert (lots.low, lots.high) == pytest.approx((few.low, few.high))
    assert (few.denominator, lots.denominator) == (6, 120)


@pytest.mark.parametrize("points", [0.0, 0.5, 1.0])
def test_combos_that_are_all_alike_leave_room_for_others(points):
    rate = clustered_rate(np.full(24, points), np.repeat(np.arange(12), 2))
    missed = 1 - 0.025 ** (1 / 12)
    assert (rate.low, rate.high) == pytest.approx((points * (1 - missed), points + (1 - points) * missed))


def test_below_four_combos_there_is_no_interval_and_the_note_says_what_it_would_take():
    analysis = analyse_preferences([said(combo, "xy", verdict) for combo, verdict in enumerate("AB")])
    found = row(analysis.win_rates, model="mx")
    assert found.value == 0.5
    assert np.isnan([found.low, found.high]).all()
    assert "only 2 combos have" in found.note


def both_orders(*pairs: tuple[int, str, str]) -> list[Verdict]:
    """Verdicts on `(combo, pair, letters)` in both orders: the letters are those of either order."""
    letters = {"A": "A", "B": "B", "t": "tie", "-": ""}
    return [
        said(combo, pair if order == 1 else pair[::-1], letters[letter], order)
        for combo, pair, both in pairs
        for order, letter in enumerate(both, start=1)
    ]


def test_verdicts_that_flip_with_the_order_are_counted_of_those_with_both():
    verdicts = both_orders(
        (0, "xy", "AA"), (1, "xy", "AB"), (2, "xy", "BB"), (3, "xy", "tt"), (4, "xy", "tA"), (5, "xy", "BA"),
        (6, "xy", "AA"), (7, "xy", "A-"),
    )  # fmt: skip
    table = analyse_preferences(verdicts).consistency
    counts = {one.figure: (one.numerator, one.denominator, one.n_left_out) for _, one in table.iterrows()}
    assert counts["flips with the order"] == (3, 7, 1)
    assert counts["first both times"] == (2, 7, 1)
    assert counts["second both times"] == (1, 7, 1)
    assert counts["tie in one order only"] == (1, 7, 1)
    assert counts["same in both orders"] == (3, 7, 1)
    assert counts["first preferred"] == (8, 12, 3)
    flips = row(table, figure="flips with the order")
    assert 0 < flips.low < 3 / 7 < flips.high < 1


def test_each_judge_and_replicate_flips_for_itself():
    one = both_orders((0, "xy", "AB"))
    other = [replace(verdict, judge="other", verdict="BA"[place]) for place, verdict in enumerate(one)]
    again = [replace(verdict, replicate=2) for verdict in one]
    found = row(analyse_preferences([*one, *other, *again]).consistency, judge="", figure="flips with the order")
    assert (found.numerator, found.denominator) == (0, 3)


def test_cyclic_triads_are_counted_of_the_decided_ones():
    circle = [(0, "xy", "AB"), (0, "yz", "AB"), (0, "xz", "BA")]
    line = [(1, "xy", "AB"), (1, "yz", "AB"), (1, "xz", "AB")]
    tied = [(2, "xy", "AB"), (2, "yz", "AA"), (2, "xz", "AB")]
    two_of_three = [(3, "xy", "AB"), (3, "yz", "AB")]
    found = row(
        analyse_preferences(both_orders(*circle, *line, *tied, *two_of_three)).consistency, figure="cyclic triads"
    )
    assert (found.numerator, found.denominator, found.n_left_out) == (1, 2, 1)


def test_cyclic_triads_of_a_whole_tournament_are_those_of_kendalls_formula():
    random = np.random.default_rng(1)
    names = "abcdefgh"
    verdicts = [said(0, f"{one}{other}", random.choice(["A", "B"])) for one, other in combinations(names, 2)]
    wins = dict.fromkeys(names, 0)
    for verdict in verdicts:
        wins[(verdict.essay_a if verdict.verdict == "A" else verdict.essay_b)[0]] += 1
    n = len(names)
    # Kendall and Babington Smith (1940): d = n (n - 1) (2 n - 1) / 12 - sum of squared wins / 2
    expected = n * (n - 1) * (2 * n - 1) / 12 - sum(count**2 for count in wins.values()) / 2
    found = row(analyse_preferences(verdicts).consistency, figure="cyclic triads")
    assert (found.numerator, found.denominator) == (expected, n * (n - 1) * (n - 2) // 6)


def test_agreement_with_scores_is_kendalls_tau_b_where_all_pairs_were_judged():
    names = "abcdefg"
    order = {name: place // 2 for place, name in enumerate(names)}  # with ties
    scores = {f"{name}0": float(score) for name, score in zip(names, (1, 3, 3, 2, 7, 5, 5), strict=True)}
    letter = {-1: "A", 0: "tie", 1: "B"}
    verdicts = [
        said(0, f"{one}{other}", letter[int(np.sign(order[other] - order[one]))])
        for one, other in combinations(names, 2)
    ]
    found = analyse_preferences(verdicts, scores).agreement.iloc[0]
    expected = kendalltau([order[name] for name in names], [scores[f"{name}0"] for name in names], variant="b")
    assert found.value == pytest.approx(expected.statistic)
    assert (found.n_pairs, found.n_without_score) == (21, 0)
    assert "only 1 combo has" in found.note


def test_agreement_counts_pairs_without_a_score_and_none_where_no_scores_are_given():
    verdicts = [said(combo, "xy", "A") for combo in range(5)]
    scores = {f"{name}{combo}": {"x": 2.0, "y": 1.0}[name] for combo in range(4) for name in "xy"}
    found = analyse_preferences(verdicts, scores).agreement.iloc[0]
    assert (found.value, found.n_agree, found.n_contradict, found.n_without_score) == (1.0, 4, 0, 1)
    assert "all or nearly all pairs agree" in found.note
    assert analyse_preferences(verdicts).agreement.empty


def test_longer_texts_and_what_is_left_out():
    longer = {"length_a": 300.0, "length_b": 200.0}
    verdicts = [said(combo, "xy", "A" if combo < 4 else "B", **longer) for combo in range(6)]
    verdicts += [said(6, "xy", "A"), said(7, "xy", "A", length_a=float("nan"))]
    found = analyse_preferences(verdicts).longer.iloc[0]
    assert (found.numerator, found.denominator, found.n_left_out) == (4, 6, 2)
    assert "the lengths of some texts are not known" in found.note


def test_a_rate_at_equal_length_takes_off_what_length_does():
    """Two models of equal strength, of which one writes longer texts, before a judge that likes length."""
    design = VerdictDesign("", 60, 2, 2, spread=0.0, combo_model=0.0, essay=0.0, pair=0.0, length=1.0, own=0.0)
    comparisons = simulate_verdicts(design, seed=5)
    analysis = analyse_preferences(records(comparisons))
    found = row(analysis.win_rates, model="m1")
    assert found.value > 0.52
    assert found.at_equal_length_low < 0.5 < found.at_equal_length_high
    longer = analysis.longer.iloc[0]
    assert longer.of_equal_strength_low > 0.6
    assert longer.characters == pytest.approx(np.std(np.subtract(*lengths(comparisons))))


def lengths(comparisons) -> tuple[np.ndarray, np.ndarray]:
    return comparisons.length[comparisons.first], comparisons.length[comparisons.second]


def test_a_judges_preference_for_its_own_model_is_held_against_the_others():
    own = both_orders(*((combo, "xy", "AB") for combo in range(6)), (6, "xy", "BA"))
    own = [replace(verdict, judge="mx") for verdict in own]
    letters = ("AB", "BA", "AA", "AB", "BA", "BB", "BA")
    others = both_orders(*((combo, "xy", both) for combo, both in enumerate(letters)))
    table = analyse_preferences([*own, *others]).own_model
    assert list(table.judge) == ["mx"] * 3
    raw, by_others, difference = (one for _, one in table.iterrows())
    assert (raw.numerator, raw.denominator, raw.n_combos) == (12, 14, 7)
    assert (by_others.numerator, by_others.denominator) == (6, 14)
    assert difference.value == pytest.approx(6 / 14)
    # With as many verdicts on each combo it is Student's t on the combos' differences.
    differences = pd.Series([1, 1, 1, 1, 1, 1, 0]) - pd.Series([1, 0, 0.5, 1, 0, 0.5, 0])
    half = 2.4469118 * differences.std() / 7**0.5
    assert (difference.low, difference.high) == pytest.approx((6 / 14 - half, 6 / 14 + half))


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


def test_a_judge_may_write_under_ids_of_other_names():
    verdicts = both_orders(
        *((combo, "xy", both) for combo, both in enumerate(("AB", "AA", "BA", "AB"))), (0, "xz", "AB")
    )
    verdicts = [replace(one, judge="jury") for one in verdicts]
    assert analyse_preferences(verdicts).own_model.empty
    table = analyse_preferences(verdicts, own_models={"jury": ["mx", "mz"]}).own_model
    first = row(table, model="mx", figure="own model preferred")
    assert (first.judge, first.numerator, first.denominator) == ("jury", 5, 8)
    assert row(table, model="mz", figure="own model preferred").denominator == 0


def test_without_another_judge_the_difference_cannot_be_told():
    verdicts = [replace(verdict, judge="mx") for verdict in both_orders(*((combo, "xy", "AB") for combo in range(6)))]
    difference = row(analyse_preferences(verdicts).own_model, figure="own less others")
    assert np.isnan(difference.value)
    assert "no other judge judged these pairs" in difference.note


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


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"verdict": "C"}, "the verdict is none of A, B, tie"),
        ({"essay_b": "y0"}, "an essay is compared with itself"),
        ({"order": 3}, "the order is neither 1 nor 2"),
        ({"judge": ""}, "there is no value"),
        ({"length_a": -1.0}, "the length is below zero"),
        ({"replicate": 0}, "the replicate is no number from 1 on"),
        ({"combo_id": "k9"}, "has another combo"),
        ({"model_a": "other"}, "has another model"),
        ({"length_b": 77.0}, "has another length"),
        ({"order": 1}, "the order is that of the other way round"),
        ({"order": 1, "essay_a": "x0", "essay_b": "y0", "model_a": "mx", "model_b": "my"}, "there twice"),
    ],
)
def test_tables_that_are_none_of_verdicts_are_refused_with_row_and_column(change, problem):
    one, other = both_orders((0, "xy", "AB"))
    with pytest.raises(InputError, match=problem) as error:
        read_verdicts([one, replace(other, **change)])
    assert all(fault.row in (2, 3) for fault in error.value.faults)


def test_a_table_without_a_column_or_a_row_or_with_words_for_numbers_is_refused():
    frame = pd.DataFrame([{column: getattr(said(0, "xy", "A"), column) for column in COLUMNS}])
    with pytest.raises(InputError, match="has no column judge"):
        read_verdicts(frame.drop(columns="judge"))
    with pytest.raises(InputError, match="has no row"):
        read_verdicts([])
    with pytest.raises(InputError, match="'long' is no number"):
        read_verdicts(frame.assign(length_a="long"))
