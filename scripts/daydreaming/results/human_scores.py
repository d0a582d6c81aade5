"""Scores that people gave, `human_scores.csv`: read strictly, and handed to the statistics as one more judge's."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from daydreaming.base.errors import InputError
from daydreaming.base.identifiers import GENERATION_ID_LENGTH, content_id
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Generation, Scale
from daydreaming.inputs.tables import CellReader, scan_table
from daydreaming.results.labels import judged_text, rubric_scales, text_labels
from daydreaming.results.score_table import READER, ScoreRow, parse_score
from daydreaming.results.scores import MISSING, STALE

COLUMNS = ("essay_gen_id", "rubric", "reader", "score", "created_at", "text_sha256")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class HumanScore:
    """A reader's score of an essay, by a rubric of the cohort or by `human`, the reader's own impression, from 0 to 10.

    `text_sha256` is the digest of the text that was read: the essay may have been made anew since.
    """

    essay_gen_id: str
    rubric: str
    reader: str
    score: float
    created_at: datetime
    text_sha256: str


def read_human_scores(path: Path, scales: Mapping[str, Scale] = MappingProxyType({})) -> list[HumanScore]:
    """Return the scores in the order in which they were given; none without the file. Repeated rows count once.

    `scales` has the scale of each rubric; one that it does not have is from 0 to 10. Raises InputError with
    every row that has a fault.
    """
    if not path.exists():
        return []
    rows, faults = scan_table(path, COLUMNS)
    scores = [_human_score(CellReader(path, row, faults), scales) for row in rows]
    if faults:
        raise InputError(sorted(faults, key=lambda fault: fault.row or 0))
    return sorted(dict.fromkeys(filter(None, scores)), key=lambda score: score.created_at)


def human_rows(study: Study) -> list[ScoreRow]:
    """Return the human scores of a cohort's essays as rows of the table of scores; those of other essays are left out.

    The judge is `reader:<name>`. A reader's second score of an essay by the same rubric is a replicate. A score of a
    text that is not the essay's any more has the error `stale` and counts for nothing. Raises InputError.
    """
    path = study.paths.human_scores
    scales = rubric_scales(study.catalogs, study.membership.stages)
    replicates: Counter[tuple[str, str, str]] = Counter()
    rows = []
    for score in read_human_scores(path, scales):
        if (text := judged_text(study.membership, score.essay_gen_id)) is not None:
            replicates[key := (score.essay_gen_id, score.rubric, score.reader)] += 1
            rows.append(_row(study, text, score, replicates[key], scales.get(score.rubric, Scale())))
    return rows


def _row(study: Study, text: Generation, score: HumanScore, replicate: int, scale: Scale) -> ScoreRow:
    parsed = study.files(text.stage, text.gen_id).parsed
    digest = _digest(parsed)
    error = "" if digest == score.text_sha256 else STALE if digest else MISSING
    identity = [score.essay_gen_id, score.rubric, score.reader, replicate]
    return ScoreRow(
        gen_id=f"human-{content_id(identity, GENERATION_ID_LENGTH)}",
        parent_gen_id=text.gen_id,
        **text_labels(study.membership, text),
        evaluation_template=score.rubric,
        evaluation_llm_model=f"{READER}{score.reader}",
        replicate=replicate,
        cohort_id=study.membership.cohort_id,
        score=None if error else score.score,
        error=error,
        essay_path=parsed.as_posix(),
        evaluation_path=study.paths.human_scores.as_posix(),
        failed_gen_id=text.gen_id if error else "",
        error_message="" if not error else "the reader scored another text than the essay has now",
        look_at=parsed.as_posix() if error else "",
        score_min=scale.lowest,
        score_max=scale.highest,
        text_stage=text.stage,
    )


def _digest(path: Path) -> str:
    """The digest of a text, as the pages of the blind mode make it; "" where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _human_score(cells: CellReader, scales: Mapping[str, Scale]) -> HumanScore | None:
    before = len(cells.faults)
    essay, rubric, reader = (cells.identifier(column) for column in COLUMNS[:3])
    scale = scales.get(rubric or "", Scale())
    score = parse_score(text := cells.text("score"), scale)
    if text and score is None:
        cells.add_fault("score", f"{text!r} is not a score from {scale}.", "Write a number such as 7.5.")
    created_at = _moment(cells)
    digest = cells.text("text_sha256")
    if digest and not _SHA256.fullmatch(digest):
        cure = (
            "Take the row as the page saved it, or write the digest that `sha256sum` gives of the essay's parsed.txt."
        )
        cells.add_fault("text_sha256", f"{digest!r} is not the SHA-256 of a text.", cure)
    if len(cells.faults) > before or score is None or created_at is None:
        return None
    return HumanScore(essay, rubric, reader, score, created_at, digest)


def _moment(cells: CellReader) -> datetime | None:
    text = cells.text("created_at")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        cells.add_fault("created_at", f"{text!r} is not a moment.", "Write it as 2026-01-31T12:00:00Z.")
        return None
    return moment
