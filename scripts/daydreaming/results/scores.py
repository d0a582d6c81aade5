"""The scores of a cohort: what each evaluation came to, failures and all, from the files of its generations."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from daydreaming.base.errors import FailureKind
from daydreaming.generation.currency import DONE, State
from daydreaming.generation.inspection import Inspection, inspect_cohort
from daydreaming.generation.specification import Key
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Catalogs, Generation, Scale
from daydreaming.inputs.settings import Settings
from daydreaming.results.labels import TextLabels, rubric_label, text_labels
from daydreaming.results.score_table import ScoreRow, distinct_evaluations, parse_score
from daydreaming.results.text_lengths import TextLengths

MISSING = "missing"  # nothing is there, and nothing says why
INVALID = "invalid"  # a file does not hold what it should
STALE = "stale"  # it was made from something else than what is asked now

# These failures have a reply to look at, in raw.txt.
KINDS_WITH_REPLY = {
    FailureKind.TRUNCATED,
    FailureKind.REFUSED,
    FailureKind.EMPTY,
    FailureKind.TOO_SHORT,
    FailureKind.PARSE,
    FailureKind.UNFINISHED,
    FailureKind.PROMPT_CUT,
}
_ERRORS: Mapping[State, str] = {
    State.OUT_OF_DATE: STALE,
    State.WAITING: FailureKind.WAITING.value,
    State.CONFLICT: FailureKind.CONFLICT.value,
    State.EDITED: FailureKind.EDITED.value,
    State.DAMAGED: INVALID,
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


def collect_scores(study: Study, inspection: Inspection | None = None) -> list[ScoreRow]:
    """Return one row for each evaluation of the membership, stage by stage in its order: a score, or why there is none.

    An evaluation has a score only if it and all that it was made from are what is asked now (or adopted), and
    `parsed.txt` holds a plain number on the rubric's scale. `inspection`: a look at the cohort that was just taken.
    """
    collector = _Collector(study, inspection or inspect_cohort(study))
    scoring = study.membership.stages.scoring
    return [collector.row(one) for stage in scoring for one in study.membership.stage(stage.name)]


def once_each(rows: Iterable[ScoreRow]) -> list[ScoreRow]:
    """Leave out what an earlier cohort has, too: cohorts that share an evaluation have one score of it, not several."""
    kept: dict[ScoreRow, ScoreRow] = {}
    for row in rows:
        kept.setdefault(replace(row, cohort_id=""), row)
    return list(kept.values())


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
    """Looks up evaluations, in one look at the whole cohort."""

    def __init__(self, study: Study, inspection: Inspection):
        self._study = study
        self._membership = study.membership
        self._inspection = inspection
        self._lengths = TextLengths(study, inspection)
        self._labels: dict[Key, TextLabels] = {}  # of texts
        self._texts: dict[str, str] = {}  # by their SHA-256: there are few different scores

    def row(self, evaluation: Generation) -> ScoreRow:
        *_, text, _ = chain = self._membership.chain(evaluation)
        outcome = self._outcome(*chain)
        scale = self._scale(evaluation)
        return ScoreRow(
            gen_id=evaluation.gen_id,
            parent_gen_id=text.gen_id,
            **self._labels_of(text),
            evaluation_template=rubric_label(self._membership.stages, evaluation.stage, evaluation.template_id),
            evaluation_llm_model=evaluation.llm_model_id,
            replicate=evaluation.replicate,
            cohort_id=evaluation.cohort_id,
            score=outcome.score,
            error=outcome.error,
            essay_path=self._file(text, "parsed.txt"),
            evaluation_path=self._file(evaluation, "parsed.txt"),
            metadata_path=self._file(evaluation, "metadata.json"),
            failed_gen_id=outcome.failed.gen_id if outcome.failed else "",
            error_message=outcome.message,
            look_at=outcome.look_at.as_posix() if outcome.look_at else "",
            adopted=any(self._state(one) is State.ADOPTED for one in chain),
            score_min=scale.lowest,
            score_max=scale.highest,
            essay_chars=self._lengths.of(text),
            essay_cost_usd=cost_of(self._study, self._inspection, text),
            evaluation_cost_usd=cost_of(self._study, self._inspection, evaluation),
            stage=evaluation.stage,
            text_stage=text.stage,
            made_from=self._judged_before(text),
        )

    def _judged_before(self, text: Generation) -> str:
        """The nearest text behind a text that is of a stage whose texts are judged; "" where there is none."""
        behind = self._membership.chain(text)[-2::-1]
        judged = self._membership.stages.judged
        return next((one.gen_id for one in behind if one.stage in judged), "")

    def _labels_of(self, text: Generation) -> TextLabels:
        """How a text was made; many judgements are of one text."""
        key = (text.stage, text.gen_id)
        if key not in self._labels:
            self._labels[key] = text_labels(self._membership, text)
        return self._labels[key]

    def _scale(self, evaluation: Generation) -> Scale:
        return self._study.catalogs.templates[evaluation.stage][evaluation.template_id].scale

    def _file(self, generation: Generation, name: str) -> str:
        return f"{self._study.paths.generation_folder(generation.stage, generation.gen_id)}/{name}"

    def _state(self, generation: Generation) -> State:
        return self._inspection.state((generation.stage, generation.gen_id))

    def _outcome(self, *chain: Generation) -> _Outcome:
        """The score of the last of a chain, or what is wrong with the first that is wrong."""
        *_, evaluation = chain
        for one in chain:
            trouble = trouble_of(self._study, self._inspection, one)
            if trouble is None:
                continue
            told = trouble if one is evaluation else trouble_of_ancestor(one, trouble)
            return _Outcome(told.error, told.message, told.look_at, one)
        return self._score(evaluation)

    def _score(self, evaluation: Generation) -> _Outcome:
        parsed = Path(self._file(evaluation, "parsed.txt"))
        digest = self._inspection.found((evaluation.stage, evaluation.gen_id)).parsed_sha256 or ""
        if digest not in self._texts:
            try:
                content = parsed.read_bytes()
            except OSError as error:
                return _Outcome(INVALID, f"parsed.txt cannot be read: {error.strerror}", parsed, evaluation)
            if hashlib.sha256(content).hexdigest() != digest:
                message = f"{parsed} changed while it was read"
                return _Outcome(FailureKind.EDITED.value, message, parsed, evaluation)
            self._texts[digest] = content.decode("utf-8", errors="replace")
        text = self._texts[digest]
        scale = self._scale(evaluation)
        score = parse_score(text, scale)
        if score is None:
            message = f"parsed.txt holds {text[:40]!r} and not a number from {scale}"
            return _Outcome(INVALID, message, parsed, evaluation)
        return _Outcome(score=score)


def cost_of(study: Study, inspection: Inspection, generation: Generation) -> float | None:
    """Return what the reply behind a text cost in US dollars, by its record; 0 for a copy, None where nobody told."""
    if study.catalogs.templates[generation.stage][generation.template_id].generator == "copy":
        return 0.0
    key = (generation.stage, generation.gen_id)
    return inspection.found(key).record.metadata.cost_usd if inspection.state(key) in DONE else None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the text of a generation counts for nothing: a kind of failure, what is wrong, and the file to look at."""

    error: str
    message: str
    look_at: Path


