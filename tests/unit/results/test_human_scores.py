"""Scores that people gave: what is read, what is a fault, and what the statistics are handed."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest
from report_fixtures import make_cohort

from daydreaming.base.errors import InputError
from daydreaming.cli.validation import validate_inputs
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.generation.study import Study
from daydreaming.results.cohort_statistics import analyse_cohort
from daydreaming.results.human_scores import human_rows, read_human_scores
from daydreaming.results.made_results import Result, record_made, source_digest
from daydreaming.results.outdated_results import ResultsCheck
from daydreaming.results.report.page import write_report
from daydreaming.results.report.plots import plot_files
from daydreaming.results.report.readers import MOST_SENTENCES
from daydreaming.results.score_table import write_scores
from daydreaming.results.scores import collect_scores

HEADER = "essay_gen_id,rubric,reader,score,created_at,text_sha256"
ESSAY = "e-developed-sleep-maps-quick-writer"


@pytest.fixture
def study(tmp_path, monkeypatch) -> Study:
    monkeypatch.chdir(tmp_path)
    return make_cohort(tmp_path)


def digest(study: Study, essay: str = ESSAY) -> str:
    return hashlib.sha256(study.files("essay", essay).parsed.read_bytes()).hexdigest()


def write(study: Study, *lines: str) -> Path:
    path = study.paths.human_scores
    path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    return path


def test_without_the_file_there_are_no_scores(study):
    assert read_human_scores(study.paths.human_scores) == []
    assert human_rows(study) == []


def test_a_score_becomes_a_row_of_one_more_judge(study):
    write(study, f"{ESSAY},novelty,ann,7.5,2026-01-31T12:00:00.000Z,{digest(study)}")
    (row,) = human_rows(study)
    assert (row.score, row.error, row.evaluation_template, row.evaluation_llm_model) == (
        7.5,
        "",
        "novelty",
        "reader:ann",
    )
    assert (row.parent_gen_id, row.combo_id, row.generation_model) == (ESSAY, "sleep-maps", "quick-writer")


def test_a_score_is_on_the_scale_of_its_rubric_and_one_outside_of_it_is_a_fault(study):
    rubrics = study.catalogs.templates["evaluation"]
    rubrics["novelty"] = replace(rubrics["novelty"], score_min=0.0, score_max=100.0)
    write(study, f"{ESSAY},novelty,ann,75,2026-01-31T12:00:00Z,{digest(study)}")
    (row,) = human_rows(study)
    assert (row.score, row.score_min, row.score_max) == (75.0, 0.0, 100.0)

    write(study, f"{ESSAY},human,ann,75,2026-01-31T12:00:00Z,{digest(study)}")
    with pytest.raises(InputError, match="'75' is not a score from 0 to 10"):
        human_rows(study)


def test_a_second_score_is_a_replicate_in_the_order_of_time_and_a_repeated_row_counts_once(study):
    late = f"{ESSAY},human,ann,5,2026-02-01T12:00:00Z,{digest(study)}"
    early = f"{ESSAY},human,ann,6,2026-01-31T12:00:00Z,{digest(study)}"
    write(study, late, early, late)
    assert [(row.score, row.replicate) for row in human_rows(study)] == [(6.0, 1), (5.0, 2)]


def test_a_score_of_a_text_that_has_been_made_anew_counts_for_nothing(study):
    write(study, f"{ESSAY},human,ann,5,2026-02-01T12:00:00Z,{digest(study)}")
    study.files("essay", ESSAY).parsed.write_text("Another text.")
    (row,) = human_rows(study)
    assert (row.score, row.error) == (None, "stale")


def test_essays_of_other_cohorts_are_left_out(study):
    write(study, f"elsewhere,human,ann,5,2026-02-01T12:00:00Z,{'0' * 64}")
    assert len(read_human_scores(study.paths.human_scores)) == 1
    assert human_rows(study) == []


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (f"e1,human,ann,11,2026-02-01T12:00:00Z,{'0' * 64}", "score"),
        (f"e1,human,ann,,2026-02-01T12:00:00Z,{'0' * 64}", "score"),
        (f"e1,human,ann b,5,2026-02-01T12:00:00Z,{'0' * 64}", "reader"),
        (f"e1,human,ann,5,yesterday,{'0' * 64}", "created_at"),
        (f"e1,human,ann,5,2026-02-01T12:00:00,{'0' * 64}", "created_at"),
        ("e1,human,ann,5,2026-02-01T12:00:00Z,abc", "text_sha256"),
    ],
)
def test_a_fault_names_row_and_column_and_is_found_by_the_check_of_all_inputs(study, line, column):
    path = write(study, line)
    with pytest.raises(InputError) as raised:
        read_human_scores(path)
    (fault,) = raised.value.faults
    assert (fault.row, fault.column) == (2, column)
    assert fault in validate_inputs(study.settings).faults


def scored(study: Study, reader: str, rubric: str = "novelty", add: float = 0.0) -> list[str]:
    """The scores of the judge `judge` by novelty, as lines of a reader's."""
    own = [row for row in collect_scores(study) if row.evaluation_template == "novelty"]
    scores = {row.parent_gen_id: row.score + add for row in own if row.evaluation_llm_model == "judge"}
    when = "2026-02-01T12:00:00Z"
    return [f"{essay},{rubric},{reader},{score},{when},{digest(study, essay)}" for essay, score in scores.items()]


