"""The end of a run: told once, and results that say what the run made, or none."""

import concurrent.futures

import pytest
import score_fixtures as fixtures
from watch_fixtures import GENERATIONS, PLANNED, RUN, finish, journal_of, study_in

from daydreaming.watch.run_end import end_run

SCORES = "data/cohorts/c1/reports/parsed_scores.csv"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def end(study, planned=PLANNED, wants_scores=True, stopped=False, run=RUN, **others):
    return end_run(study, run, planned, wants_scores=wants_scores, seconds=75, stopped=stopped, **others)


def make_all(study, *failed):
    """Write the files and the journal of a run in which all was made but what is named."""
    journal = journal_of(study)
    for one in GENERATIONS:
        kind = "parse" if one.gen_id in failed else "none"
        parsed = None if one.gen_id in failed else "7.0" if one.stage == "evaluation" else "A text."
        fixtures.make(study.settings, one, parsed, kind)
        finish(journal, one.stage, one.gen_id, "parse" if one.gen_id in failed else "made")


def earlier_results(folder):
    path = folder / SCORES
    path.parent.mkdir(parents=True)
    path.write_text("scores of an earlier run")
    return path


def test_failures_come_first_and_then_the_summary(folder):
    study = study_in(folder)
    make_all(study, "v1")
    text = end(study)
    places = [
        text.index(part) for part in ("Failed generations: 1", "what parse means", "Run of cohort c1, 1 min 15 s")
    ]
    assert places == sorted(places)


def test_a_run_ends_once_whoever_calls(folder):
    study = study_in(folder)
    make_all(study)
    assert "Run of cohort c1" in end(study)
    assert end(study) == ""
    # Another run of the same cohort has an end of its own.
    assert "Run of cohort c1" in end(study, run="run-2")


def test_of_many_calls_at_once_one_ends_the_run(folder):
    study = study_in(folder)
    make_all(study, "v1")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda _: end(study), range(8)))
    assert sorted(map(bool, texts)) == [False] * 7 + [True]


def test_a_full_disk_hides_no_end(folder, monkeypatch):
    study = study_in(folder)
    make_all(study, "v1")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("daydreaming.ledger.journal.write_all", full)
    assert "Failed generations: 1" in end(study)


def test_a_journal_that_is_a_folder_is_named(folder):
    study = study_in(folder)
    study.cohort_files.journal.mkdir(parents=True)
    assert "its journal cannot be read" in end(study)


def test_results_that_failures_make_outdated_are_set_aside(folder):
    study, path = study_in(folder), earlier_results(folder)
    make_all(study, "v1")
    assert "were moved to data/cohorts/c1/reports/outdated" in end(study)
    assert not path.exists()


def test_without_a_wish_for_scores_results_stay(folder):
    study, path = study_in(folder), earlier_results(folder)
    make_all(study, "v1")
    assert "outdated" not in end(study, wants_scores=False)
    assert path.exists()


def test_few_enough_failures_leave_results_that_show_them(folder):
    study = study_in(folder, max_failed_fraction=0.5)
    make_all(study, "v1")
    assert "Results were made although 1 of 2 evaluations (50.0%) have no score" in end(study)
    assert "parse" in (folder / SCORES).read_text()


def test_a_run_that_was_stopped_makes_no_results_of_what_there_is(folder):
    study, path = study_in(folder, max_failed_fraction=0.9), earlier_results(folder)
    for one in (GENERATIONS[0], GENERATIONS[2], GENERATIONS[4]):
        fixtures.make(study.settings, one, "7.0" if one.stage == "evaluation" else "A text.")
        finish(journal_of(study), one.stage, one.gen_id, "made")
    # One failed, and one was not tried: enough of all have a score, but nobody knows how many will.
    fixtures.make(study.settings, GENERATIONS[3], None, "timeout")
    finish(journal_of(study), "essay", "e2", "timeout")
    assert "were moved to" in end(study, stopped=True)
    assert not path.exists()


@pytest.mark.parametrize("fraction", [0.0, 0.5])
def test_a_finished_cohort_that_is_confirmed_keeps_its_results(folder, fraction):
    study, path = study_in(folder, max_failed_fraction=fraction), earlier_results(folder)
    journal = journal_of(study)
    for stage, gen_id in PLANNED:
        finish(journal, stage, gen_id, "kept")
    text = end(study)
    assert "2 up to date" in text
    assert "not tried" not in text
    assert path.read_text() == "scores of an earlier run"


def test_what_was_held_back_is_told_apart_and_has_no_score(folder):
    study, path = study_in(folder), earlier_results(folder)
    journal = journal_of(study)
    for one in GENERATIONS[:5]:
        finish(journal, one.stage, one.gen_id, "made")
    fixtures.make(study.settings, GENERATIONS[5], None, "not_tried")
    finish(journal, "evaluation", "v2", "not_tried")
    text = end(study)
    assert "Generations that were not tried, for the same error had come too often: 1" in text
    assert "what not_tried means" in text
    assert "Failed generations" not in text
    assert not path.exists()


def test_what_is_waiting_for_you_is_told_apart_and_has_no_score(folder):
    study, path = study_in(folder), earlier_results(folder)
    make_all(study)
    finish(journal_of(study), "evaluation", "v2", "waiting")
    (study.files("evaluation", "v2").metadata).write_text("{")
    text = end(study)
    assert "Generations that are waiting for you: 1" in text
    assert "Put back what has changed, or set remake_adopted" in text
    assert "Failed generations" not in text
    assert not path.exists()


def test_a_disk_that_refuses_results_is_told_with_the_rest(folder, monkeypatch):
    study = study_in(folder)
    make_all(study, "v1")
    reports = study.cohort_files.reports
    reports.mkdir(parents=True)
    (reports / "parsed_scores.csv").write_text("earlier")
    (reports / "outdated").write_text("in the way")
    text = end(study)
    assert "Run of cohort c1" in text
    assert "The results of the run could not be made" in text


def test_adopted_generations_are_counted(folder):
    study = study_in(folder)
    make_all(study)
    assert "3 generations that no run made, used as found" in end(study, adopted=3)
