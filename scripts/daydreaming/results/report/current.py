"""Of which scores a report is: by the digests that its page holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from daydreaming.generation.study import Study
from daydreaming.results.human_scores import human_scores_digest
from daydreaming.results.score_table import ScoreRow, scores_digest


def current_report(study: Study, rows: Sequence[ScoreRow]) -> Path | None:
    """The report of a cohort, if there is one of these scores, and of the human scores of now."""
    return study.cohort_files.report if is_report_of(study, scores_digest(rows)) else None


def is_report_of(study: Study, digest: str) -> bool:
    """Whether there is a report of the table of scores with this digest, and of the human scores of now."""
    try:
        report = study.cohort_files.report.read_bytes()
    except OSError:
        return False
    return all(one.encode() in report for one in (digest, human_scores_digest(study.paths.human_scores)))
