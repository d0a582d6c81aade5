"""The tables of pairwise judging, on verdicts that are written by hand: shares, biases, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from simulated_verdicts import VerdictDesign, records, simulate_verdicts
from written_verdicts import both_orders, row, said

from daydreaming.base.errors import InputError
from daydreaming.results.statistics.preferences.analysis import analyse_preferences
from daydreaming.results.statistics.preferences.rates import clustered_rate
from daydreaming.results.statistics.preferences.table_names import TABLES
from daydreaming.results.statistics.preferences.verdicts import COLUMNS, read_verdicts


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
