"""Everything that the report of a cohort says, before it is put into words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from daydreaming.base.errors import FailureKind
from daydreaming.generation.inspection import Inspection
from daydreaming.generation.study import Study
from daydreaming.results.cohort_statistics import analyse_cohort
from daydreaming.results.failures import FailureGroup, cohort_failures, failure_groups
from daydreaming.results.report.answer import comparisons_in_words, purchases_in_words, untold_in_words
from daydreaming.results.report.making import Making, read_making
from daydreaming.results.report.origin import Origin, read_origin
from daydreaming.results.report.parts import Section, Table
from daydreaming.results.report.preferences import preference_section
from daydreaming.results.report.preferences_in_words import preferences_in_words
from daydreaming.results.report.readers import readers_in_words
from daydreaming.results.report.sections import sections
from daydreaming.results.report.spending import Spending, read_spending
from daydreaming.results.report.spread import spread_sections
from daydreaming.results.score_table import ScoreRow, scores_digest
from daydreaming.results.scores import ScoreCounts, count_scores, embedded_models
from daydreaming.results.verdicts.preference_tables import analyse_verdicts
from daydreaming.results.verdicts.verdict_table import VerdictCounts, VerdictRow, count_verdicts

_ABOVE_PREFERENCES = 2  # comparisons of scores, leaderboard


@dataclass(frozen=True, slots=True)
class Part:
    """The generations of one stage, template and model; `generator` is `llm` or `copy`."""

    stage: str
    template_id: str
    generator: str
    llm_model_id: str
    generations: int


@dataclass(frozen=True, slots=True)
class UsedModel:
    """A model that the cohort calls: the string that is sent, where to, and the names that the answers bear."""

    llm_model_id: str
    model: str
    endpoint: str
    served: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the statistics say, in sentences.

    What is ahead by scores, what is by comparisons of two texts, how far judges agree with readers, what cannot be
    told, what the next money buys.
    """

    comparisons: Sequence[str] = ()
    preferences: Sequence[str] = ()
    readers: Sequence[str] = ()
    untold: Sequence[str] = ()
    purchases: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ReportContent:
    """The report of a cohort. `embedded` names the models whose part in the scores makes them carry no signal."""

    cohort_id: str
    stages: Mapping[str, int]
    combos: int
    parts: Sequence[Part]
    models: Sequence[UsedModel]
    making: Making
    counts: ScoreCounts
    unscored: Sequence[ScoreRow]  # of each kind of failure the first row
    answer: Answer
    sections: Sequence[Section]
    failures: Sequence[FailureGroup]
    spending: Spending
    embedded: Sequence[str]
    origin: Origin
    waiting: Table | None
    adopted: int  # scores that rest on a text that no run made
    verdicts: VerdictCounts  # of comparisons of two texts
    waiting_for_user: int  # evaluations without a score because no run made a text, and it is not of what is asked now
    scores_digest: str


def gather_content(
    study: Study,
    rows: Sequence[ScoreRow],
    inspection: Inspection | None = None,
    verdicts: Sequence[VerdictRow] = (),
) -> ReportContent:
    """Gather the report of a cohort from its scores, verdicts, membership, generations' metadata and journal.

    Raises OSError if a file cannot be read.
    """
    answer, shown = _of_scores(study, rows, inspection)
    if verdicts:
        preferences = analyse_verdicts(verdicts, rows, study.catalogs)
        answer = replace(answer, preferences=preferences_in_words(preferences))
        shown.insert(min(len(shown), _ABOVE_PREFERENCES), preference_section(study, verdicts, preferences))
    generations = study.membership.generations.values()
    stages = Counter(generation.stage for generation in generations)
    making = read_making(study)
    first_of_kind: dict[str, ScoreRow] = {}
    for row in rows:
        first_of_kind.setdefault(row.error, row)
    counts, parts = count_scores(rows), _parts(study)
    waiting = counts.unscored.get(FailureKind.WAITING, 0)
    judged = {model for row in rows for model in (row.generation_model, row.evaluation_llm_model)}
    judged |= {model for row in verdicts for model in (row.model_a, row.model_b, row.judge)}
    return ReportContent(
        cohort_id=study.membership.cohort_id,
        stages={stage: stages[stage] for stage in study.membership.stages.names},
        combos=len({one.combo_id for one in generations if study.membership.stages[one.stage].is_first}),
        parts=parts,
        models=_used_models(study, parts, making),
        making=making,
        counts=counts,
        unscored=[first_of_kind[kind] for kind in counts.unscored],
        answer=answer,
        sections=shown,
        # Most cohorts have none: then the metadata is not read a second time.
        failures=failure_groups(cohort_failures(study, inspection)) if making.failed or waiting else [],
        spending=read_spending(study.cohort_files.journal),
        embedded=sorted(judged & embedded_models(study.settings, study.catalogs)),
        origin=read_origin(study),
        waiting=_waiting(making),
        adopted=sum(row.adopted and row.score is not None for row in rows),
        verdicts=count_verdicts(verdicts),
        waiting_for_user=waiting,
        scores_digest=scores_digest(rows),
    )


def _of_scores(study: Study, rows: Sequence[ScoreRow], inspection: Inspection | None) -> tuple[Answer, list[Section]]:
    if all(row.score is None for row in rows):
        return Answer(), []
    analysis = analyse_cohort(study, rows, inspection)
    words = comparisons_in_words, readers_in_words, untold_in_words, purchases_in_words
    compared, *others = sections(study, analysis)
    compares, reads, untold, buys = (sentences(analysis) for sentences in words)
    answer = Answer(comparisons=compares, readers=reads, untold=untold, purchases=buys)
    return answer, [compared, others[0], *spread_sections(rows), *others[1:]]


def _waiting(making: Making) -> Table | None:
    """How long the model took for a text, with all tries: the median, the slowest tenth, the longest."""
    rows = []
    for model, waits in making.waiting_ms.items():
        ordered = sorted(wait / 1000 for wait in waits)
        last_tenth = ordered[min(len(ordered) - 1, (9 * len(ordered)) // 10)]
        rows.append((model, len(ordered), median(ordered), last_tenth, ordered[-1]))
    headings = ("Model", "Texts", "Median (s)", "Slowest tenth from (s)", "Longest (s)")
    return Table("Waiting for models", headings, rows) if rows else None


def _parts(study: Study) -> list[Part]:
    counted = Counter(
        (generation.stage, generation.template_id, generation.llm_model_id)
        for generation in study.membership.generations.values()
    )
    return [
        Part(stage, template, study.catalogs.templates[stage][template].generator, model, number)
        for of_stage in study.membership.stages.names
        for (stage, template, model), number in counted.items()
        if stage == of_stage
    ]


def _used_models(study: Study, parts: Sequence[Part], making: Making) -> list[UsedModel]:
    called = {part.llm_model_id for part in parts if part.generator == "llm"}
    default = study.settings.default_endpoint
    return [
        UsedModel(model.id, model.model, model.endpoint or default, making.served.get(model.id, {}))
        for model in study.catalogs.models.values()
        if model.id in called
    ]
