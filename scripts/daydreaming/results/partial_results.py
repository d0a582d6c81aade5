"""Results of a cohort in which some generations failed, as far as `max_failed_fraction` allows them."""

from __future__ import annotations

import shutil
from pathlib import Path

from daydreaming.generation.inspection import inspect_cohort
from daydreaming.generation.study import Study
from daydreaming.results.cohort_statistics import write_statistics
from daydreaming.results.failures import cohort_failures, write_failures
from daydreaming.results.made_results import Result, record_made, record_scores, source_digest
from daydreaming.results.pages.folder import write_reading_pages
from daydreaming.results.pivots import build_pivot, write_pivot
from daydreaming.results.report.page import write_report
from daydreaming.results.report.plots import plot_files
from daydreaming.results.score_table import write_scores
from daydreaming.results.scores import ScoreCounts, collect_scores, count_scores
from daydreaming.results.verdicts.collecting import collect_verdicts
from daydreaming.results.verdicts.preference_tables import analyse_verdicts, write_preferences
from daydreaming.results.verdicts.verdict_table import VerdictCounts, count_verdicts


def write_partial_results(study: Study) -> str:
    """Write scores, verdicts, report, pages and failures, unless too many of either are missing; say what was done.

    Raises OSError.
    """
    allowed = study.settings.max_failed_fraction
    inspection = inspect_cohort(study)
    rows, source = collect_scores(study, inspection), source_digest(study, inspection)
    verdicts = collect_verdicts(study, inspection)
    without, largest = _without_result(count_scores(rows), count_verdicts(verdicts))
    if largest > allowed:
        refusal = f"No results were made: {without}, and max_failed_fraction is {allowed:.1%}."
        return "\n".join([refusal, *filter(None, [set_results_aside(study)])])
    files = study.cohort_files
    write_scores(files.scores, rows)
    write_pivot(build_pivot(rows), files.reports)
    record_scores(study, source, rows)
    record_made(study, Result.STATISTICS, source, write_statistics(study, rows, inspection))
    if verdicts:
        tables = write_preferences(study, verdicts, analyse_verdicts(verdicts, rows, study.catalogs))
        record_made(study, Result.PREFERENCES, source, tables)
    write_failures(files.failures, cohort_failures(study, inspection))
    report = write_report(study, rows, inspection, verdicts)
    record_made(study, Result.REPORT, source, [report, *plot_files(files.plots)])
    # In this process: the one that ends a run is not to start others.
    written = write_reading_pages(study, rows, processes=1, inspection=inspection, verdicts=verdicts)
    record_made(study, Result.PAGES, source, written.files)
    return (
        f"Results were made although {without} (max_failed_fraction is {allowed:.1%}):\n"
        f"  {files.scores}\n  {files.report}\n  {files.reading_index}\n  {files.failures} (what failed, and what to do)"
    )


def _without_result(scores: ScoreCounts, verdicts: VerdictCounts) -> tuple[str, float]:
    """How many evaluations have no score and comparisons no verdict, in words; the larger of the two shares."""
    said = []
    if scores.total or not verdicts.total:
        failed = f"{scores.total - scores.scored:,} of {scores.total:,} evaluations"
        said.append(f"{failed} ({scores.unscored_fraction:.1%}) have no score")
    if verdicts.total:
        failed = f"{verdicts.total - verdicts.told:,} of {verdicts.total:,} comparisons of two texts"
        said.append(f"{failed} ({verdicts.failed_fraction:.1%}) have no verdict")
    return " and ".join(said), max(scores.unscored_fraction, verdicts.failed_fraction)


def set_results_aside(study: Study) -> str | None:
    """Move tables, report, charts and pages of an earlier run to `reports/outdated`; say so; None if there are none.

    They give a score to what has failed since. Raises OSError.
    """
    reports = study.cohort_files.reports
    found = sorted(path for path in reports.glob("*") if path.is_file() and path != study.cohort_files.failures)
    folders = [one for one in (study.cohort_files.plots, study.cohort_files.reading_pages) if one.is_dir()]
    found += folders
    if not found:
        return None
    outdated: Path = reports / "outdated"
    outdated.mkdir(exist_ok=True)
    for path in found:
        if path in folders:
            shutil.rmtree(outdated / path.name, ignore_errors=True)
        path.replace(outdated / path.name)
    return f"The results of an earlier run were moved to {outdated}: some of what they score has failed since."
