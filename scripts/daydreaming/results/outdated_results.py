"""Which results of a cohort are not what its generations say: edited ones, and those of another time or place."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from daydreaming.base.atomic import encoded
from daydreaming.base.errors import Fault, InputError
from daydreaming.generation.inspection import Inspection
from daydreaming.generation.study import Study
from daydreaming.results.pivots import build_pivot, pivot_texts
from daydreaming.results.report.current import is_report_of
from daydreaming.results.score_table import ScoreRow, scores_text, text_digest
from daydreaming.results.scores import collect_scores


def outdated_results(study: Study, inspection: Inspection) -> Collection[Path]:
    """The tables and the report that are there and are not those of the scores of now, whatever their times say.

    The report is judged by the human scores, too.
    Where there is no table of scores, all results are made from a new one anyhow: then it names none.
    """
    files = study.cohort_files
    if not files.scores.exists():
        return ()
    rows = collect_scores(study, inspection)
    scores = scores_text(rows)
    texts = {files.scores: scores}
    texts |= {files.reports / name: text for name, text in pivot_texts(build_pivot(rows)).items()}
    outdated = {path for path, text in texts.items() if path.exists() and not _holds(path, encoded(text))}
    if files.report.exists() and not is_report_of(study, text_digest(scores)):
        outdated.add(files.report)
    return outdated


def checked_scores(study: Study, inspection: Inspection | None = None) -> list[ScoreRow]:
    """The scores of a cohort, whose table must say the same. Raises InputError where it does not, or is not there."""
    rows, path = collect_scores(study, inspection), study.cohort_files.scores
    if not _holds(path, encoded(scores_text(rows))):
        problem = "the table of scores is not what the generations say now." if path.exists() else "does not exist."
        raise InputError(Fault(str(path), problem, "Make it again: `snakemake -j8 scores`."))
    return rows


def _holds(path: Path, content: bytes) -> bool:
    return _content(path) == content


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
