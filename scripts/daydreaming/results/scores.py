"""The scores of a cohort: what each evaluation came to, failures and all, from the files of its generations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from daydreaming.base.errors import FailureKind
from daydreaming.base.paths import GenerationFiles
from daydreaming.cohort.membership import Membership
from daydreaming.inputs.records import Catalogs, Generation
from daydreaming.inputs.settings import Settings
from daydreaming.results.score_table import ScoreRow, distinct_evaluations, parse_score, write_scores

MISSING = "missing"  # nothing is there, and nothing says why
INVALID = "invalid"  # a file does not hold what it should
STALE = "stale"  # the files were made from another row than the membership's

# These failures have a reply to look at, in raw.txt.
KINDS_WITH_REPLY = {
    FailureKind.TRUNCATED,
    FailureKind.REFUSED,
    FailureKind.EMPTY,
    FailureKind.TOO_SHORT,
    FailureKind.PARSE,
}
_MESSAGE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class ScoreCounts:
    """How many evaluations a table has, how many have a score, and how many failed of each kind."""

    total: int
    scored: int
    unscored: Mapping[str, int]

    @property
    def unscored_fraction(self) -> float:
        """The share without a score, from 0 to 1; 0 of nothing."""
        return (self.total - self.scored) / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """The scores of one essay template and model under one rubric and judge. `mean` is None without a score."""

    generation_template: str
    generation_model: str
    evaluation_template: str
    evaluation_llm_model: str
    n: int
    n_failed: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a generation: a score if it has one; else the kind of failure ("" if nothing says of any)."""

    error: str = ""
    message: str = ""
    look_at: Path | None = None
    failed: Generation | None = None
    score: float | None = None


def collect_scores(settings: Settings, membership: Membership) -> list[ScoreRow]:
    """Return one row for each evaluation of the membership, in its order: a score, or why there is none.

    An evaluation has a score only if nothing in its chain is recorded as failed, its record agrees with the membership,
    and `parsed.txt` holds a plain number from 0 to 10.
    """
    collector = _Collector(settings, membership)
    return [collector.row(evaluation) for evaluation in membership.stage("evaluation")]


def write_score_table(settings: Settings, membership: Membership) -> None:
    """Write the scores of a cohort of which everything has been made.

    The list of failures that an earlier run has left goes with it. Raises OSError.
    """
    files = settings.paths.cohort(membership.cohort_id)
    write_scores(files.scores, collect_scores(settings, membership))
    files.failures.unlink(missing_ok=True)


def count_scores(rows: Iterable[ScoreRow]) -> ScoreCounts:
    """Count the rows with a score, and the others by their kind of failure, the commonest first."""
    kinds = Counter(row.error for row in rows)
    scored = kinds.pop("", 0)
    return ScoreCounts(scored + kinds.total(), scored, dict(kinds.most_common()))


def score_summary(rows: Iterable[ScoreRow]) -> list[SummaryRow]:
    """Average the scores by essay template, model, rubric and judge, in the order in which they first appear."""
    groups: dict[tuple[str, str, str, str], list[float | None]] = defaultdict(list)
    for row in distinct_evaluations(rows):
        key = (row.generation_template, row.generation_model, row.evaluation_template, row.evaluation_llm_model)
        groups[key].append(row.score)
    summary = []
    for key, all_scores in groups.items():
        scores = [score for score in all_scores if score is not None]
        mean = sum(scores) / len(scores) if scores else None
        summary.append(SummaryRow(*key, n=len(scores), n_failed=len(all_scores) - len(scores), mean=mean))
    return summary


def embedded_models(settings: Settings, catalogs: Catalogs) -> set[str]:
    """Return the ids of the models that the embedded model answers for: their scores carry no signal."""
    return {
        model.id
        for model in catalogs.models.values()
        if settings.endpoints[model.endpoint or settings.default_endpoint].kind == "embedded"
    }


