"""Which results of a cohort are not what its generations say: edited ones, and those of another time or place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from daydreaming.base.paths import CohortFiles
from daydreaming.generation.inspection import Inspection, inspect_cohort
from daydreaming.generation.study import Study
from daydreaming.results.made_results import Result, changed_files, file_sha256, read_made, source_digest
from daydreaming.results.pivots import TABLES as PIVOTS
from daydreaming.results.pivots import build_pivot, pivot_texts
from daydreaming.results.score_table import ScoreRow, require_written, scores_text, text_digest
from daydreaming.results.scores import collect_scores
from daydreaming.results.statistics.table_names import TABLES
from daydreaming.results.verdicts.preference_tables import table_files


@dataclass(frozen=True)
class ResultsCheck:
    """Says which results are there and are not those of now, whatever their times say. Looks at what it is asked for.

    Where there is no table of scores, what is made from it is made anew anyhow: then none is named but preferences.
    """

    study: Study
    inspection: Inspection

    def outdated(self, result: Result) -> Collection[Path]:
        """The files of a result that are there, if one of them is not what it would be made to now."""
        files = self.study.cohort_files
        if result is not Result.PREFERENCES and not files.scores.exists():
            return ()
        if result in (Result.SCORES, Result.PIVOTS):
            tables = [path for path in self._tables if (path == files.scores) == (result is Result.SCORES)]
            return [path for path in tables if path.exists() and file_sha256(path) != self._tables[path]]
        there = [path for path in result_files(files, result) if path.exists()]
        made = read_made(self.study, result)
        if not there or (made and made.made_from == self._source and not any(changed_files(self.study, made))):
            return ()
        return there

    def current(self, result: Result) -> Path | None:
        """The first file of a result, which stands for it, where it is there and what it would be made to now."""
        path = result_files(self.study.cohort_files, result)[0]
        is_current = self.study.cohort_files.scores.exists() and path.exists() and not self.outdated(result)
        return path if is_current else None

    @cached_property
    def _source(self) -> str:
        return source_digest(self.study, self.inspection)

    @cached_property
    def _tables(self) -> Mapping[Path, str]:
        """What the table of scores and the pivot tables are to be, by their digests.

        They are counted only where they were not recorded for what the generations say now.
        """
        files, made = self.study.cohort_files, read_made(self.study, Result.SCORES)
        if made and made.made_from == self._source:
            return {files.folder / name: record.sha256 for name, record in made.files.items()}
        rows = collect_scores(self.study, self.inspection)
        texts = {files.scores: scores_text(rows)}
        texts |= {files.reports / name: text for name, text in pivot_texts(build_pivot(rows)).items()}
        return {path: text_digest(text) for path, text in texts.items()}


@dataclass(frozen=True)
class ScoresOfNow:
    """A look at a cohort's texts, the scores that it found, and the digest of all that results are made from.

    The digest is of before the results: what changes while they are made makes them outdated.
    """

    inspection: Inspection
    source: str
    rows: Sequence[ScoreRow]


def scores_of_now(study: Study) -> ScoresOfNow:
    """The scores of a cohort, whose table must say the same. Raises InputError where it does not, or is not there."""
    inspection = inspect_cohort(study)
    source = source_digest(study, inspection)
    rows, path = collect_scores(study, inspection), study.cohort_files.scores
    require_written(path, scores_text(rows), "the table of scores", "Make it again: `snakemake -j8 scores`.")
    return ScoresOfNow(inspection, source, rows)


def result_files(files: CohortFiles, result: Result) -> list[Path]:
    """The files of a cohort that stand for a result; for the pages their list, with the report its charts' folder."""
    match result:
        case Result.SCORES:
            return [files.scores]
        case Result.PIVOTS:
            return [files.reports / f"{table}.csv" for table in PIVOTS]
        case Result.STATISTICS:
            return [files.reports / f"{table}.csv" for table in TABLES]
        case Result.PREFERENCES:
            return [files.preferences, *table_files(files.reports)]
        case Result.REPORT:
            return [files.report, files.plots]
        case Result.PAGES:
            return [files.reading_index]
        case Result.EXPORT:
            return [files.parquet, files.sqlite, files.datasette]
        case Result.BUNDLE:
            return [files.bundle]
