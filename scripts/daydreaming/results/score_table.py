"""The table of scores, `parsed_scores.csv`: one row for each evaluation of a cohort, scored or not."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from daydreaming.base import atomic
from daydreaming.base.errors import Fault, InputError
from daydreaming.base.identifiers import is_valid_id
from daydreaming.inputs.records import Scale
from daydreaming.inputs.tables import Row, scan_table

# A spreadsheet takes a cell that begins so for a formula, and runs it; "'" in front makes it a text.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_SCORE = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]+)?", re.ASCII)
_USUAL = Scale()
# Scores of people are rows, too, with `reader:<name>` as the judge: no model's id has a colon. A reader may score by a
# rubric of the cohort, or by an impression of their own.
READER, IMPRESSION = "reader:", "human"
_MAKE_AGAIN = "Make the table again with scripts/aggregate_scores.py."
_READ_COLUMNS = (
    "gen_id",
    "parent_gen_id",
    "combo_id",
    "draft_template",
    "generation_template",
    "generation_model",
    "evaluation_template",
    "evaluation_llm_model",
    "score",
    "error",
)


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """An evaluation and its score; or None, the kind of failure, its message and the file to look at.

    The scale of the score is from `score_min` to `score_max`.

    `generation_*` is the essay's, `parent_gen_id` the essay itself. `error` is "" for a score, and `failed_gen_id` the
    generation that failed: the evaluation, or the draft or essay that it depends on. `adopted`: it, or one that it was
    made from, was made by no run of ours. `stage` and `text_stage` are those of the judgement and of the text that is
    judged, "" in a table that does not say; `made_from` is the judged text that this text was made from, as a revision
    from its essay, "" where there is none. Costs are those of the replies, whenever they were paid; None where nobody
    told.
    """

    gen_id: str
    parent_gen_id: str
    combo_id: str
    draft_template: str
    generation_template: str
    generation_model: str
    evaluation_template: str
    evaluation_llm_model: str
    replicate: int
    cohort_id: str
    score: float | None
    error: str
    essay_path: str = ""
    evaluation_path: str = ""
    metadata_path: str = ""
    failed_gen_id: str = ""
    error_message: str = ""
    look_at: str = ""
    adopted: bool = False
    score_min: float = _USUAL.lowest
    score_max: float = _USUAL.highest
    essay_chars: int | None = None
    essay_cost_usd: float | None = None
    evaluation_cost_usd: float | None = None
    stage: str = ""
    text_stage: str = ""
    made_from: str = ""

    @property
    def scale(self) -> Scale:
        """The scale of its rubric."""
        return Scale(self.score_min, self.score_max)


COLUMNS = tuple(field.name for field in fields(ScoreRow))


def parse_score(text: str, scale: Scale = _USUAL) -> float | None:
    """Return the score that an evaluation's `parsed.txt` holds; None unless it is a plain number on the scale."""
    text = text.strip()
    if not _SCORE.fullmatch(text):
        return None
    score = float(text)
    return score if scale.lowest <= score <= scale.highest else None


def distinct_evaluations(rows: Iterable[ScoreRow]) -> list[ScoreRow]:
    """Drop the repetitions of an evaluation that several cohorts share, so that it counts once."""
    identity = attrgetter("stage", "gen_id", "parent_gen_id", "evaluation_template", "evaluation_llm_model")
    distinct: dict[tuple[str, ...], ScoreRow] = {}
    for row in rows:
        distinct.setdefault(identity(row), row)
    return list(distinct.values())


def write_scores(path: Path, rows: Iterable[ScoreRow]) -> None:
    """Write the table, whole or not at all; a missing score is an empty cell. Raises OSError."""
    atomic.write_text(path, scores_text(rows))


def scores_text(rows: Iterable[ScoreRow]) -> str:
    """The table as it is written."""
    return csv_text(COLUMNS, map(attrgetter(*COLUMNS), rows))


