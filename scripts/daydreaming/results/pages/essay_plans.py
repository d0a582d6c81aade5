"""What each essay's page is to show, as far as it is known without a look at the texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from daydreaming.generation.currency import State
from daydreaming.generation.inspection import Inspection
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Generation
from daydreaming.results.pages.places import Place, Places, Scale
from daydreaming.results.score_table import ScoreRow
from daydreaming.results.scores import MISSING, trouble_of

_MOST_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class GenerationPlan:
    """A generation on a page. `error` and `message` say why its text counts for nothing; "" where it counts.

    `generator` is `llm` or `copy`; `adopted`: no run of ours made it. `scale` says from where to where scores go.
    """

    stage: str
    gen_id: str
    template_id: str
    llm_model_id: str
    replicate: int
    generator: str
    folder: str
    adopted: bool
    error: str
    message: str
    score: float | None = None
    scale: str = ""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An essay that a page leads to."""

    gen_id: str
    words: str


@dataclass(frozen=True, slots=True)
class Way:
    """A sequence that an essay lies in: by rank, by combo, by template; the essays before and after it there."""

    name: str
    back_key: str
    on_key: str
    place: int
    length: int
    back: str | None
    on: str | None


@dataclass(frozen=True, slots=True)
class Opponent:
    """An essay that was compared with the one whose page it is; how many verdicts the latter won, tied, lost."""

    gen_id: str
    draft_template: str
    essay_template: str
    model: str
    won: int
    tied: int
    lost: int
    failed: int


@dataclass(frozen=True, slots=True)
class EssayPlan:
    """An essay's page. `number` is its place in the membership, `places` are in the order of the `scales`."""

    number: int
    gen_id: str
    combo_id: str
    concepts: tuple[str, ...]
    draft: GenerationPlan
    essay: GenerationPlan
    evaluations: tuple[GenerationPlan, ...]
    scales: tuple[Scale, ...]
    places: tuple[Place, ...]
    ways: tuple[Way, ...] = ()
    beside: tuple[Neighbour, ...] = ()
    opponents: tuple[Opponent, ...] = ()

    @property
    def generations(self) -> tuple[GenerationPlan, ...]:
        """All generations that the page shows, parents first."""
        return (self.draft, self.essay, *self.evaluations)

    @property
    def single_scales(self) -> list[tuple[Scale, Place]]:
        """The place of the essay under each rubric and judge; not under all of them put together."""
        return [pair for pair in zip(self.scales, self.places, strict=True) if pair[0].rubric]

    @property
    def disagreement(self) -> float | None:
        """The widest gap between the means of two judges under one rubric, in points; None where fewer judged."""
        means = defaultdict(list)
        for scale, place in self.single_scales:
            if place.mean is not None:
                means[scale.rubric].append(place.mean)
        gaps = [max(one) - min(one) for one in means.values() if len(one) > 1]
        return max(gaps) if gaps else None


@dataclass(frozen=True)
class _Planner:
    study: Study
    inspection: Inspection
    rows: Mapping[str, ScoreRow]
    judged: Mapping[str, list[Generation]] = field(default_factory=dict)

    def plan(self, generation: Generation) -> GenerationPlan:
        key = (generation.stage, generation.gen_id)
        trouble = trouble_of(self.study, self.inspection, generation)
        error, message = (trouble.error, trouble.message) if trouble else ("", "")
        score, template = None, self.study.catalogs.templates[generation.stage][generation.template_id]
        if generation.stage == "evaluation":
            row = self.rows.get(generation.gen_id)
            if row is None:
                error, message = error or MISSING, message or "the table of scores does not have it"
            elif row.error:
                error, message = row.error, row.error_message
            elif not error:
                score = row.score
        return GenerationPlan(
            *key,
            template_id=generation.template_id,
            llm_model_id=generation.llm_model_id,
            replicate=generation.replicate,
            generator=template.generator,
            folder=self.study.paths.generation_folder(*key),
            adopted=self.inspection.state(key) is State.ADOPTED,
            error=error,
            message=message,
            score=score,
            scale=str(template.scale) if generation.stage == "evaluation" else "",
        )


