"""Whether verdicts contradict each other, and the scores of the same essays."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kendalltau
from written_verdicts import both_orders, row, said

from daydreaming.results.statistics.preferences.analysis import analyse_preferences


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
