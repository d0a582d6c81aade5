"""Variance components and design studies: published fits, closed forms, and other libraries."""

import numpy as np
import pytest
from score_tables import by_template, table
from simulated_cohorts import Design, Deviations, frame

from daydreaming import analyse
from daydreaming.results.statistics.design_study import (
    Components,
    Plan,
    Prices,
    Study,
    components_from,
    smallest_difference,
)


def variances(analysis):
    return analysis.components.set_index("component").variance


def test_the_mixed_model_library_finds_lme4s_published_fits():
    """lme4's documentation: sleepstudy with correlated slopes, and Penicillin."""
    import mixedlm

    sleep = mixedlm.lmer("Reaction ~ Days + (Days | Subject)", mixedlm.load_sleepstudy())
    assert list(sleep.fixef().values()) == pytest.approx([251.405, 10.467], abs=0.001)
    assert np.sqrt(np.diag(sleep.vcov())) == pytest.approx([6.825, 1.546], abs=0.001)
    subject = sleep.VarCorr().as_dict()["Subject"]
    assert (subject["(Intercept)"], subject["Days"]) == (pytest.approx(612.1, abs=0.05), pytest.approx(35.07, abs=0.01))
    assert sleep.sigma == pytest.approx(25.592, abs=0.001)


def test_penicillin_as_a_cohort_gives_lme4s_components():
    """Plates are combos and samples are judges; on a complete design it does not matter that judges are fixed."""
    import mixedlm

    data = mixedlm.load_penicillin()
    rows = [
        {"combo_id": str(plate), "evaluation_llm_model": str(sample), "score": diameter}
        for diameter, plate, sample in data[["diameter", "plate", "sample"]].itertuples(index=False)
    ]
    found = variances(analyse(table(rows)))
    plate = next(value for name, value in found.items() if name.startswith("combo +"))
    assert (plate, found["rest"]) == (pytest.approx(0.71691, abs=2e-4), pytest.approx(0.30242, abs=2e-4))
    # lme4's 3.7309 is the variance of random samples; of these six it is the same on a complete design.
    assert found["evaluation_llm_model"] == pytest.approx(3.7309, abs=2e-3)


def test_statsmodels_finds_the_same_on_an_unbalanced_cohort():
    import statsmodels.formula.api as smf

    cohort = frame(Design("any", 15, 3, judges=1, failed=0.25, evaluations=2), seed=8)
    cohort = cohort[cohort.error == ""]
    found = variances(analyse(cohort))
    other = smf.mixedlm(
        "score ~ draft_template",
        cohort,
        groups="combo_id",
        re_formula="1",
        vc_formula={"essay": "0 + C(parent_gen_id)"},
    ).fit(reml=True)
    essay = next(value for name, value in found.items() if "essay" in name)
    assert found["combo"] == pytest.approx(float(other.cov_re.iloc[0, 0]), rel=0.01, abs=0.002)
    assert essay == pytest.approx(float(other.vcomp[0]), rel=0.01, abs=0.002)
    assert found["rest"] == pytest.approx(other.scale, rel=0.01)


@pytest.mark.parametrize("combos", [60, 400])
def test_components_are_found_whole_and_in_parts(combos):
    true = Deviations()
    found = variances(analyse(frame(Design("all", combos, 2, 2, 2, judges=2, evaluations=2), seed=4)))
    assert found["rest"] == pytest.approx(true.evaluation**2, rel=0.1)
    assert found["essay"] == pytest.approx(true.essay**2, rel=0.35)
    assert found["combo x draft_template"] == pytest.approx(true.combo_draft_template**2, rel=0.5)
    assert found["combo"] == pytest.approx(true.combo**2, rel=0.6)


def test_components_are_not_told_where_scores_do_not_vary():
    components = analyse(by_template({"a": [5.0] * 5, "b": [5.0] * 5})).components
    assert "cannot be told from this cohort" in components.set_index("component").note["combo"]


def test_the_smallest_difference_is_that_of_statsmodels_power_analysis():
    from statsmodels.stats.power import TTestPower

    for combos in (4, 6, 40):
        known = TTestPower().solve_power(nobs=combos, alpha=0.05, power=0.8, alternative="two-sided")
        assert smallest_difference(4.0, combos) == pytest.approx(2 * known, rel=0.002)


def test_the_first_row_of_the_design_is_what_the_contrast_shows():
    analysis = analyse(frame(Design("any", 8, 2, judges=2, evaluations=2), seed=2))
    row = analysis.contrasts.iloc[0]
    assert analysis.design.half_width[0] == pytest.approx((row.high - row.low) / 2)


def test_more_combos_are_priced_from_the_cohorts_own_costs():
    cohort = frame(Design("any", 8, 2, judges=2), seed=2).assign(essay_cost_usd=0.1, evaluation_cost_usd=0.01)
    design = analyse(cohort).design.set_index("change")
    row = design[design.factor == "draft_template"].loc["12 more combos"]
    assert row.price_usd == pytest.approx(12 * (2 * 0.1 + 4 * 0.01))
    assert row.text == f"12 more combos: ±{row.half_width:.2f} for 2.88 USD"
    assert row.note == "the price leaves out drafts"
    assert analyse(cohort, {"draft": 0.5}).design.price_usd[1] == pytest.approx(4 * (2 * 0.6 + 4 * 0.01))


