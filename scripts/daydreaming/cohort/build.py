"""Planning a cohort: which generations the experiment consists of, and under which name."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.paths import DataPaths
from daydreaming.cohort.chains import selected_chains
from daydreaming.cohort.crossing import rows_of
from daydreaming.cohort.integrity import Background, integrity_faults
from daydreaming.cohort.links import NumberedRow
from daydreaming.cohort.membership import rows_besides
from daydreaming.cohort.outline import CARTESIAN, CURATED, SPEC, Outline, role_of
from daydreaming.inputs.cohort_spec.spec_files import spec_file
from daydreaming.inputs.concepts import cohort_combos, load_combos
from daydreaming.inputs.records import Catalogs, Combo, Generation, Template
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.tables import gathering

Called: TypeAlias = tuple[str, str, str]  # stage, template and model of a call


@dataclass(frozen=True, slots=True)
class CohortPlan:
    """A cohort in memory: its generations, stage by stage, and what manifest.json will say."""

    cohort_id: str
    mode: str
    generations: tuple[Generation, ...]
    combos: tuple[Combo, ...]
    manifest: Mapping[str, Any]


def plan_cohort(settings: Settings, catalogs: Catalogs) -> CohortPlan:
    """Work out the cohort that the catalogs, the tasks and the configuration describe; nothing is written.

    With a spec in the folder of the configured cohort, it is what the spec says. Else, with
    data/2_tasks/selected_essays.txt, it is curated: the chosen chains and all that is made from their essays. Else it
    is Cartesian: combos x templates x models, each times its stage's replicates.
    Raises InputError with every axis that is empty and every row that would not hold together.
    """
    outline = _outline(settings, catalogs)
    cohort_id = settings.cohort or outline.derived_id()
    rows = list(rows_of(outline, cohort_id, settings.paths))
    combos = {combo.combo_id: combo for combo in outline.combos}
    faults = integrity_faults(
        rows, Background(str(outline.source), cohort_id, settings.paths, catalogs, combos, outline.stages)
    )
    if faults:
        raise InputError(faults)
    generations = tuple(generation for _, generation in rows)
    return CohortPlan(
        cohort_id,
        outline.mode,
        generations,
        outline.combos,
        _manifest(settings, outline, cohort_id, generations),
    )


def cohort_id_for(settings: Settings, catalogs: Catalogs) -> str:
    """The configured name of the cohort, or the one derived from what it is made of; raises as `plan_cohort` does."""
    return settings.cohort or _outline(settings, catalogs).derived_id()


def called_models(settings: Settings, catalogs: Catalogs) -> set[Called]:
    """Return what the cohort would call, without making the rows of a crossing; raises as `plan_cohort`."""
    outline = _outline(settings, catalogs)
    new = {
        (stage.name, template.template_id, model_id)
        for stage in outline.made
        for template in outline.templates[stage.name]
        if template.generator == "llm"
        for model_id in outline.models[role_of(stage)]
    }
    return new | set(called_by((*outline.generations, *(row for _, row in outline.chains)), catalogs))


def called_by(generations: Iterable[Generation], catalogs: Catalogs) -> Iterator[Called]:
    """Yield what these generations call; those that the catalogs do not know are left out."""
    for row in generations:
        template = catalogs.templates[row.stage].get(row.template_id)
        if template and template.generator == "llm" and row.llm_model_id in catalogs.models:
            yield row.stage, row.template_id, row.llm_model_id


def _outline(settings: Settings, catalogs: Catalogs) -> Outline:
    spec = spec_file(settings.paths.cohort(settings.cohort)) if settings.cohort else None
    if spec is not None:
        return _spec_outline(settings, catalogs, spec)
    curated = settings.paths.selected_essays.is_file()
    return _curated_outline(settings, catalogs) if curated else _cartesian_outline(settings, catalogs)


def _cartesian_outline(settings: Settings, catalogs: Catalogs) -> Outline:
    faults: list[Fault] = []
    combos: list[Combo] = []
    with gathering(faults):
        combos = cohort_combos(settings, catalogs)
    stages = settings.stage_table
    templates = {stage: _active_templates(settings.paths, catalogs, stage, faults) for stage in stages.names}
    models = {role: _models_for(settings.paths, catalogs, role, faults) for role in dict.fromkeys(map(role_of, stages))}
    if faults:
        raise InputError(faults)
    paths = settings.paths
    source = paths.selected_combos if paths.selected_combos.is_file() else paths.concepts
    replicates = {stage: settings.replicates.get(stage, 1) for stage in stages.names}
    return Outline(CARTESIAN, stages, tuple(combos), templates, models, replicates, source, made=stages.rows)


def _spec_outline(settings: Settings, catalogs: Catalogs, file: Path) -> Outline:
    from daydreaming.cohort.spec_compiler import compile_spec
    from daydreaming.inputs.cohort_spec.reading import read_cohort_spec

    spec = read_cohort_spec(file, settings.paths, settings.stage_table)
    cohort_id = settings.cohort or ""
    table = settings.paths.cohort(cohort_id).membership
    compiled = compile_spec(spec, settings, catalogs, cohort_id, partial(rows_besides, table))
    rows, stages = compiled.generations, settings.stage_table
    models: dict[str, set[str]] = {role_of(stage): set() for stage in stages}
    for row in rows:
        models[role_of(stages[row.stage])].add(row.llm_model_id)
    replicates: dict[str, int] = {}
    for row in rows:
        replicates[row.stage] = max(row.replicate, replicates.get(row.stage, 1))
    return Outline(
        mode=SPEC,
        stages=stages,
        combos=compiled.combos,
        templates={stage: _used_templates(catalogs, rows, stage) for stage in stages.names},
        models={role: sorted(ids) for role, ids in models.items()},
        replicates=replicates,
        source=file,
        generations=rows,
        spec_files=spec.files,
    )


def _curated_outline(settings: Settings, catalogs: Catalogs) -> Outline:
    faults: list[Fault] = []
    chains: list[NumberedRow] = []
    known_combos: dict[str, Combo] = {}
    stages = settings.stage_table
    with gathering(faults):
        chains = selected_chains(settings.paths, stages)
    with gathering(faults):
        known_combos = load_combos(settings, catalogs)
    kept = stages.chain(stages.main)
    made = [stage for stage in stages if stages.main in stages.chain(stage.name)[:-1]]
    templates = {stage.name: _active_templates(settings.paths, catalogs, stage.name, faults) for stage in made}
    roles = dict.fromkeys(role_of(stage) for stage in made if stage.judges)
    judges = {role: _models_for(settings.paths, catalogs, role, faults) for role in roles}
    if faults:
        raise InputError(faults)
    rows = [row for _, row in chains]
    used_combos = dict.fromkeys(row.combo_id for row in rows)
    return Outline(
        mode=CURATED,
        stages=stages,
        combos=tuple(known_combos[combo_id] for combo_id in used_combos if combo_id in known_combos),
        templates={stage: _used_templates(catalogs, rows, stage) for stage in kept} | templates,
        models={"generation": list(dict.fromkeys(row.llm_model_id for row in rows if row.llm_model_id)), **judges},
        replicates={stage.name: settings.replicates.get(stage.name, 1) for stage in made},
        source=settings.paths.selected_essays,
        made=made,
        chains=chains,
    )


def _used_templates(catalogs: Catalogs, rows: Iterable[Generation], stage: str) -> list[Template]:
    used = {row.template_id for row in rows if row.stage == stage}
    return [template for template in catalogs.templates[stage].values() if template.template_id in used]


def _active_templates(paths: DataPaths, catalogs: Catalogs, stage: str, faults: list[Fault]) -> list[Template]:
    active = [template for template in catalogs.templates[stage].values() if template.active]
    if not active:
        cure = "Set active to true for at least one."
        faults.append(Fault(str(paths.templates(stage)), f"no {stage} template is active.", cure, column="active"))
    return active


def _models_for(paths: DataPaths, catalogs: Catalogs, role: str, faults: list[Fault]) -> list[str]:
    column = f"for_{role}"
    models = [model.id for model in catalogs.models.values() if getattr(model, column)]
    if not models:
        cure = f"Set {column} to true for at least one."
        faults.append(Fault(str(paths.models), f"no model may be used for {role}.", cure, column=column))
    return models


def _manifest(
    settings: Settings, outline: Outline, cohort_id: str, generations: Sequence[Generation]
) -> dict[str, Any]:
    counts = Counter(generation.stage for generation in generations)
    return {
        "cohort_id": cohort_id,
        "mode": outline.mode,
        "counts": {stage: counts[stage] for stage in outline.stages.names},
        "description_level": settings.description_level,
        "k_max": settings.k_max,
        "axes": outline.axes(),
        "digests": _digests(settings.paths, outline),
    }


def _digests(paths: DataPaths, outline: Outline) -> dict[str, str]:
    """The SHA-256 of each file that people wrote and the cohort was built from, by its path below the data root.

    combo_mappings.csv is not among them: building a cohort adds to it, and the axes say what its combos are.
    """
    chosen = paths.selected_essays if outline.mode == CURATED else paths.selected_combos
    catalogs = [paths.concepts, *(paths.templates(stage) for stage in outline.stages.names), paths.models, chosen]
    return {
        Path(os.path.relpath(file, paths.root)).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (*catalogs, *outline.spec_files)
        if file.is_file()
    }