def trouble_of(study: Study, inspection: Inspection, generation: Generation) -> Trouble | None:
    """Say why the text of a generation, as it is on the disk, counts for nothing; None if it counts."""
    key = (generation.stage, generation.gen_id)
    state, files = inspection.state(key), study.files(*key)
    if state in DONE:
        return None
    found = inspection.found(key)
    if found.problem:  # a run fails here, too
        return Trouble(FailureKind.STORAGE.value, _one_line(f"{found.folder}: {found.problem}"), files.parsed)
    if state is State.FAILED:
        record = found.record.metadata
        look_at = files.raw if record.error in KINDS_WITH_REPLY else files.metadata
        return Trouble(record.error, _one_line(record.error_message), look_at)
    if state is State.MISSING:
        return Trouble(MISSING, "not made yet", files.parsed)
    look_at = files.parsed if state is State.EDITED else files.metadata
    return Trouble(_ERRORS[state], _one_line(inspection.reason(key)), look_at)


def trouble_of_ancestor(one: Generation, trouble: Trouble) -> Trouble:
    """What a judgement says of a text that it depends on and that counts for nothing."""
    if trouble.error == MISSING:
        return Trouble(MISSING, f"its {one.stage} {one.gen_id} is not made yet", trouble.look_at)
    if trouble.error == FailureKind.WAITING:
        message = f"its {one.stage} {one.gen_id} is {State.WAITING}: {trouble.message}"
        return Trouble(trouble.error, message, trouble.look_at)
    message = f"its {one.stage} {one.gen_id} failed ({trouble.error}): {trouble.message}"
    return Trouble(FailureKind.PARENT.value, message, trouble.look_at)


def _one_line(message: object) -> str:
    return " ".join(str(message or "no message").split())[:_MESSAGE_CHARACTERS]