def scores_digest(rows: Iterable[ScoreRow]) -> str:
    """The SHA-256 of the table as it is written: what a report says of the scores that it was made from."""
    return text_digest(scores_text(rows))


def require_written(path: Path, text: str, what: str, cure: str) -> None:
    """Raise InputError where the file of a table (`what`) does not hold this text, which the generations say now."""
    try:
        written = path.read_bytes() == atomic.encoded(text)
    except OSError:
        written = False
    if not written:
        problem = f"{what} is not what the generations say now." if path.exists() else "does not exist."
        raise InputError(Fault(str(path), problem, cure))


def text_digest(text: str) -> str:
    """The SHA-256 of a text as it is written."""
    return hashlib.sha256(atomic.encoded(text)).hexdigest()


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a CSV file, whole or not at all (see `csv_text`). Raises OSError."""
    atomic.write_text(path, csv_text(header, rows))


def csv_text(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """The text of a CSV file; None becomes an empty cell.

    A text that a spreadsheet would take for a formula gets a "'" in front (`read_scores` takes it off). Numbers and
    ids stay as they are, also those that begin with a hyphen.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_as_text(cell) for cell in row] for row in rows)
    return text.getvalue()


def _as_text(cell: object) -> object:
    is_formula = isinstance(cell, str) and _FORMULA.match(cell) and not is_valid_id(cell)
    return f"'{cell}" if is_formula else cell


def _as_written(cell: str) -> str:
    """The cell that `_as_text` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def read_scores(path: Path) -> list[ScoreRow]:
    """Read a table of scores, ids as text; columns that say where things are may be missing.

    Raises InputError with every row that has neither or both of a score and an error, or a score outside its scale.
    """
    rows, faults = scan_table(path, _READ_COLUMNS)
    scores = [_score_row(path, row, faults) for row in rows]
    if faults:
        raise InputError(faults)
    return scores


def _amount(text: str | None) -> float | None:
    """A number of at least 0; None for anything else."""
    amount = _finite(text or "")
    return None if amount is None or amount < 0 else amount


def _score_row(path: Path, row: Row, faults: list[Fault]) -> ScoreRow:
    values = row.values
    scale = _scale(path, row, faults)
    score = parse_score(values["score"], scale)
    problem = None
    if values["score"] and score is None:
        problem = f"{values['score']!r} is not a score from {scale}."
    elif (score is None) == (not values["error"]):
        problem = "a row needs a score or an error, and not both."
    if problem:
        faults.append(Fault(str(path), problem, _MAKE_AGAIN, row.number, "score"))
    replicate, chars = values.get("replicate", ""), values.get("essay_chars", "")
    given: dict[str, Any] = {column: _as_written(values.get(column, "")) for column in COLUMNS}
    typed = {
        "score": score,
        "replicate": int(replicate) if replicate.isdecimal() else 1,
        "adopted": values.get("adopted") == "True",
        "score_min": scale.lowest,
        "score_max": scale.highest,
        "essay_chars": int(chars) if chars.isdecimal() else None,
        "essay_cost_usd": _amount(values.get("essay_cost_usd")),
        "evaluation_cost_usd": _amount(values.get("evaluation_cost_usd")),
    }
    return ScoreRow(**{**given, **typed})


def _scale(path: Path, row: Row, faults: list[Fault]) -> Scale:
    """The scale of a row; the usual one where a table has no such columns, and after a fault."""
    ends = {}
    for name, usual in (("score_min", _USUAL.lowest), ("score_max", _USUAL.highest)):
        text = row.values.get(name, "")
        number = _finite(text) if text else usual
        if number is None:
            faults.append(Fault(str(path), f"{text!r} is not a number.", _MAKE_AGAIN, row.number, name))
        ends[name] = usual if number is None else number
    scale = Scale(ends["score_min"], ends["score_max"])
    if scale.lowest < scale.highest:
        return scale
    faults.append(Fault(str(path), f"a scale from {scale} is none.", _MAKE_AGAIN, row.number, "score_max"))
    return _USUAL


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
