"""The statistics of a cohort: its tables, and the sizes of its plan."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from report_fixtures import generations, make_cohort

from daydreaming.generation.inspection import inspect_cohort
from daydreaming.results.cohort_statistics import analyse_cohort, draft_price, plan_of_cohort, write_statistics
from daydreaming.results.scores import collect_scores
from daydreaming.results.statistics.table_names import TABLES


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_table_is_written_with_the_columns_that_an_empty_one_has(folder):
    study = make_cohort(folder, failures=3)
    written = {path: list(pd.read_csv(path).columns) for path in write_statistics(study, collect_scores(study))}
    assert [path.stem for path in written] == list(TABLES)
    assert {path: list(pd.read_csv(path).columns) for path in write_statistics(study, [])} == written
    assert all(pd.read_csv(path).empty for path in written)


def test_lengths_and_prices_of_the_cohort_reach_its_statistics(folder):
    study = make_cohort(folder, cost_usd=0.002)
    analysis = analyse_cohort(study, collect_scores(study))
    assert draft_price(study, inspect_cohort(study)) == pytest.approx(0.002)
    now = analysis.design[(analysis.design.factor == "generation_model") & (analysis.design.change == "as it is")]
    # 8 drafts, 8 essays that are no copies, 64 evaluations.
    assert now.price_usd.tolist() == [pytest.approx(80 * 0.002)]
    slopes = analysis.judges[analysis.judges.figure == "score for 1,000 characters more"]
    assert not slopes.note.str.contains("essay_chars").any()


def test_the_sizes_of_a_cohort_are_those_of_its_generations():
    plan = plan_of_cohort(generations())
    assert (plan.combos, plan.draft_templates, plan.essay_templates, plan.models) == (4, 1, 2, 2)
    assert (plan.rubrics, plan.judges, plan.essays, plan.evaluations) == (2, 2, 1, 1)
