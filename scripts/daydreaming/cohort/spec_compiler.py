"""From a spec and the catalogs to the generations of a cohort: levels, rules, crossing, sample, chains."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from operator import itemgetter
from typing import TypeAlias

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.identifiers import generation_id
from daydreaming.cohort.axis_levels import AxisReader
from daydreaming.cohort.comparisons import Judging, check_apart, comparisons
from daydreaming.cohort.kept_ids import KeptIds, Key
from daydreaming.cohort.relations import Levels, Relation, joined, relations_of
from daydreaming.cohort.sampling import balanced_sample
from daydreaming.inputs.cohort_spec.axes import COMBO, FOLLOWS, NO_MODEL
from daydreaming.inputs.cohort_spec.records import CohortSpec, PairChoice, Place, Sample
from daydreaming.inputs.records import Catalogs, Combo, Generation
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.stages import StageTable

MOST_ROWS = 2_000_000
ONE_REPLICATE = "1"
Known: TypeAlias = Callable[[Collection[Key]], Iterable[Generation]]


@dataclass(frozen=True, slots=True)
class CompiledSpec:
    """What a spec comes to: generations, stage by stage, and the combos that they use."""

    generations: tuple[Generation, ...]
    combos: tuple[Combo, ...]


def compile_spec(
    spec: CohortSpec, settings: Settings, catalogs: Catalogs, cohort_id: str, known: Known | None = None
) -> CompiledSpec:
    """Work out which generations a spec describes. The order of axes and rules in its file makes no difference.

    A row of the crossing is one evaluation with its essay and its draft; generations that rows share come once. Where
    the stages branch, each branch has the crossing of its own axes; a sample is one of all axes together. Rows are
    ordered by the levels of their axes, from the combo to the last replicate, as a cohort without a spec is. What is
    among the rows that `known` returns, for the ids that would be given, has the id that it has there.
    Raises InputError with what is wrong with levels and rules, and for a crossing of more than `MOST_ROWS` rows.
    """
    reader = AxisReader(spec, settings, catalogs)
    levels = reader.levels()
    stages = settings.stage_table
    of_judges = {stage.name: _axes_of([stage.name])[1:] for stage in stages.comparing}
    relations = _with_single_copies(relations_of(spec, levels), spec, catalogs, stages)
    for relation, own in product(relations, of_judges.values()):
        check_apart(relation.axes, own, spec.file)
    compared = {axis for own in of_judges.values() for axis in own}
    comparing = [relation for relation in relations if set(relation.axes) <= compared]
    relations = [relation for relation in relations if relation not in comparing]
    if spec.sample:
        if of_pairs := compared & set(spec.sample.balance):
            problem = f"{min(of_pairs)} is an axis of comparisons, which are not sampled here."
            raise InputError(spec.sample.place.fault(problem, "Take it out; `comparisons` chooses pairs."))
        relations = [_sampled(relations, spec, spec.sample, levels)]
    made: dict[str, dict[tuple[str, ...], Generation]] = {stage: {} for stage in stages.names}
    for last in stages.last:
        chain_of_stages = stages.chain(last.name)
        axes = _axes_of(chain_of_stages)
        branch = [relation.on(axes) for relation in relations if set(axes) & set(relation.axes)]
        _check_size(spec, branch)
        rows = product(*(relation.rows for relation in branch))
        given = [axis for relation in branch for axis in relation.axes]
        _add_generations(made, _in_order(rows, given, axes, levels), chain_of_stages, cohort_id)
    ids_given = {(row.stage, row.gen_id) for one in made.values() for row in one.values()} if known else set()
    ids = KeptIds(known(ids_given) if known else (), ids_given, catalogs)
    texts = {stage: ids.kept(one.values(), stages[stage].parent) for stage, one in made.items()}
    for stage in stages.comparing:
        judging = _judging(comparing, of_judges[stage.name], levels)
        choice = spec.comparisons.get(stage.name, PairChoice(Place(spec.file), "all", 0, 0))
        texts[stage.name] = comparisons(stage, texts[stage.parent], choice, judging, settings.paths)
    generations = tuple(chain.from_iterable(texts.values()))
    used = dict.fromkeys(one.combo_id for one in generations if stages[one.stage].is_first)
    return CompiledSpec(generations, tuple(reader.combos[combo_id] for combo_id in used))


def _axes_of(stages: Sequence[str]) -> tuple[str, ...]:
    """The axes of a chain, in its order."""
    return (COMBO, *(f"{stage}_{kind}" for stage in stages for kind in ("template", "llm", "replicate")))


def _judging(relations: Sequence[Relation], axes: Sequence[str], levels: Levels) -> list[Judging]:
    """How each pair is judged: the crossing of a stage's templates, judges and replicates."""
    own = [relation for relation in relations if set(relation.axes) <= set(axes)]
    given = [axis for relation in own for axis in relation.axes]
    rows = _in_order(product(*(relation.rows for relation in own)), given, axes, levels)
    return [(template_id, model_id, int(replicate)) for template_id, model_id, replicate in rows]


def _check_size(spec: CohortSpec, relations: Sequence[Relation]) -> None:
    total = math.prod(len(relation.rows) for relation in relations)
    if total > MOST_ROWS:
        problem = f"the crossing has {total:,} rows, and a cohort at most {MOST_ROWS:,}."
        raise InputError(Fault(spec.file, problem, "Take a fraction of it: `sample: {n: 1000}`.", key="axes"))