def test_the_statistics_tell_how_far_a_reader_agrees_with_a_judge(study):
    write(study, *scored(study, "ann"))
    agreement = analyse_cohort(study, collect_scores(study)).agreement
    pairs = agreement[(agreement.judge_a == "judge") & (agreement.judge_b == "reader:ann")]
    assert pairs[(pairs.rubric == "novelty") & (pairs.figure == "alpha")].value.tolist() == [1.0]


def test_the_report_tells_it_in_words_and_as_a_table(study):
    assert "reader" not in report(study)
    lines = scored(study, "ann", add=-0.5)
    write(study, *lines, *scored(study, "ben", rubric="human"))
    study.files("essay", ESSAY).parsed.write_text("Another text.")
    text = report(study)
    assert "By novelty, judge gave 0.50 points more than reader ann (95% interval of the difference" in text
    assert "15 essays of 4 combos); they have a rank correlation of 1.00." in text
    assert "scores by judge and the own impression of reader ben, 15 essays of 4 combos" in text
    assert "2 scores of readers left out: of a text that is not the essay&#39;s any more." in text
    assert "<h3>Judges and readers</h3>" in text


def test_of_many_readers_the_report_tells_the_first_in_words(study):
    write(study, *(line for number in range(5) for line in scored(study, f"r{number}")))
    text = report(study)
    assert text.count("than reader r") + text.count("points as reader r") == MOST_SENTENCES
    assert "2 more pairs of judge and reader are in the table" in text


def test_a_report_of_other_human_scores_is_outdated(study):
    write_scores(study.cohort_files.scores, collect_scores(study))
    write(study, *(lines := scored(study, "ann")))
    report(study)
    assert study.cohort_files.report not in outdated_reports(study)
    write(study, *lines[1:])
    assert study.cohort_files.report in outdated_reports(study)
    report(study)
    study.paths.human_scores.unlink()
    assert study.cohort_files.report in outdated_reports(study)


def outdated_reports(study: Study) -> Collection[Path]:
    return ResultsCheck(study, inspect_cohort(study)).outdated(Result.REPORT)


def report(study: Study) -> str:
    path = write_report(study, collect_scores(study))
    files = [path, *plot_files(study.cohort_files.plots)]
    record_made(study, Result.REPORT, source_digest(study, inspect_cohort(study)), files)
    return path.read_text(encoding="utf-8")
