"""The model of strengths: published worked examples, statsmodels' estimates, and what it cannot tell."""

import numpy as np
import pytest
from simulated_verdicts import VerdictDesign, simulate_verdicts

from daydreaming.results.statistics.preferences.davidson import (
    NotEstimableError,
    expected_points,
    fit_davidson,
)
from daydreaming.results.statistics.preferences.model_fit import fit_models

TEAMS = ("Baltimore", "Boston", "Cleveland", "Detroit", "Milwaukee", "New York", "Toronto")
# Agresti (2002), Categorical Data Analysis, 2nd ed., section 10.6: home team, away team, wins at home, wins away in the
# 1987 season, as in the R package BradleyTerry2.
BASEBALL = """
Milwaukee Detroit 4 3, Milwaukee Toronto 4 2, Milwaukee New York 4 3, Milwaukee Boston 6 1, Milwaukee Cleveland 4 2,
Milwaukee Baltimore 6 0, Detroit Milwaukee 3 3, Detroit Toronto 4 2, Detroit New York 4 3, Detroit Boston 6 0,
Detroit Cleveland 6 1, Detroit Baltimore 4 3, Toronto Milwaukee 2 5, Toronto Detroit 4 3, Toronto New York 2 4,
Toronto Boston 4 3, Toronto Cleveland 4 2, Toronto Baltimore 6 0, New York Milwaukee 3 3, New York Detroit 5 1,
New York Toronto 2 5, New York Boston 4 3, New York Cleveland 4 2, New York Baltimore 6 1, Boston Milwaukee 5 1,
Boston Detroit 2 5, Boston Toronto 3 3, Boston New York 4 2, Boston Cleveland 5 2, Boston Baltimore 6 0,
Cleveland Milwaukee 2 5, Cleveland Detroit 3 3, Cleveland Toronto 3 4, Cleveland New York 4 3, Cleveland Boston 4 2,
Cleveland Baltimore 2 4, Baltimore Milwaukee 2 5, Baltimore Detroit 1 5, Baltimore Toronto 1 6, Baltimore New York 2 4,
Baltimore Boston 1 6, Baltimore Cleveland 3 4
"""
# Davidson (1970), example 2, chocolate puddings, as in the R package PlackettLuce: i, j, wins of i, wins of j, ties.
PUDDING = (
    *((1, 2, 19, 22, 16), (1, 3, 16, 19, 12), (2, 3, 19, 19, 10), (1, 4, 18, 23, 13), (2, 4, 23, 19, 9)),
    *((3, 4, 19, 20, 15), (1, 5, 13, 19, 18), (2, 5, 16, 20, 12), (3, 5, 16, 15, 17), (4, 5, 17, 14, 16)),
    *((1, 6, 18, 21, 12), (2, 6, 22, 20, 12), (3, 6, 13, 18, 10), (4, 6, 14, 19, 18), (5, 6, 11, 21, 12)),
)


def games() -> tuple[np.ndarray, np.ndarray]:
    """A row for each game: the home team's column is 1, the away team's -1; 1 where the home team won."""
    rows, points = [], []
    for game in BASEBALL.replace("\n", " ").replace("New York", "New_York").split(","):
        home, away, *wins = game.split()
        row = np.zeros(len(TEAMS))
        row[TEAMS.index(home.replace("_", " "))], row[TEAMS.index(away.replace("_", " "))] = 1, -1
        for won, count in zip((1.0, 0.0), map(int, wins), strict=True):
            rows += [row] * count
            points += [won] * count
    return np.array(rows), np.array(points)


def test_agrestis_baseball_without_home_advantage():
    rows, points = games()
    fit = fit_davidson(rows[:, 1:], points, np.arange(len(points)))
    # Coefficients and standard errors of BradleyTerry2's own test output, which reproduces Agresti's table 10.11.
    assert np.round(fit.coefficients, 4) == pytest.approx([1.1077, 0.6839, 1.4364, 1.5814, 1.2476, 1.2945], abs=1e-9)
    assert np.round(fit.errors, 4) == pytest.approx([0.3339, 0.3319, 0.3396, 0.3433, 0.3359, 0.3367], abs=1e-9)
    assert fit.tie == -np.inf


def test_agrestis_baseball_with_home_advantage():
    rows, points = games()
    fit = fit_davidson(np.column_stack([rows[:, 1:], np.ones(len(rows))]), points, np.arange(len(points)))
    expected = [1.1438, 0.7047, 1.4754, 1.6196, 1.2813, 1.3271, 0.3023]
    assert np.round(fit.coefficients, 4) == pytest.approx(expected, abs=1e-9)
    errors = [0.3378, 0.3350, 0.3446, 0.3474, 0.3404, 0.3403, 0.1309]
    assert np.round(fit.errors, 4) == pytest.approx(errors, abs=1e-9)


