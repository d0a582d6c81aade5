"""Tables and reports that are not those of the scores of now."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from report_fixtures import load_cohort, make_cohort

from daydreaming.base.errors import InputError
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.generation.study import Study
from daydreaming.results import made_results, outdated_results
from daydreaming.results.cohort_statistics import write_statistics
from daydreaming.results.export.files import export_cohort
from daydreaming.results.made_results import Result, record_made, record_scores, source_digest
from daydreaming.results.outdated_results import ResultsCheck, scores_of_now
from daydreaming.results.pages.folder import write_reading_pages
from daydreaming.results.pivots import build_pivot, write_pivot
from daydreaming.results.report.page import write_report
from daydreaming.results.report.plots import plot_files
from daydreaming.results.score_table import write_scores
from daydreaming.results.scores import collect_scores


@pytest.fixture(scope="module")
def folder_with_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a cohort with its tables, its report, its pages and its export, which no test changes."""
    folder = tmp_path_factory.mktemp("with-results")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        study = make_cohort(folder, failures=2)
        rows, files = collect_scores(study), study.cohort_files
        write_scores(files.scores, rows)
        write_pivot(build_pivot(rows), files.reports)
        source = source_digest(study, inspect_cohort(study))
        record_scores(study, source, rows)
        record_made(study, Result.REPORT, source, [write_report(study, rows), *plot_files(files.plots)])
        record_made(study, Result.STATISTICS, source, write_statistics(study, rows))
        record_made(study, Result.PAGES, source, write_reading_pages(study, rows, processes=1).files)
        record_made(study, Result.EXPORT, source, export_cohort(study))
    return folder