def test_without_costs_there_is_no_price():
    design = analyse(frame(Design("any", 8, 2, judges=2), seed=2)).design
    assert design.price_usd.isna().all()
    assert "it has no costs" in design.note[0]


def test_costs_of_an_unknown_stage_are_refused():
    with pytest.raises(ValueError, match="'essays'"):
        analyse(by_template({"a": [1.0], "b": [2.0]}), {"essays": 1})


def test_what_a_cohort_without_replicates_cannot_say_of_replicates():
    design = analyse(frame(Design("any", 8, 2, judges=2), seed=2)).design.set_index("change")
    assert "no essay was judged twice" in design.note["1 more replicate of each evaluation"]


def test_a_predicted_half_width_is_that_of_simulated_cohorts():
    """From the true components: the root mean square half-width of 60 cohorts of 10 combos and 3 judges."""
    true = Deviations()
    components = Components(
        true.combo_draft_template**2, 0.0, true.essay**2, true.essay_judge**2, 0.0, true.evaluation**2
    )
    [option, *_] = Study("draft_template", Plan(10, 2, judges=3), components).options()
    widths = []
    for seed in range(60):
        row = analyse(frame(Design("any", 10, 2, judges=3), seed)).contrasts.iloc[0]
        widths.append((row.high - row.low) / 2)
    assert np.sqrt(np.mean(np.square(widths))) == pytest.approx(option.half_width, rel=0.1)


def test_assumed_components_are_checked():
    assert components_from({"combo_by_level": 1.0}) == Components(1.0)
    with pytest.raises(ValueError, match="'combos' is no component"):
        components_from({"combos": 1.0})
    with pytest.raises(ValueError, match="at least 0"):
        components_from({"essay": -1.0})


def test_fewer_than_four_combos_have_no_half_width():
    [option, *_] = Study("draft_template", Plan(3, 2), Components(1.0), Prices()).options()
    assert option.text == "as it is: no interval below 4 combos"


def test_interactions_of_factors_are_components_of_their_own():
    true = Design("all", 200, 2, 1, 2, judges=2, interaction=0.6, spread=1.0)
    found = variances(analyse(frame(true, seed=6)))
    # Levels at -1 and 1: the double difference is 4 x 0.6, its square over 4 is 1.44.
    assert found["draft_template x evaluation_llm_model"] == pytest.approx(1.44, abs=0.2)
    assert found["generation_model x evaluation_llm_model"] == pytest.approx(1.44, abs=0.2)
    assert found["draft_template x generation_model"] == pytest.approx(0, abs=0.02)
    assert found["draft_template"] == pytest.approx(2.0, abs=0.3)


def revised_cohort(combos=150, essay=0.9, revision=0.3, draft=0.4, combo=0.7, rest=0.5, seed=3):
    """Essays of two draft templates, two of each draft, and revisions, which have their essay's accidents as well."""
    dice = np.random.default_rng(seed)
    rows = []
    for number in range(combos):
        of_combo = dice.normal(0, combo)
        for template in ("a", "b"):
            of_draft = dice.normal(0, draft)
            for which in ("x", "y"):
                of_essay = dice.normal(0, essay)
                name = f"{number}-{template}-{which}"
                texts = [(name, which, "", of_essay)]
                texts.append((f"r-{name}", f"revision:{which}", name, of_essay + dice.normal(0, revision)))
                for text, written, made_from, own in texts:
                    rows += [
                        {
                            "combo_id": str(number), "draft_template": template, "generation_template": written,
                            "parent_gen_id": text, "made_from": made_from, "gen_id": f"{text}-{judgement}",
                            "score": 5 + of_combo + of_draft + own + dice.normal(0, rest),
                        }
                        for judgement in range(2)
                    ]  # fmt: skip
    return table(rows)


def test_what_revisions_share_with_their_essays_passes_for_no_drafts_accident():
    """Known truth, in points squared: combo 0.49, draft 0.16, essay 0.81, judgement 0.25."""
    cohort = revised_cohort()
    analysis = analyse(cohort)
    found = variances(analysis)
    # Three standard errors of a variance among so many combos, drafts and essays.
    assert found["combo"] == pytest.approx(0.49, abs=0.27)
    draft = next(value for name, value in found.items() if "draft" in name and name.startswith("combo x"))
    assert draft == pytest.approx(0.16, abs=0.2)
    assert found["essay"] == pytest.approx(0.81, abs=0.15)
    assert found["rest"] == pytest.approx(0.25, abs=0.03)
    notes = analysis.components.set_index("component").note
    assert "without 1200 scores of texts that were made from judged ones" in notes["essay"]
    essays = variances(analyse(cohort[cohort.made_from == ""]))
    assert found["essay"] == essays["essay"]
    # What it is for: taken for essays like others, they move the essays' accidents to the drafts.
    mixed = variances(analyse(cohort.drop(columns="made_from")))
    assert mixed["combo x draft_template + draft"] > draft + 0.2
    assert mixed["essay"] < found["essay"] - 0.2


def test_revisions_whose_essays_nobody_scored_are_texts_like_others():
    cohort = revised_cohort(combos=20)
    revisions = cohort[cohort.made_from != ""]
    assert analyse(revisions).components.note.str.contains("made from judged").sum() == 0
