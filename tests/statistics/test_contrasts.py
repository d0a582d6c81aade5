"""Comparisons of levels: known answers, and what designs cannot tell."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from score_tables import by_template, table
from simulated_cohorts import Design, frame, simulate

from daydreaming import analyse
from daydreaming.results.statistics.clustered import first_coefficient
from daydreaming.results.statistics.comparison import Method, compare
from daydreaming.results.statistics.intervals import holm

A = [7.0, 6.0, 8.0, 5.0, 7.5, 6.5]
B = [5.0, 5.5, 7.0, 5.5, 6.0, 4.0]


def contrast(frame, factor="draft_template", rubric="", judge=""):
    found = analyse(frame).contrasts
    [row] = found[(found.factor == factor) & (found.rubric == rubric) & (found.judge == judge)].to_dict("records")
    return row


def test_columns_are_those_that_others_rely_on():
    columns = [
        "factor",
        "level_a",
        "level_b",
        "rubric",
        "judge",
        "difference",
        "low",
        "high",
        "n_combos",
        "p",
        "p_holm",
        "method",
        "note",
    ]
    assert list(analyse(by_template({"a": A, "b": B})).contrasts.columns)[:13] == columns


def test_two_templates_are_compared_by_the_paired_t_test():
    row = contrast(by_template({"a": A, "b": B}))
    known = stats.ttest_rel(A, B)
    interval = known.confidence_interval(0.95)
    assert row["difference"] == pytest.approx(np.mean(A) - np.mean(B))
    assert (row["low"], row["high"]) == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert row["p"] == row["p_holm"] == pytest.approx(known.pvalue)
    assert (row["n_combos"], row["n_scores"], row["n_failed"], row["unit"]) == (6, 12, 0, "points")
    assert row["standardised"] == pytest.approx(known.statistic / np.sqrt(6))


def test_evaluations_of_one_essay_do_not_count_as_so_many_combos():
    once = by_template({"a": A, "b": B})
    twice = pd.concat([once, once.assign(gen_id="again-" + once.gen_id, replicate=2)])
    assert contrast(twice)["high"] == pytest.approx(contrast(once)["high"])


def test_judges_are_compared_on_the_same_essay():
    strict = by_template({"a": A, "b": B}, evaluation_llm_model="strict")
    mild = strict.assign(gen_id="m" + strict.gen_id, evaluation_llm_model="mild", score=strict.score + 1.25)
    mild.loc[mild.index[:2], ["score", "error"]] = [None, "refused"]
    row = contrast(pd.concat([strict, mild], ignore_index=True), "evaluation_llm_model")
    assert (row["level_a"], row["level_b"], row["difference"]) == ("mild", "strict", pytest.approx(1.25))
    assert row["method"] == Method.EQUAL


@pytest.mark.parametrize(("n", "told"), [(3, False), (4, True)])
def test_an_interval_takes_four_combos(n, told):
    row = contrast(by_template({"a": A[:n], "b": B[:n]}))
    assert np.isfinite(row["low"]) == told
    assert row["note"] == (
        ""
        if told
        else "cannot be told from this cohort, because only 3 combos have scores of both to compare; "
        "it would take 4 combos"
    )


def test_failures_are_no_scores():
    row = contrast(by_template({"a": [*A, 9.0], "b": [*B, None]}))
    assert (row["n_combos"], row["n_scores"], row["n_failed"]) == (6, 13, 1)
    assert row["difference"] == pytest.approx(np.mean(A) - np.mean(B))


def test_combos_that_all_differ_by_the_same_have_an_interval_that_is_not_a_point():
    row = contrast(by_template({"a": [6.0] * 6, "b": [5.0] * 6}))
    assert row["low"] < row["difference"] == 1 < row["high"]
    assert row["p"] == 2 * 0.5**6


def test_four_equal_differences_do_not_exclude_zero():
    row = contrast(by_template({"a": [9.0] * 4, "b": [5.0] * 4}))
    assert row["low"] <= 0 and row["p"] == 0.125


def test_a_factor_of_one_level_says_what_it_would_take():
    row = contrast(by_template({"a": A}))
    assert row["note"].startswith(
        "cannot be told from this cohort, because 'a' is the only draft_template; it would take"
    )
    assert np.isnan(row["difference"])


def test_holms_correction_is_that_of_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.array([0.01, 0.04, 0.03, 0.5, 0.02])
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert np.isnan(holm(np.array([np.nan, 0.02]))[0])


def test_all_pairs_are_corrected_together():
    found = analyse(by_template({"a": A, "b": B, "c": [score - 3 for score in A]})).contrasts
    own = found[(found.factor == "draft_template") & (found.rubric == "") & (found.judge == "")]
    assert len(own) == 3
    assert own.p_holm.to_numpy() == pytest.approx(holm(own.p.to_numpy()))


def test_row_order_and_names_change_nothing():
    cohort = frame(Design("any", 7, 2, 2, 2, judges=2, failed=0.2), seed=3)
    shuffled = cohort.sample(frac=1, random_state=1)
    renamed = cohort.replace({"draft_template": {"draft_template0": "z", "draft_template1": "y"}})
    first, second, third = (analyse(one).contrasts for one in (cohort, shuffled, renamed))
    pd.testing.assert_frame_equal(first, second)
    swapped = third[third.factor == "draft_template"]
    assert swapped.difference.to_numpy() == pytest.approx(
        -first[first.factor == "draft_template"].difference.to_numpy()
    )
    assert swapped.p.to_numpy() == pytest.approx(first[first.factor == "draft_template"].p.to_numpy())


def test_regression_within_combos_is_the_paired_t_test_on_a_complete_design():
    combo = np.repeat(np.arange(6), 2)
    found = first_coefficient(np.column_stack([A, B]).ravel(), np.tile([1.0, 0.0], 6)[:, None], combo, within=True)
    known = stats.ttest_rel(A, B)
    assert found.value == pytest.approx(np.mean(A) - np.mean(B))
    assert found.interval == pytest.approx(tuple(known.confidence_interval(0.95)))
    assert (found.degrees_of_freedom, found.n_combos) == (pytest.approx(5), 6)


def test_regression_between_combos_has_welchs_standard_error():
    found = first_coefficient(
        np.array([*A, *B[:4]]), np.array([1.0] * 6 + [0.0] * 4)[:, None], np.arange(10), within=False
    )
    error = np.sqrt(np.var(A, ddof=1) / 6 + np.var(B[:4], ddof=1) / 4)
    assert (found.value, found.error) == (pytest.approx(np.mean(A) - np.mean(B[:4])), pytest.approx(error))


def test_levels_that_never_share_a_combo_are_compared_between_combos_and_the_method_says_so():
    rows = [{"combo_id": f"k{n}", "draft_template": "a", "score": score} for n, score in enumerate(A)]
    rows += [{"combo_id": f"j{n}", "draft_template": "b", "score": score} for n, score in enumerate(B)]
    row = contrast(table(rows))
    assert row["method"] == Method.BETWEEN
    assert row["low"] < np.mean(A) - np.mean(B) < row["high"]


def test_essays_whose_partners_used_another_model_are_compared_within_combos():
    rows = []
    for combo in range(8):
        for template, model in (("a", "m"), ("b", "n"))[:: 1 if combo % 2 else -1]:
            model = model if combo % 3 else {"m": "n", "n": "m"}[model]
            score = 3 + combo % 4 + (template == "a") + 2 * (model == "m") + (combo * 7 % 5) / 10 * (template == "a")
            rows.append(
                {
                    "combo_id": f"k{combo}",
                    "draft_template": template,
                    "generation_model": model,
                    "score": score,
                }
            )
    row = contrast(table(rows))
    assert row["method"] == Method.WITHIN
    assert row["difference"] == pytest.approx(1.2, abs=0.15)


def test_a_table_and_the_arrays_of_a_simulation_give_the_same():
    """So that the coverage which is measured on arrays is that of the tables."""
    design = Design("any", 8, 2, 2, 2, 2, 3, essays=2, evaluations=2, failed=0.2, whole=True, cut=True)
    [scores] = simulate(design, 1, seed=5)
    found = analyse(frame(design, seed=5)).contrasts
    for factor in ("draft_template", "evaluation_llm_model"):
        row = found[(found.factor == factor) & (found.rubric == "") & (found.judge == "")].iloc[0]
        known = compare(scores, design.paths, factor, 0, 1, 1.0, (0, 10))
        assert [row.difference, row.low, row.high, row.p, row.n_combos] == pytest.approx(
            [known.difference[0], known.low[0], known.high[0], known.p[0], known.n_combos[0]]
        )


def test_near_an_end_of_the_scale_the_interval_is_wider_and_the_method_says_so():
    scores = [10.0, 10.0, 9.0, 10.0, 10.0, 10.0]
    row = contrast(by_template({"a": scores, "b": [9.0, 8.0, 8.0, 9.0, 7.0, 9.0]}))
    known = stats.ttest_rel(scores, [9.0, 8.0, 8.0, 9.0, 7.0, 9.0]).confidence_interval(0.95)
    assert row["method"] == Method.NEAR_END
    assert known.high < row["high"] < known.high + 0.1
