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

from daydreaming.base.amounts import with_article
from daydreaming.base.errors import Fault
from daydreaming.base.paths import DataPaths
from daydreaming.cohort.links import Links, NumberedRow
from daydreaming.inputs.catalogs import concept_text_fault, template_text_fault
from daydreaming.inputs.records import Catalogs, Combo, Generation
from daydreaming.inputs.stages import StageTable
from daydreaming.inputs.tables import IDENTIFIER_CURE, identifier_problem

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
    stages: StageTable


def integrity_faults(rows: Sequence[NumberedRow], background: Background) -> list[Fault]:
    """Return everything that is wrong with the rows, in the order of the file."""
    known = [row for row in rows if row[1].stage in background.stages.names]
    by_key: dict[_Key, Generation] = {}
    for _, generation in known:
        by_key.setdefault((generation.stage, generation.gen_id), generation)
    faults = [
        *_identity_faults(rows, background),
        *_template_faults(known, background),
        *_model_faults(known, background),
        *_combo_faults(known, background),
        *Links(by_key, background.stages).faults(known, background.file),
    ]
    return sorted(faults, key=lambda fault: fault.row or 0)


def _identity_faults(rows: Sequence[NumberedRow], background: Background) -> Iterable[Fault]:
    file = background.file
    first_row: dict[_Key, int | None] = {}
    judged: dict[str, str] = {}
    names, several = frozenset(background.stages.names), background.stages.judged[1:]
    for number, generation in rows:
        key = (generation.stage, generation.gen_id)
        if generation.stage not in names:
            cure = f"Write one of: {', '.join(background.stages.names)}."
            yield Fault(file, f"{generation.stage!r} is not a stage.", cure, number, "stage")
        id_problem = identifier_problem(generation.gen_id)
        if id_problem is not None:
            yield Fault(file, id_problem, IDENTIFIER_CURE, number, "gen_id")
        elif key in first_row:
            problem = f"the {generation.stage} {generation.gen_id!r} is already in row {first_row[key]}."
            yield Fault(file, problem, "Delete one of the rows, or give it a gen_id of its own.", number, "gen_id")
        first_row.setdefault(key, number)
        if several and generation.stage in background.stages.judged:
            other = judged.setdefault(generation.gen_id, generation.stage)
            if other != generation.stage:
                # The tables of scores name a text by its id alone.
                problem = f"a text of the stage {other!r} that is judged, too, has the gen_id {generation.gen_id!r}."
                yield Fault(file, problem, "Give one of them a gen_id of its own.", number, "gen_id")
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
        elif calls_model and not getattr(model, background.stages[stage].permission):
            problem = f"the model {model_id!r} may not be used for the stage {stage!r}{_elsewhere(numbers)}."
            column = background.stages[stage].permission
            cure = f"Choose another model, or set {column} to true in its row of {models_file}."
        else:
            continue
        yield Fault(background.file, problem, cure, numbers[0], "llm_model_id")


def _combo_faults(rows: Sequence[NumberedRow], background: Background) -> Iterable[Fault]:
    paths = background.paths
    first = [row for row in rows if background.stages[row[1].stage].is_first]
    users_of_texts: dict[tuple[str, str], int | None] = {}
    for (stage, combo_id), numbers in _rows_by(first, lambda row: (row.stage, row.combo_id)).items():
        combo = background.combos.get(combo_id)
        if combo is not None:
            for concept_id in combo.concept_ids:
                users_of_texts.setdefault((combo.description_level, concept_id), numbers[0])
            continue
        if combo_id:
            problem = f"there is no combo {combo_id!r}{_elsewhere(numbers)}."
        else:
            problem = f"{with_article(stage)} needs a combo and this one names none{_elsewhere(numbers)}."
        cure = f"Write a combo_id of {paths.selected_combos} or {paths.combos}."
        yield Fault(background.file, problem, cure, numbers[0], "combo_id")
    for (level, concept_id), number in users_of_texts.items():
        fault = concept_text_fault(paths, level, concept_id, Path(background.file), number, column="combo_id")
        if fault is not None:
            yield fault


def _rows_by(
    rows: Iterable[NumberedRow], property_of: Callable[[Generation], _Property]
) -> dict[_Property, list[int | None]]:
    numbers: defaultdict[_Property, list[int | None]] = defaultdict(list)
    for number, generation in rows:
        numbers[property_of(generation)].append(number)
    return numbers


def _elsewhere(numbers: Sequence[int | None]) -> str:
    return f" (here and in {len(numbers) - 1} more rows)" if len(numbers) > 1 and numbers[0] is not None else ""