@pytest.fixture
def study(tmp_path: Path, folder_with_results: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A copy of that cohort."""
    shutil.copytree(folder_with_results, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return load_cohort()


def outdated(study: Study) -> set[Result]:
    check = ResultsCheck(study, inspect_cohort(study))
    found = {result: check.outdated(result) for result in Result}
    assert {path for paths in found.values() for path in paths if not path.exists()} == set()
    return {result for result, paths in found.items() if paths}


def edit(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Edit a file and put its time back."""
    moment, content = path.stat().st_mtime_ns, path.read_bytes()
    path.write_bytes(change(content))
    assert path.read_bytes() != content
    os.utime(path, ns=(moment, moment))


def of_the_same_size(content: bytes) -> bytes:
    return content[:-2] + bytes([content[-2] ^ 1]) + content[-1:]


def test_what_was_written_of_the_scores_of_now_is_not_outdated(study: Study):
    assert outdated(study) == set()
    assert scores_of_now(study).rows == collect_scores(study)


EDITED = [
    ("reports/parsed_scores.csv", Result.SCORES),
    ("reports/pivot_mean.csv", Result.PIVOTS),
    ("reports/pivot_n_failed.csv", Result.PIVOTS),
    ("reports/contrasts.csv", Result.STATISTICS),
    ("reports/interactions.csv", Result.STATISTICS),
    ("reports/report.html", Result.REPORT),
    ("reports/read/index.html", Result.PAGES),
    ("reports/read/data/contents.js", Result.PAGES),
    ("reports/read/essays/*.html", Result.PAGES),
    ("export/c1.parquet", Result.EXPORT),
    ("export/c1.sqlite", Result.EXPORT),
    ("export/c1.datasette.json", Result.EXPORT),
]


@pytest.mark.parametrize("change", [of_the_same_size, lambda content: content + b"\n"], ids=["size kept", "longer"])
@pytest.mark.parametrize(("name", "result"), EDITED, ids=[name for name, _ in EDITED])
def test_an_edited_file_is_noticed_whatever_its_time_and_size(
    study: Study, name: str, result: Result, change: Callable[[bytes], bytes]
):
    path = next(study.cohort_files.folder.glob(name))
    edit(path, change)
    assert outdated(study) == {result}
    if result is not Result.SCORES:
        scores_of_now(study)


@pytest.mark.parametrize("name", ["reports/levels.csv", "reports/read/data/contents.js", "export/c1.sqlite"])
def test_a_missing_file_of_several_makes_all_of_them_outdated(study: Study, name: str):
    (study.cohort_files.folder / name).unlink()
    assert len(outdated(study)) == 1


def test_a_copied_cohort_is_what_it_was(study: Study, tmp_path: Path):
    """The times of the inodes are others in a copy: then the content is looked at."""
    copy = tmp_path / "copy"
    shutil.copytree(study.cohort_files.folder, copy)
    shutil.rmtree(study.cohort_files.folder)
    copy.rename(study.cohort_files.folder)
    assert outdated(study) == set()


@pytest.mark.parametrize("result", [Result.STATISTICS, Result.REPORT, Result.PAGES, Result.EXPORT])
@pytest.mark.parametrize("record", [None, b"", b"{", b"[]", b'{"made_from": 1, "files": {}}', b'{"made_from": "\xff"}'])
def test_what_has_no_record_that_can_be_read_is_made_again(study: Study, result: Result, record: bytes | None):
    path = study.cohort_files.made(result)
    path.unlink() if record is None else path.write_bytes(record)
    assert outdated(study) == {result}


@pytest.mark.parametrize("record", [None, b"{", b'{"made_from": "", "files": {}}'])
def test_without_a_record_the_scores_are_counted(study: Study, record: bytes | None):
    path = study.cohort_files.made(Result.SCORES)
    path.unlink() if record is None else path.write_bytes(record)
    assert outdated(study) == set()
    edit(study.cohort_files.scores, of_the_same_size)
    assert outdated(study) == {Result.SCORES}


def test_where_nothing_has_changed_the_scores_are_not_counted_again(study: Study, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outdated_results, "collect_scores", None)
    assert outdated(study) == set()


def edit_human_scores(study: Study) -> None:
    study.paths.human_scores.write_text("essay_gen_id,rubric,reader,score,created_at,text_sha256\n")


def edit_models(study: Study) -> None:
    edit(study.paths.models, lambda content: content.replace(b"Quick", b"Quack"))


def edit_cost(study: Study) -> None:
    row = study.membership.stage("draft")[0]
    edit(
        study.files("draft", row.gen_id).metadata,
        lambda record: json.dumps({**json.loads(record), "cost_usd": 9}).encode(),
    )


@pytest.mark.parametrize("change", [edit_human_scores, edit_models, edit_cost])
def test_what_results_show_besides_scores_makes_them_outdated(study: Study, change: Callable[[Study], None]):
    change(study)
    assert outdated(study) == {Result.STATISTICS, Result.REPORT, Result.PAGES, Result.EXPORT}


def test_other_code_makes_other_results(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    code = tmp_path / "code"
    shutil.copytree(made_results._CODE, code, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(made_results, "_CODE", code)
    assert outdated(study) == set()
    (code / "report" / "report.css").write_text("")
    assert outdated(study) == {Result.STATISTICS, Result.REPORT, Result.PAGES, Result.EXPORT}


def test_another_score_makes_all_of_them_outdated(study: Study):
    row = study.membership.stage("evaluation")[0]
    parsed = study.files("evaluation", row.gen_id).parsed
    parsed.write_text("0.5\n")
    # The cohort compares nothing, and nobody has asked for a bundle.
    assert outdated(study) == set(Result) - {Result.PREFERENCES, Result.BUNDLE}
    with pytest.raises(InputError, match="not what the generations say now"):
        scores_of_now(study)


def test_without_a_table_of_scores_nothing_is_compared(study: Study):
    study.cohort_files.scores.unlink()
    assert outdated(study) == set()
    with pytest.raises(InputError, match="does not exist"):
        scores_of_now(study)


def test_a_result_is_current_where_it_is_there_and_what_it_would_be_made_to_now(study: Study):
    def current(result: Result) -> Path | None:
        return ResultsCheck(study, inspect_cohort(study)).current(result)

    files = study.cohort_files
    assert [current(result) for result in (Result.SCORES, Result.REPORT)] == [files.scores, files.report]
    assert current(Result.BUNDLE) is None
    edit(files.report, of_the_same_size)
    assert (current(Result.REPORT), current(Result.EXPORT)) == (None, files.parquet)
    files.parquet.unlink()
    assert current(Result.EXPORT) is None
    files.scores.unlink()
    assert current(Result.PAGES) is None


def test_what_changes_while_scores_are_counted_makes_their_results_outdated(
    study: Study, monkeypatch: pytest.MonkeyPatch
):
    def counted_while_somebody_edits(*arguments: object) -> object:
        edit_models(study)
        return collect_scores(*arguments)

    before = source_digest(study, inspect_cohort(study))
    monkeypatch.setattr(outdated_results, "collect_scores", counted_while_somebody_edits)
    assert scores_of_now(study).source == before != source_digest(study, inspect_cohort(study))
