"""Whether the rows of a cohort fit together, and fit the catalogs: every fault that a table of generations can have.

A value that many rows share (a template, a model, a combo) is checked once and reported once, at the first row that
uses it: one missing file must not fill the screen with thirty thousand lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from daydreaming.base.errors import Fault
from daydreaming.base.paths import STAGES, DataPaths
from daydreaming.inputs.catalogs import concept_text_fault, template_text_fault
from daydreaming.inputs.records import Catalogs, Combo, Generation, Model
from daydreaming.inputs.tables import IDENTIFIER_CURE, identifier_problem

PARENT_STAGE: Mapping[str, str] = {"essay": "draft", "evaluation": "essay"}

NumberedRow = tuple[int | None, Generation]
"""A generation and the row (or line) of the file where a user finds it, None where no row stands for it."""

_Key = tuple[str, str]
_Property = TypeVar("_Property", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Background:
    """What rows are checked against. `file` is the name that faults give to the place where the rows come from."""

    file: str
    cohort_id: str
    paths: DataPaths
    catalogs: Catalogs
    combos: Mapping[str, Combo]


def integrity_faults(rows: Sequence[NumberedRow], background: Background) -> list[Fault]:
    """Return everything that is wrong with the rows, in the order of the file."""
    known = [row for row in rows if row[1].stage in STAGES]
    by_key: dict[_Key, Generation] = {}
    for _, generation in known:
        by_key.setdefault((generation.stage, generation.gen_id), generation)
    faults = [
        *_identity_faults(rows, background),
        *_template_faults(known, background),
        *_model_faults(known, background),
        *_combo_faults(known, background),
        *_link_faults(known, by_key, background.file),
    ]
    return sorted(faults, key=lambda fault: fault.row or 0)


def _identity_faults(rows: Sequence[NumberedRow], background: Background) -> Iterable[Fault]:
    file = background.file
    first_row: dict[_Key, int | None] = {}
    for number, generation in rows:
        key = (generation.stage, generation.gen_id)
        if generation.stage not in STAGES:
            cure = f"Write one of: {', '.join(STAGES)}."
            yield Fault(file, f"{generation.stage!r} is not a stage.", cure, number, "stage")
        id_problem = identifier_problem(generation.gen_id)
        if id_problem is not None:
            yield Fault(file, id_problem, IDENTIFIER_CURE, number, "gen_id")
        elif key in first_row:
            problem = f"the {generation.stage} {generation.gen_id!r} is already in row {first_row[key]}."
            yield Fault(file, problem, "Delete one of the rows, or give it a gen_id of its own.", number, "gen_id")
        first_row.setdefault(key, number)
        if generation.cohort_id != background.cohort_id:
            problem = f"{generation.cohort_id!r} is not the cohort of this folder, {background.cohort_id!r}."
            yield Fault(file, problem, "Correct the cell, or move the row to its cohort.", number, "cohort_id")


def _template_faults(rows: Sequence[NumberedRow], background: Background) -> Iterable[Fault]:
    users = _rows_by(rows, lambda row: (row.stage, row.template_id))
    for (stage, template_id), numbers in users.items():
        template = background.catalogs.templates[stage].get(template_id)
        if template is None:
            problem = f"there is no {stage} template {template_id!r}{_elsewhere(numbers)}."
            cure = f"Correct the id, or add the template to {background.paths.templates(stage)}."
            yield Fault(background.file, problem, cure, numbers[0], "template_id")
            continue
        fault = template_text_fault(template, Path(background.file), numbers[0])
        if fault is not None:
            yield fault


def _model_faults(rows: Sequence[NumberedRow], background: Background) -> Iterable[Fault]:
    templates, models_file = background.catalogs.templates, background.paths.models

    def use_of_model(generation: Generation) -> tuple[str, str, bool]:
        template = templates[generation.stage].get(generation.template_id)
        calls_model = template is None or template.generator != "copy"
        return generation.stage, generation.llm_model_id, calls_model

    for (stage, model_id, calls_model), numbers in _rows_by(rows, use_of_model).items():
        model = background.catalogs.models.get(model_id)
        if not model_id:
            if not calls_model:
                continue
            problem = f"this {stage} needs a model and names none{_elsewhere(numbers)}."
            cure = f"Write an id of {models_file}."
        elif model is None:
            problem = f"there is no model {model_id!r}{_elsewhere(numbers)}."
            cure = f"Correct the id, or add the model to {models_file}."
        elif calls_model and not _allows(model, stage):
            problem = f"the model {model_id!r} may not be used for the stage {stage!r}{_elsewhere(numbers)}."
            cure = f"Choose another model, or set {_permission(stage)} to true in its row of {models_file}."
        else:
            continue
        yield Fault(background.file, problem, cure, numbers[0], "llm_model_id")


def _permission(stage: str) -> str:
    return "for_evaluation" if stage == "evaluation" else "for_generation"


def _allows(model: Model, stage: str) -> bool:
    return model.for_evaluation if stage == "evaluation" else model.for_generation


def _combo_faults(rows: Sequence[NumberedRow], background: Background) -> Iterable[Fault]:
    paths, drafts = background.paths, [row for row in rows if row[1].stage == "draft"]
    users_of_texts: dict[tuple[str, str], int | None] = {}
    for combo_id, numbers in _rows_by(drafts, lambda row: row.combo_id).items():
        combo = background.combos.get(combo_id)
        if combo is not None:
            for concept_id in combo.concept_ids:
                users_of_texts.setdefault((combo.description_level, concept_id), numbers[0])
            continue
        if combo_id:
            problem = f"there is no combo {combo_id!r}{_elsewhere(numbers)}."
        else:
            problem = f"a draft needs a combo and this one names none{_elsewhere(numbers)}."
        cure = f"Write a combo_id of {paths.selected_combos} or {paths.combos}."
        yield Fault(background.file, problem, cure, numbers[0], "combo_id")
    for (level, concept_id), number in users_of_texts.items():
        fault = concept_text_fault(paths, level, concept_id, Path(background.file), number, column="combo_id")
        if fault is not None:
            yield fault


def _link_faults(rows: Sequence[NumberedRow], by_key: Mapping[_Key, Generation], file: str) -> Iterable[Fault]:
    in_loop = _keys_in_loops(by_key)
    for number, generation in rows:
        if generation.second_parent_gen_id:
            problem = f"this {generation.stage} is made from one text, but names a second, "
            problem += f"{generation.second_parent_gen_id!r}."
            yield Fault(file, problem, "Empty the cell.", number, "second_parent_gen_id")
        trouble = _link_problem(generation, by_key, in_loop)
        if trouble is not None:
            problem, cure = trouble
            yield Fault(file, problem, cure, number, "parent_gen_id")
            continue
        draft = _draft_of(generation, by_key)
        if generation.combo_id and draft is not None and draft.combo_id != generation.combo_id:
            problem = f"the combo is {generation.combo_id!r}, but its draft {draft.gen_id!r} has {draft.combo_id!r}."
            yield Fault(file, problem, "Leave the cell empty, or write the draft's combo.", number, "combo_id")


def _link_problem(
    generation: Generation, by_key: Mapping[_Key, Generation], in_loop: set[_Key]
) -> tuple[str, str] | None:
    """What is wrong with a row's link to its parent, and the cure."""
    parent_id, expected = generation.parent_gen_id, PARENT_STAGE.get(generation.stage)
    if (generation.stage, generation.gen_id) in in_loop:
        problem = f"its parent {parent_id!r} descends from the row itself: a loop."
        cure = "A draft has no parent, an essay's parent is a draft, an evaluation's an essay: correct the cell."
        return problem, cure
    if expected is None:
        return (f"a draft has no parent, but this one names {parent_id!r}.", "Empty the cell.") if parent_id else None
    if not parent_id:
        return f"this {generation.stage} names no parent.", f"Write the gen_id of its {expected}."
    if (expected, parent_id) in by_key:
        return None
    actual = next((stage for stage in STAGES if (stage, parent_id) in by_key), None)
    if actual is None:
        return (
            f"its parent {parent_id!r} is not in this table.",
            f"Correct the cell, or add the row of that {expected}.",
        )
    problem = (
        f"its parent {parent_id!r} is of stage {actual!r}, and that of this {generation.stage} must be {expected!r}."
    )
    return problem, f"Write the gen_id of its {expected}."


