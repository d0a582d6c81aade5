"""Results in spite of failures, as far as the user allows."""

import csv
from dataclasses import replace

import pytest
import score_fixtures as fixtures
from pages_fixtures import make_reading_cohort
from verdict_fixtures import inspect, make_duels, without
from watch_fixtures import GENERATIONS, study_in

from daydreaming.results.partial_results import set_results_aside, write_partial_results
from daydreaming.results.statistics.table_names import TABLES


@pytest.fixture
def make_study(tmp_path, monkeypatch):
    """A study of two evaluations, one of which failed."""
    monkeypatch.chdir(tmp_path)

    def make(allowed):
        study = study_in(tmp_path, max_failed_fraction=allowed)
        *made, failed = GENERATIONS
        for one in made:
            fixtures.make(study.settings, one, "7.0" if one.stage == "evaluation" else "text")
        fixtures.make(study.settings, failed, None, "refused")
        return study

    return make


def rows(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_results_are_made_with_the_failures_in_them(make_study):
    study = make_study(0.5)
    message = write_partial_results(study)
    scores = {row["gen_id"]: (row["score"], row["error"]) for row in rows(study.cohort_files.scores)}
    assert scores == {"v1": ("7.0", ""), "v2": ("", "refused")}
    assert [(row["gen_id"], row["kind"]) for row in rows(study.cohort_files.failures)] == [("v2", "refused")]
    assert {path.name for path in study.cohort_files.reports.iterdir()} == {
        "parsed_scores.csv",
        "failures.csv",
        "report.html",
        "plots",
        "read",
        "pivot_mean.csv",
        "pivot_n.csv",
        "pivot_sum.csv",
        "pivot_n_failed.csv",
        *(f"{name}.csv" for name in TABLES),
    }
    assert "1 of 2 evaluations (50.0%) have no score" in message
    assert str(study.cohort_files.scores) in message


@pytest.mark.parametrize(("allowed", "made"), [(0.03, True), (0.02, False)])
def test_comparisons_of_two_texts_are_results_too(tmp_path, monkeypatch, allowed, made):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("daydreaming.results.partial_results.inspect_cohort", inspect)
    plain = make_reading_cohort(tmp_path, combos=2, replicates=1, sentences=4, hostile="")
    study, _ = make_duels(without(plain, lambda row: row.stage == "evaluation"), failures=1)
    study = replace(study, settings=study.settings.model_copy(update={"max_failed_fraction": allowed}))
    message = write_partial_results(study)
    share = "1 of 48 comparisons of two texts (2.1%) have no verdict"
    assert message.startswith(f"Results were made although {share}" if made else f"No results were made: {share}")
    assert study.cohort_files.preferences.exists() == study.cohort_files.report.exists() == made
    if made:
        assert sum(row["error"] == "parse" for row in rows(study.cohort_files.preferences)) == 1
        assert len(list((study.cohort_files.reading_pages / "pairs").iterdir())) == 12


def test_nothing_is_written_where_more_failed(make_study):
    study = make_study(0.49)
    message = write_partial_results(study)
    assert message.startswith("No results were made: 1 of 2 evaluations (50.0%)")
    assert not study.cohort_files.reports.exists()


def test_results_that_failures_have_outdated_are_set_aside(make_study):
    study = make_study(0.5)
    write_partial_results(study)
    reports = study.cohort_files.reports
    assert str(reports / "outdated") in set_results_aside(study)
    assert sorted(path.name for path in reports.iterdir()) == ["failures.csv", "outdated"]
    assert (reports / "outdated" / "parsed_scores.csv").exists()
    assert (reports / "outdated" / "read" / "index.html").exists()
    assert (reports / "outdated" / "plots" / "leaderboard").is_dir()
    assert set_results_aside(study) is None