def test_davidsons_puddings_with_ties():
    rows, points = [], []
    for i, j, wins, losses, ties in PUDDING:
        row = np.zeros(6)
        row[i - 1], row[j - 1] = 1, -1
        rows += [row] * (wins + losses + ties)
        points += [1.0] * wins + [0.0] * losses + [0.5] * ties
    fit = fit_davidson(np.array(rows)[:, 1:], np.array(points), np.arange(len(points)))
    worth = np.exp([0.0, *fit.coefficients])
    # Davidson stopped after seven iterations, before the maximum.
    published = [0.1388005, 0.1729985, 0.1617420, 0.1653930, 0.1586805, 0.2023855]
    assert worth / worth.sum() == pytest.approx(published, abs=3e-5)
    assert np.exp(fit.tie) == pytest.approx(0.7468147, abs=3e-5)


def test_statsmodels_conditional_logit_finds_the_same_with_ties_position_and_length():
    from statsmodels.discrete.conditional_models import ConditionalLogit

    comparisons = simulate_verdicts(VerdictDesign("", 12), seed=3)
    fit = fit_models(comparisons, comparisons.model, with_length=True)
    n = len(comparisons.points)
    difference = comparisons.length[comparisons.first] - comparisons.length[comparisons.second]
    of_model = np.arange(1, 3)
    first, second = (comparisons.model[side][:, None] == of_model for side in (comparisons.first, comparisons.second))
    eta = np.column_stack([first * 1.0 - second, np.ones(n), np.tanh(difference / difference.std())])
    # A choice of three: each comparison has a row for the first text, the tie, and the second text.
    nothing = np.zeros((n, 1))
    rows = np.concatenate(
        [np.hstack([eta / 2, nothing]), np.hstack([0 * eta, nothing + 1]), np.hstack([-eta / 2, nothing])]
    )
    chosen = np.concatenate([comparisons.points == value for value in (1.0, 0.5, 0.0)]).astype(float)
    other = ConditionalLogit(chosen, rows, groups=np.tile(np.arange(n), 3)).fit(disp=False)
    assert fit.strengths - fit.strengths[0] == pytest.approx([0, *other.params[:2]], abs=1e-4)
    assert (fit.position, fit.length, fit.tie) == pytest.approx(tuple(other.params[2:]), abs=1e-4)


def test_leaving_out_a_combo_in_one_step_is_near_to_fitting_without_it():
    comparisons = simulate_verdicts(VerdictDesign("", 12), seed=4)
    fit = fit_models(comparisons, comparisons.model, with_length=False)
    for number, combo in enumerate(fit.combos):
        rest = comparisons.chosen(comparisons.combo != combo)
        again = fit_models(rest, rest.model, with_length=False)
        moved = again.strengths - fit.strengths
        assert fit.strengths_without[number] - fit.strengths == pytest.approx(moved, abs=0.02)
        assert fit.position_without[number] == pytest.approx(again.position, abs=0.02)


def test_expected_points_do_not_overflow():
    assert expected_points([0.0, 2000.0, -2000.0], -np.inf) == pytest.approx([0.5, 1.0, 0.0])
    assert expected_points(0.0, 900.0) == pytest.approx(0.5)


def pair_design(points: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.ones((len(points), 1)), np.array(points), np.arange(len(points))


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([], "do not tell the effects apart"),
        ([0.5, 0.5], "all verdicts are ties"),
        ([1.0, 1.0, 1.0], "separated"),
        ([1.0, 0.5, 1.0], "separated"),
    ],
)
def test_what_has_no_finite_estimate_is_refused(points, reason):
    with pytest.raises(NotEstimableError, match=reason):
        fit_davidson(*pair_design(points))


def test_a_group_that_always_wins_is_separated_though_its_members_are_not():
    rows = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, -1], [0, -1, 1], [1, -1, 0], [0, 0, -1]], dtype=float)
    points = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    # Items 0 and 1 beat each other, so do 2 and 3, and of the two groups the first always wins.
    with pytest.raises(NotEstimableError, match="separated"):
        fit_davidson(rows, points, np.arange(6))
    one_upset = fit_davidson(np.vstack([rows, [-1, 1, 0]]), np.append(points, 1.0), np.arange(7))
    assert np.isfinite(one_upset.coefficients).all()


def test_columns_that_explain_each_other_are_refused():
    with pytest.raises(NotEstimableError, match="do not tell the effects apart"):
        fit_davidson(np.ones((4, 2)), np.array([1.0, 0.0, 1.0, 0.0]), np.arange(4))


def test_many_verdicts_are_estimated_as_few_are():
    few = simulate_verdicts(VerdictDesign("", 12), seed=6)
    many = few.chosen(np.ones(len(few.points), bool))
    for _ in range(9):
        many = type(many)(
            **{
                name: np.concatenate([getattr(many, name)] * 2)
                if name in ("combo", "first", "second", "judge", "order", "replicate", "points")
                else getattr(many, name)
                for name in many.__dataclass_fields__
            }
        )
    assert len(many.points) > 150_000
    fits = [fit_models(one, one.model, with_length=True) for one in (few, many)]
    assert fits[1].strengths == pytest.approx(fits[0].strengths, abs=1e-6)
    assert fits[1].strengths_without == pytest.approx(fits[0].strengths_without, abs=1e-5)
