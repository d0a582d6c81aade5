"""What each essay's page is to show, as far as it is known without a look at the texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from daydreaming.generation.currency import State
from daydreaming.generation.inspection import Inspection
from daydreaming.generation.specification import Key
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Generation
from daydreaming.results.labels import TextLabels, judged_stages, rubric_label, text_labels
from daydreaming.results.pages.places import Place, Places, Scale
from daydreaming.results.score_table import ScoreRow
from daydreaming.results.scores import MISSING, trouble_of

_MOST_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class GenerationPlan:
    """A generation on a page. `error` and `message` say why its text counts for nothing; "" where it counts.

    `generator` is `llm` or `copy`; `adopted`: no run of ours made it. `label` is the name of its template in the tables
    of results, `scale` says from where to where scores go.
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
    label: str = ""

    @property
    def stage_in_words(self) -> str:
        """Its stage, as a heading."""
        return self.stage.replace("_", " ").capitalize()


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
    """The page of an essay, or of another text that is judged.

    `number` is its place in the membership, `places` are in the order of the `scales`. `before` is all that it was made
    from, the first one first; `after` has texts that were made from it and have no page of their own. `labels` say how
    it was made, as the tables of results do.
    """

    number: int
    gen_id: str
    combo_id: str
    concepts: tuple[str, ...]
    before: tuple[GenerationPlan, ...]
    essay: GenerationPlan
    evaluations: tuple[GenerationPlan, ...]
    labels: TextLabels
    scales: tuple[Scale, ...]
    places: tuple[Place, ...]
    ways: tuple[Way, ...] = ()
    beside: tuple[Neighbour, ...] = ()
    after: tuple[GenerationPlan, ...] = ()
    earlier: int | None = None  # the place in `before` of the text that it is a version of
    opponents: tuple[Opponent, ...] = ()

    @property
    def generations(self) -> tuple[GenerationPlan, ...]:
        """All generations that the page shows, parents first."""
        return (*self.before, self.essay, *self.after, *self.evaluations)

    @property
    def adopted(self) -> GenerationPlan | None:
        """The text itself, or the nearest that it was made from, that no run of ours made; None where runs made all."""
        return next((one for one in (self.essay, *reversed(self.before)) if one.adopted), None)

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
    rows: Mapping[Key, ScoreRow]
    judgements: Mapping[Key, list[Generation]]  # by the text that they are of
    made: Mapping[Key, list[Generation]]  # by what it was made from

    def plan(self, generation: Generation) -> GenerationPlan:
        key = (generation.stage, generation.gen_id)
        trouble = trouble_of(self.study, self.inspection, generation)
        error, message = (trouble.error, trouble.message) if trouble else ("", "")
        score, template = None, self.study.catalogs.templates[generation.stage][generation.template_id]
        stage = self.study.membership.stages[generation.stage]
        is_score = stage.makes == "score"
        if is_score:
            row = self.rows.get(key)
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
            scale=str(template.scale) if is_score else "",
            label=self._label(generation) if is_score else generation.template_id,
        )

    def _label(self, generation: Generation) -> str:
        return rubric_label(self.study.membership.stages, generation.stage, generation.template_id)


def plan_essays(study: Study, rows: Sequence[ScoreRow], inspection: Inspection, places: Places) -> list[EssayPlan]:
    """Plan the page of each text that is judged, mostly essays, stage by stage in the order of the membership."""
    stages = study.membership.stages
    judgements: dict[Key, list[Generation]] = defaultdict(list)
    made: dict[Key, list[Generation]] = defaultdict(list)
    for generation in study.membership.generations.values():
        stage = stages[generation.stage]
        parent = (stage.parent, generation.parent_gen_id)
        if stage.makes == "score":
            judgements[parent].append(generation)
        elif not stage.judges and stage.name not in judged_stages(stages):
            made[parent].append(generation)
    planner = _Planner(study, inspection, {(row.stage, row.gen_id): row for row in rows}, judgements, made)
    texts = [text for stage in judged_stages(stages) for text in study.membership.stage(stage)]
    return _with_ways([_plan(planner, places, number, text) for number, text in enumerate(texts)])


def _plan(planner: _Planner, places: Places, number: int, essay: Generation) -> EssayPlan:
    study, key = planner.study, (essay.stage, essay.gen_id)
    *before, _ = study.membership.chain(essay)
    labels = text_labels(study.membership, essay)
    combo, concepts = study.combos[labels["combo_id"]], study.catalogs.concepts
    pages = judged_stages(study.membership.stages)
    versions = [place for place, one in enumerate(before) if one.stage in pages]
    return EssayPlan(
        number=number,
        gen_id=essay.gen_id,
        combo_id=labels["combo_id"],
        concepts=tuple(concepts[concept_id].name for concept_id in combo.concept_ids),
        before=tuple(planner.plan(one) for one in before),
        essay=planner.plan(essay),
        evaluations=tuple(planner.plan(one) for one in planner.judgements.get(key, ())),
        labels=labels,
        scales=places.scales,
        places=places.of(essay.gen_id),
        after=tuple(planner.plan(one) for one in planner.made.get(key, ())),
        earlier=versions[-1] if versions else len(before) - 1 if before else None,
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
        ("same essay template", "[", "]", lambda plan: plan.labels["generation_template"]),
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
        ("same draft, essay template {}", _made_from, lambda p: p.labels["generation_template"]),
        (
            "same concepts and essay template, draft template {}",
            lambda p: (p.combo_id, p.labels["generation_template"], p.labels["generation_model"]),
            lambda p: p.labels["draft_template"],
        ),
        (
            "same concepts and templates, model {}",
            lambda p: (p.combo_id, p.labels["draft_template"], p.labels["generation_template"]),
            lambda p: p.labels["generation_model"],
        ),
    ]
    beside: dict[str, list[Neighbour]] = {plan.gen_id: [] for plan in ordered}
    pages = {plan.essay.stage for plan in ordered}
    for plan in ordered:
        for earlier in (one for one in plan.before if one.stage in pages):
            beside[plan.gen_id].append(Neighbour(earlier.gen_id, f"its {earlier.stage}"))
            words = f"its {plan.essay.stage}, template {plan.essay.template_id}"
            beside[earlier.gen_id].append(Neighbour(plan.gen_id, words))
    for words, same, other in kinds:
        groups: dict[object, list[EssayPlan]] = defaultdict(list)
        for plan in ordered:
            groups[same(plan)].append(plan)
        for members in groups.values():
            for plan in members:
                others = [one for one in members if other(one) != other(plan)][:_MOST_SUGGESTIONS]
                beside[plan.gen_id].extend(Neighbour(one.gen_id, words.format(other(one))) for one in others)
    return {gen_id: tuple(neighbours) for gen_id, neighbours in beside.items()}


def _made_from(plan: EssayPlan) -> tuple[str, str]:
    """What a text is made from directly: a text, else its concepts."""
    return (plan.essay.stage, plan.before[-1].gen_id if plan.before else plan.combo_id)
