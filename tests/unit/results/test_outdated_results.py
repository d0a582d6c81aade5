"""Tables and reports that are not those of the scores of now."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_fixtures import make_cohort

from daydreaming.base.errors import InputError
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.generation.study import Study
from daydreaming.results.outdated_results import checked_scores, outdated_results
from daydreaming.results.pivots import build_pivot, write_pivot
from daydreaming.results.report.page import write_report
from daydreaming.results.score_table import write_scores
from daydreaming.results.scores import collect_scores


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A cohort with its tables and its report."""
    monkeypatch.chdir(tmp_path)
    study = make_cohort(tmp_path, failures=2)
    rows, files = collect_scores(study), study.cohort_files
    write_scores(files.scores, rows)
    write_pivot(build_pivot(rows), files.reports)
    write_report(study, rows)
    return study


def outdated(study: Study) -> set[str]:
    return {path.name for path in outdated_results(study, inspect_cohort(study))}


def test_what_was_written_of_the_scores_of_now_is_not_outdated(study: Study):
    assert outdated(study) == set()
    assert checked_scores(study) == collect_scores(study)


@pytest.mark.parametrize("name", ["parsed_scores.csv", "pivot_mean.csv", "pivot_n_failed.csv"])
def test_an_edited_table_is_named(study: Study, name: str):
    path = study.cohort_files.reports / name
    path.write_text(path.read_text() + "\n")
    assert outdated(study) == {name}


def test_another_score_makes_all_of_them_outdated(study: Study):
    row = study.membership.stage("evaluation")[0]
    parsed = study.files("evaluation", row.gen_id).parsed
    parsed.write_text("0.5\n")
    assert outdated(study) == {"parsed_scores.csv", "pivot_mean.csv", "pivot_sum.csv", "report.html"}
    with pytest.raises(InputError, match="not what the generations say now"):
        checked_scores(study)


def test_without_a_table_of_scores_nothing_is_compared(study: Study):
    study.cohort_files.scores.unlink()
    assert outdated(study) == set()
    with pytest.raises(InputError, match="does not exist"):
        checked_scores(study)
