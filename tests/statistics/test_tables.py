"""Levels, rankings, judges, agreement, interactions: known answers, and what designs cannot tell."""

import numpy as np
import pandas as pd
import pytest
from score_tables import by_template, table
from simulated_cohorts import Design, frame

from daydreaming import analyse
from daydreaming.base.errors import InputError
from daydreaming.results.statistics.agreement import krippendorff_alpha

A = [7.0, 6.0, 8.0, 5.0, 7.5, 6.5]
B = [5.0, 5.5, 7.0, 5.5, 6.0, 4.0]
NONE = np.nan
# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section D: four observers, twelve units; and the
# worked example of three coders and fifteen units that follows from Hayes and Krippendorff (2007).
FOUR_OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
    [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
]
THREE_CODERS = [
    [NONE, NONE, NONE, NONE, NONE, 3, 4, 1, 2, 1, 1, 3, 3, NONE, 3],
    [1, NONE, 2, 1, 3, 3, 4, 3, NONE, NONE, NONE, NONE, NONE, NONE, NONE],
    [NONE, NONE, 2, 1, 3, 4, 4, NONE, 2, 1, 1, 3, 3, NONE, 4],
]


def figure(rows, name, **chosen):
    own = rows[(rows.figure == name)]
    for column, value in chosen.items():
        own = own[own[column] == value]
    [row] = own.to_dict("records")
    return row


def two_judges(scores, other):
    first = by_template(scores, evaluation_llm_model="one")
    second = first.assign(gen_id="x" + first.gen_id, evaluation_llm_model="two", score=other(first))
    return pd.concat([first, second], ignore_index=True)


@pytest.mark.parametrize(("scores", "alpha"), [(FOUR_OBSERVERS, 0.849), (THREE_CODERS, 0.811)])
def test_alpha_of_published_examples(scores, alpha):
    import krippendorff

    values = np.array(scores, float)
    found = krippendorff_alpha(values.T, np.arange(values.shape[1]))
    assert found.value == pytest.approx(alpha, abs=0.0005)
    assert found.value == pytest.approx(krippendorff.alpha(values, level_of_measurement="interval"))
    assert found.low < found.value < found.high


def test_alpha_has_no_interval_below_four_combos():
    rows = analyse(two_judges({"a": A[:3], "b": B[:3]}, lambda one: one.score + np.array([0, 1, 0, 0, 1, 0]))).agreement
    row = figure(rows, "alpha", judge_a="")
    assert np.isfinite(row["value"]) and np.isnan(row["low"])
    assert "only 3 combos have essays that two judges scored" in row["note"]


def test_two_judges_side_by_side():
    rows = analyse(two_judges({"a": A, "b": B}, lambda one: one.score - [0.5, 1.5] * 6)).agreement
    pair = {"judge_a": "one", "judge_b": "two"}
    assert figure(rows, "judge_a - judge_b", **pair)["value"] == pytest.approx(1.0)
    assert figure(rows, "mean absolute difference", **pair)["value"] == pytest.approx(1.0)
    assert figure(rows, "equal scores", **pair)["value"] == 0


def test_a_single_judge_has_nobody_to_agree_with():
    rows = analyse(by_template({"a": A, "b": B})).agreement
    assert rows.note.to_list() == [
        "cannot be told from this cohort, because it has one judge; it would take a second judge of the same essays"
    ]
    assert rows.value.isna().all()


def test_levels_have_means_intervals_and_the_set_that_may_be_best():
    worst = [score - 3.5 for score in B]
    levels = analyse(by_template({"a": A, "b": B, "c": worst})).levels
    own = levels[(levels.factor == "draft_template") & (levels.rubric == "") & (levels.judge == "")].set_index("level")
    assert own["mean"].to_dict() == pytest.approx({"a": np.mean(A), "b": np.mean(B), "c": np.mean(worst)})
    assert own.may_be_best.to_dict() == {"a": True, "b": True, "c": False}
    assert ((own.low < own["mean"]) & (own["mean"] < own.high) & (own.high < 10)).all()


def test_what_failed_bounds_the_mean():
    levels = analyse(by_template({"a": [6.0, 6.0, 6.0, None], "b": B[:4]})).levels
    row = levels[(levels.level == "a") & (levels.rubric == "") & (levels.judge == "")].iloc[0]
    assert (row["mean"], row.n_failed) == (6.0, 1)
    assert (row.mean_failed_lowest, row.mean_failed_highest) == (pytest.approx(4.5), pytest.approx(7.0))