class _Collector:
    """Looks up evaluations; what their drafts and essays came to is read once and kept for all that share them."""

    def __init__(self, settings: Settings, membership: Membership):
        self._paths = settings.paths
        self._membership = membership
        self._ancestors: dict[tuple[str, str], _Outcome] = {}

    def row(self, evaluation: Generation) -> ScoreRow:
        draft, essay, _ = self._membership.chain(evaluation)
        files = self._files(evaluation)
        outcome = self._failed_ancestor(draft, essay) or self._outcome(evaluation, files, draft, essay)
        return ScoreRow(
            gen_id=evaluation.gen_id,
            parent_gen_id=essay.gen_id,
            combo_id=draft.combo_id,
            draft_template=draft.template_id,
            generation_template=essay.template_id,
            generation_model=essay.llm_model_id or draft.llm_model_id,
            evaluation_template=evaluation.template_id,
            evaluation_llm_model=evaluation.llm_model_id,
            replicate=evaluation.replicate,
            cohort_id=evaluation.cohort_id,
            score=outcome.score,
            error=outcome.error,
            essay_path=self._files(essay).parsed.as_posix(),
            evaluation_path=files.parsed.as_posix(),
            metadata_path=files.metadata.as_posix(),
            failed_gen_id=outcome.failed.gen_id if outcome.failed else "",
            error_message=outcome.message,
            look_at=outcome.look_at.as_posix() if outcome.look_at else "",
        )

    def _files(self, generation: Generation) -> GenerationFiles:
        return self._paths.generation(generation.stage, generation.gen_id)

    def _failed_ancestor(self, *ancestors: Generation) -> _Outcome | None:
        """Return the failure of the first ancestor that failed, as that of its descendants."""
        for ancestor in ancestors:
            key = ancestor.stage, ancestor.gen_id
            if key not in self._ancestors:
                self._ancestors[key] = _recorded(ancestor, self._files(ancestor))[1]
            outcome = self._ancestors[key]
            if outcome.error:
                message = f"its {ancestor.stage} {ancestor.gen_id} failed ({outcome.error}): {outcome.message}"
                return _Outcome(FailureKind.PARENT.value, message, outcome.look_at, ancestor)
        return None

    def _outcome(
        self, evaluation: Generation, files: GenerationFiles, draft: Generation, essay: Generation
    ) -> _Outcome:
        metadata, recorded = _recorded(evaluation, files)
        if recorded.error:
            return recorded
        if difference := _difference(evaluation, metadata):
            return _Outcome(STALE, difference, files.metadata, evaluation)
        try:
            text = files.parsed.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return self._missing(draft, essay, evaluation)
        except OSError as error:
            return _Outcome(INVALID, f"parsed.txt cannot be read: {error.strerror}", files.parsed, evaluation)
        score = parse_score(text)
        if score is None:
            message = f"parsed.txt holds {text[:40]!r} and not a number from 0 to 10"
            return _Outcome(INVALID, message, files.parsed, evaluation)
        return _Outcome(score=score)

    def _missing(self, *chain: Generation) -> _Outcome:
        """Say which generation of a chain, the draft first, is the first that has not been made."""
        first = next(generation for generation in chain if not self._files(generation).parsed.exists())
        message = "not made yet" if first is chain[-1] else f"its {first.stage} {first.gen_id} is not made yet"
        return _Outcome(MISSING, message, self._files(first).parsed, first)


def _recorded(generation: Generation, files: GenerationFiles) -> tuple[Mapping[str, Any], _Outcome]:
    """Read a generation's metadata.json and what it says of a failure; without one, nothing is said."""
    try:
        metadata = orjson.loads(files.metadata.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}, _Outcome()
    except (OSError, ValueError):
        return {}, _Outcome(INVALID, "metadata.json cannot be read", files.metadata, generation)
    error = metadata.get("error") if isinstance(metadata, dict) else None
    if not error or not isinstance(error, str):
        return {}, _Outcome(INVALID, "metadata.json does not say how it went", files.metadata, generation)
    if error == "none":
        return metadata, _Outcome()
    look_at = files.raw if error in KINDS_WITH_REPLY else files.metadata
    return metadata, _Outcome(error, _one_line(metadata.get("error_message")), look_at, generation)


def _difference(generation: Generation, metadata: Mapping[str, Any]) -> str:
    """Say where the record of a generation disagrees with its row in the membership; "" where it does not."""
    for key in ("template_id", "parent_gen_id", "llm_model_id", "replicate"):
        recorded, expected = metadata.get(key), getattr(generation, key)
        if recorded is not None and recorded != expected:
            return f"made with {key} {recorded!r}, but the membership says {expected!r}"
    return ""


def _one_line(message: object) -> str:
    return " ".join(str(message or "no message").split())[:_MESSAGE_CHARACTERS]