def plan_essays(study: Study, rows: Sequence[ScoreRow], inspection: Inspection, places: Places) -> list[EssayPlan]:
    """Plan the page of each essay, in the order of the membership."""
    judged: dict[str, list[Generation]] = defaultdict(list)
    for evaluation in study.membership.stage("evaluation"):
        judged[evaluation.parent_gen_id].append(evaluation)
    planner = _Planner(study, inspection, {row.gen_id: row for row in rows}, judged)
    plans = [_plan(planner, places, number, essay) for number, essay in enumerate(study.membership.stage("essay"))]
    return _with_ways(plans)


def _plan(planner: _Planner, places: Places, number: int, essay: Generation) -> EssayPlan:
    study = planner.study
    draft, _ = study.membership.chain(essay)
    combo, concepts = study.combos[draft.combo_id], study.catalogs.concepts
    return EssayPlan(
        number=number,
        gen_id=essay.gen_id,
        combo_id=draft.combo_id,
        concepts=tuple(concepts[concept_id].name for concept_id in combo.concept_ids),
        draft=planner.plan(draft),
        essay=planner.plan(essay),
        evaluations=tuple(planner.plan(one) for one in planner.judged.get(essay.gen_id, ())),
        scales=places.scales,
        places=places.of(essay.gen_id),
    )


def _with_ways(plans: list[EssayPlan]) -> list[EssayPlan]:
    """The plans with the ways through them: each in the order of the ranks on the first scale."""
    from dataclasses import replace

    def rank(plan: EssayPlan) -> tuple[int, int]:
        first = plan.places[0].rank if plan.places else None
        return (len(plans) + 1 if first is None else first, plan.number)

    ordered = sorted(plans, key=rank)
    groups: list[tuple[str, str, str, Callable[[EssayPlan], object]]] = [
        ("by rank", "k", "j", lambda plan: None),
        ("same concepts", "h", "l", lambda plan: plan.combo_id),
        ("same essay template", "[", "]", lambda plan: plan.essay.template_id),
    ]
    ways: dict[str, list[Way]] = {plan.gen_id: [] for plan in plans}
    for name, back_key, on_key, group_of in groups:
        members: dict[object, list[str]] = defaultdict(list)
        for plan in ordered:
            members[group_of(plan)].append(plan.gen_id)
        for ids in members.values():
            for place, gen_id in enumerate(ids):
                back = ids[place - 1] if place else None
                on = ids[place + 1] if place + 1 < len(ids) else None
                ways[gen_id].append(Way(name, back_key, on_key, place + 1, len(ids), back, on))
    beside = _beside(ordered)
    return [replace(plan, ways=tuple(ways[plan.gen_id]), beside=beside[plan.gen_id]) for plan in plans]


def _beside(ordered: Sequence[EssayPlan]) -> dict[str, tuple[Neighbour, ...]]:
    """For each essay the first of those worth reading beside it: what differs between them is one thing."""
    kinds: list[tuple[str, Callable[[EssayPlan], object], Callable[[EssayPlan], str]]] = [
        ("same draft, essay template {}", lambda p: p.draft.gen_id, lambda p: p.essay.template_id),
        (
            "same concepts and essay template, draft template {}",
            lambda p: (p.combo_id, p.essay.template_id, _writer(p)),
            lambda p: p.draft.template_id,
        ),
        (
            "same concepts and templates, model {}",
            lambda p: (p.combo_id, p.draft.template_id, p.essay.template_id),
            _writer,
        ),
    ]
    beside: dict[str, list[Neighbour]] = {plan.gen_id: [] for plan in ordered}
    for words, same, other in kinds:
        groups: dict[object, list[EssayPlan]] = defaultdict(list)
        for plan in ordered:
            groups[same(plan)].append(plan)
        for members in groups.values():
            for plan in members:
                others = [one for one in members if other(one) != other(plan)][:_MOST_SUGGESTIONS]
                beside[plan.gen_id].extend(Neighbour(one.gen_id, words.format(other(one))) for one in others)
    return {gen_id: tuple(neighbours) for gen_id, neighbours in beside.items()}


def _writer(plan: EssayPlan) -> str:
    return plan.essay.llm_model_id or plan.draft.llm_model_id