def test_a_judges_bounds_leave_out_what_cannot_depend_on_the_text():
    rows = by_template({"a": [6.0] * 6 + [None, None]})
    rows.loc[6:, "error"] = ["refused", "timeout"]
    judges = analyse(rows).judges
    assert figure(judges, "mean had failures scored lowest")["value"] == pytest.approx(6 * 6 / 7)
    assert figure(judges, "failed: timeout")["value"] == pytest.approx(1 / 8)


def test_an_essay_that_was_never_written_is_no_failure_of_the_judge():
    rows = by_template({"a": [6.0] * 6 + [None, None]})
    rows["failed_gen_id"] = ["", "", "", "", "", "", "v6", "d7"]
    judges = analyse(rows).judges
    assert figure(judges, "failed")["value"] == pytest.approx(1 / 7)
    assert figure(judges, "essay or draft missing")["value"] == pytest.approx(1 / 8)
    assert figure(judges, "mean had failures scored lowest")["value"] == pytest.approx(6 * 6 / 7)


def test_a_judge_of_essays_by_its_own_model():
    rows = []
    for judge in ("m", "n"):
        for model in ("m", "n"):
            for combo in range(5):
                score = (
                    5
                    + combo % 3
                    + 0.5 * (model == "m")
                    + 1.5 * (judge == model == "m")
                    + 0.1 * combo * (judge == model)
                )
                rows.append(
                    {"combo_id": f"k{combo}", "generation_model": model, "evaluation_llm_model": judge, "score": score}
                )
    row = figure(analyse(table(rows)).judges, "preference for its own model's essays", judge="m")
    assert row["value"] == pytest.approx(1.9)
    assert row["low"] < 1.9 < row["high"]


def test_length_and_what_is_left_at_equal_length():
    rows = by_template({"a": A, "b": B})
    generator = np.random.default_rng(1)
    rows["essay_chars"] = generator.integers(2000, 6000, len(rows)) + 1500 * (rows.draft_template == "a")
    rows["score"] = (
        3 + rows.essay_chars / 2000 + 0.25 * (rows.draft_template == "a") + generator.normal(0, 1e-3, len(rows))
    )
    analysis = analyse(rows)
    row = figure(analysis.judges, "score for 1,000 characters more")
    assert row["value"] == pytest.approx(0.5, abs=0.01)
    assert row["low"] < row["value"] < row["high"]
    assert analysis.contrasts.difference_at_equal_length[0] == pytest.approx(0.25, abs=0.01)


def test_without_lengths_that_cannot_be_told():
    row = figure(analyse(by_template({"a": A, "b": B})).judges, "score for 1,000 characters more")
    assert "because the table has no essay_chars" in row["note"]


def test_repeated_judgements():
    rows = by_template({"a": A})
    again = rows.assign(gen_id="x" + rows.gen_id, replicate=2, score=rows.score + [1, -1] * 3)
    judges = analyse(pd.concat([rows, again])).judges
    assert figure(judges, "deviation of repeated judgements")["value"] == pytest.approx(np.sqrt(0.5))
    assert "no essay was judged twice" in figure(analyse(rows).judges, "deviation of repeated judgements")["note"]


def test_ranking_shows_ties_as_ties_and_pools_nothing_unless_asked():
    rows = two_judges({"a": [7, 7, 5, 6], "b": [1, 2, 1, 2]}, lambda one: one.score + 1)
    ranking = analyse(rows).ranking
    assert set(ranking.judge) == {"one", "two"}
    essays = ranking[(ranking.kind == "essay") & (ranking.judge == "one")]
    assert essays["rank"].to_list()[:4] == [1, 1, 3, 4]
    assert essays.low.isna().all() and essays.may_be_best.all()
    assert essays.note.str.contains("no essay was judged twice").all()
    pooled = analyse(rows, pool=True).ranking
    pooled = pooled[(pooled.judge == "") & (pooled.kind == "essay")]
    assert pooled["mean"].iloc[0] == pytest.approx(7.5)
    assert pooled.note.str.contains("each one's mean taken off").all()


def test_a_path_that_is_clearly_behind_may_not_be_best():
    ranking = analyse(by_template({"a": A, "b": [score - 4 for score in A[:5]] + [1]})).ranking
    paths = ranking[ranking.kind == "path"]
    assert paths.draft_template.to_list() == ["a", "b"]
    assert paths.may_be_best.to_list() == [True, False]


def test_judges_that_prefer_different_templates_interact():
    rows = two_judges({"a": A, "b": B}, lambda one: one.score + np.where(one.draft_template == "a", 1.0, 0.0))
    found = analyse(rows).interactions
    row = found[found.factor == "draft_template"].iloc[0]
    assert row.difference == pytest.approx(-1.0)