def _keys_in_loops(by_key: Mapping[_Key, Generation]) -> set[_Key]:
    """The rows that are their own ancestors, when parents are followed by id, whatever their stage."""
    in_loop: set[_Key] = set()
    visited: set[_Key] = set()
    for start in by_key:
        trail: dict[_Key, None] = {}
        key: _Key | None = start
        while key is not None and key not in visited:
            visited.add(key)
            trail[key] = None
            key = _parent_key(by_key[key], by_key)
        if key in trail:
            members = list(trail)
            in_loop.update(members[members.index(key) :])
    return in_loop


def _parent_key(generation: Generation, by_key: Mapping[_Key, Generation]) -> _Key | None:
    parent_id = generation.parent_gen_id
    if not parent_id:
        return None
    expected = PARENT_STAGE.get(generation.stage)
    candidates = STAGES if expected is None else (expected, *STAGES)
    return next(((stage, parent_id) for stage in candidates if (stage, parent_id) in by_key), None)


def _draft_of(generation: Generation, by_key: Mapping[_Key, Generation]) -> Generation | None:
    current: Generation | None = generation
    while current is not None and current.stage in PARENT_STAGE:
        current = by_key.get((PARENT_STAGE[current.stage], current.parent_gen_id))
    return current


def _rows_by(
    rows: Iterable[NumberedRow], property_of: Callable[[Generation], _Property]
) -> dict[_Property, list[int | None]]:
    numbers: defaultdict[_Property, list[int | None]] = defaultdict(list)
    for number, generation in rows:
        numbers[property_of(generation)].append(number)
    return numbers


def _elsewhere(numbers: Sequence[int | None]) -> str:
    return f" (here and in {len(numbers) - 1} more rows)" if len(numbers) > 1 and numbers[0] is not None else ""