def _sampled(relations: Sequence[Relation], spec: CohortSpec, sample: Sample, levels: Levels) -> Relation:
    """The rows of all axes that a sample takes."""
    total = math.prod(len(relation.rows) for relation in relations)
    if sample.n > total:
        problem = f"n is {sample.n:,}, and the crossing has {total:,} rows."
        raise InputError(sample.place.fault(problem, f"Lower n to at most {total:,}, or delete `sample`."))
    if sample.n > MOST_ROWS:
        problem = f"n is {sample.n:,}, and a cohort has at most {MOST_ROWS:,} rows."
        raise InputError(sample.place.fault(problem, "Lower n."))
    # A model that follows its parent's has no levels of its own: those of the parent are spread.
    balance = {_leader(axis, spec, levels) for axis in sample.balance}
    rows = balanced_sample(relations, sample.n, sample.seed, sorted(balance))
    axes = tuple(axis for relation in relations for axis in relation.axes)
    return Relation(axes, tuple(tuple(chain.from_iterable(parts)) for parts in rows))


def _leader(axis: str, spec: CohortSpec, levels: Levels) -> str:
    """The axis whose levels a model's axis has: its own, or that of the nearest parent that does not follow."""
    while levels[axis] == (FOLLOWS,):
        axis = spec.table.axes[axis].follows
    return axis


def _with_single_copies(
    relations: list[Relation], spec: CohortSpec, catalogs: Catalogs, stages: StageTable
) -> list[Relation]:
    """The same tables, in which a copy has its parent's model and one replicate, whatever the axes say.

    Raises InputError where a text that is written has no model.
    """
    for stage in stages.names:
        axes = (f"{stage}_template", f"{stage}_llm", f"{stage}_replicate")
        copies = {one.template_id for one in catalogs.templates[stage].values() if one.generator == "copy"}
        concerned = [relation for relation in relations if set(relation.axes) & set(axes)]
        texts = {level for relation in concerned for row in relation.rows for level in row}
        if not texts & copies and NO_MODEL not in texts:
            continue
        whole = concerned[0]
        for other in concerned[1:]:
            whole = whole.times(other)
        template, model, replicate = (whole.axes.index(axis) for axis in axes)
        rows: dict[tuple[str, ...], None] = {}
        for row in whole.rows:
            if row[template] in copies:
                cells = list(row)
                cells[model], cells[replicate] = FOLLOWS, ONE_REPLICATE
                row = tuple(cells)
            elif row[model] == NO_MODEL:
                raise _without_model(spec, axes[1], row[template])
            rows[row] = None
        others = [relation for relation in relations if relation not in concerned]
        relations = joined([*others, Relation(whole.axes, tuple(rows))], spec)
    return relations


def _without_model(spec: CohortSpec, axis: str, template_id: str) -> InputError:
    problem = f"the template {template_id!r} calls a model, and goes together with {NO_MODEL}."
    cure = f"{NO_MODEL} is for templates that copy: couple the two by a tuple rule."
    given = spec.axes.get(axis)
    return InputError(given.place.fault(problem, cure) if given else Fault(spec.file, problem, cure, key=axis))


def _in_order(
    rows: Iterable[Iterable[Sequence[str]]], given: Sequence[str], axes: Sequence[str], levels: Levels
) -> Iterable[tuple[str, ...]]:
    """Rows of a branch, whose columns are `given`, as rows of `axes`, sorted by the order of the levels."""
    positions = [given.index(axis) for axis in axes]
    flat = (tuple(chain.from_iterable(parts)) for parts in rows)
    in_chain_order = list(map(itemgetter(*positions), flat))
    ranks = [_ranks(levels[axis]) for axis in axes]
    in_chain_order.sort(key=lambda row: [rank[level] for rank, level in zip(ranks, row, strict=True)])
    return in_chain_order


def _ranks(levels: Sequence[str]) -> Mapping[str, int]:
    return {FOLLOWS: -1, ONE_REPLICATE: -1} | {level: rank for rank, level in enumerate(levels)}


def _add_generations(
    made: dict[str, dict[tuple[str, ...], Generation]],
    rows: Iterable[tuple[str, ...]],
    stages: Sequence[str],
    cohort_id: str,
) -> None:
    """Add the generations of the chains of a branch to those that are made, each once."""
    # A row is the combo, and then template, model and replicate of each stage.
    width = 3
    for row in rows:
        parent: Generation | None = None
        for number, stage in enumerate(stages, start=1):
            end = 1 + number * width
            generation = made[stage].get(row[:end])
            if generation is None:
                generation = _generation(stage, row[0], row[end - width : end], parent, cohort_id)
                made[stage][row[:end]] = generation
            parent = generation


def _generation(
    stage: str, combo_id: str, choice: Sequence[str], parent: Generation | None, cohort_id: str
) -> Generation:
    template_id, model_id, replicate = choice[0], choice[1], int(choice[2])
    if model_id == FOLLOWS and parent is not None:
        model_id = parent.llm_model_id
    parent_id = parent.gen_id if parent else ""
    gen_id = generation_id(stage, template_id, model_id, parent_id or combo_id, replicate)
    return Generation(stage, gen_id, cohort_id, parent_id, combo_id, template_id, model_id, replicate)