@pytest.mark.parametrize(
    "rows",
    [
        by_template({"a": [None] * 5, "b": [None] * 5}),
        by_template({"a": [5.0] * 5, "b": [5.0] * 5}),
        by_template({"a": [5.0], "b": [6.0]}),
        by_template({"a": [5.0]}),
        two_judges({"a": [10.0] * 6}, lambda one: one.score),
    ],
    ids=["all failed", "constant", "one combo", "one score", "ceiling"],
)
def test_every_table_says_something_whatever_the_cohort(rows):
    for name, found in analyse(rows).tables().items():
        assert len(found), name
        assert {"n_scores", "n_failed", "unit", "method", "note"} <= set(found.columns), name
        # No number without a method, and no gap without a reason.
        column = {"contrasts": "difference", "levels": "mean", "ranking": "mean", "components": "variance"}.get(name)
        if column:
            assert (found[found[column].isna()].note != "").all(), name


def test_an_evaluation_that_two_cohorts_share_counts_once():
    rows = by_template({"a": A, "b": B})
    assert analyse(pd.concat([rows, rows.assign(cohort_id="c2")])).levels.n_scores[0] == 6


def test_ids_that_look_like_numbers_are_names():
    rows = by_template({"1": A, "2": B}).astype({"draft_template": int})
    assert analyse(rows).contrasts.level_a[0] == "1"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows.drop(columns="combo_id"), "column 'combo_id': the column is missing."),
        (lambda rows: rows.assign(error="parse"), "row 2, column 'score': a row that failed has no score."),
        (lambda rows: rows.assign(score=np.nan), "row 2, column 'score': a row needs a score or an error."),
        (lambda rows: rows.assign(score="much"), "row 2, column 'score': 'much' is not a number."),
        (lambda rows: rows.assign(parent_gen_id="e"), "column 'combo_id': essay 'e' has two values of it."),
        (lambda rows: rows.iloc[:0], "it has no rows."),
    ],
)
def test_a_table_that_has_no_clear_meaning_is_refused(change, told):
    with pytest.raises(InputError) as caught:
        analyse(change(by_template({"a": A, "b": B})))
    assert told in str(caught.value)


def test_scores_of_another_scale_have_no_bounds_and_say_so():
    levels = analyse(by_template({"a": [60.0, 70, 80, 75], "b": [50.0, 65, 70, 75]})).levels
    assert levels.note.str.contains("scores lie outside 0 to 10").all()
    assert levels["mean_failed_lowest"].isna().all()


def test_a_cohort_that_has_everything_makes_all_tables():
    cohort = frame(Design("all", 6, 2, 2, 2, 2, 2, essays=2, evaluations=2, cut=True, whole=True, failed=0.1), 1)
    assert {name: len(found) > 0 for name, found in analyse(cohort).tables().items()} == dict.fromkeys(
        ("contrasts", "levels", "ranking", "components", "design", "judges", "agreement", "interactions"), True
    )


def test_a_rubric_with_a_scale_of_its_own_has_the_bounds_of_that_scale():
    scale = {"score_min": 1.0, "score_max": 5.0}
    rows = [{"combo_id": f"k{n}", "score": score} for n, score in enumerate((1.0, 5.0, 5.0, 4.0, None, 3.0))]
    scores = table(row | scale | {"error": "" if row["score"] else "parse"} for row in rows)

    analysis = analyse(scores)
    figures = analysis.judges.set_index("figure").value
    (level,) = analysis.levels[analysis.levels.factor == "draft_template"].to_dict("records")[:1]

    assert figures["lowest score of the scale"] == 0.2
    assert figures["highest score of the scale"] == 0.4
    # Five scores of 3.6 on average, and one failure that would have got a 1 or a 5.
    assert (level["mean_failed_lowest"], level["mean_failed_highest"]) == pytest.approx((19 / 6, 23 / 6))
    assert level["high"] < 5


def test_rubrics_of_different_scales_share_no_bounds_and_keep_their_own():
    rows = [
        {"combo_id": f"k{n}", "evaluation_template": rubric, "score": score * n, "score_min": 0.0, "score_max": highest}
        for rubric, score, highest in (("novelty", 2, 10.0), ("percent", 20, 100.0))
        for n in range(6)
    ]

    levels = analyse(table(rows)).levels
    drafts = levels[(levels.factor == "draft_template") & (levels.judge == "")].set_index("rubric")

    assert "different" in drafts.note[""]
    assert drafts.mean_failed_highest.isna().to_dict() == {"": True, "novelty": False, "percent": False}
