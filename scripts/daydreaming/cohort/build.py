"""Planning a cohort: which generations the experiment consists of, and under which name."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.identifiers import content_id, generation_id
from daydreaming.base.paths import STAGES, DataPaths
from daydreaming.cohort.chains import selected_chains
from daydreaming.cohort.integrity import Background, NumberedRow, integrity_faults
from daydreaming.inputs.cohort_spec.spec_files import spec_file
from daydreaming.inputs.concepts import cohort_combos, load_combos
from daydreaming.inputs.records import Catalogs, Combo, Generation, Template
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.tables import gathering

CARTESIAN, CURATED, SPEC = "cartesian", "curated", "spec"
COHORT_ID_LENGTH = 12
Called: TypeAlias = tuple[str, str, str]  # stage, template and model of a call


@dataclass(frozen=True, slots=True)
class CohortPlan:
    """A cohort in memory: drafts, essays and evaluations in this order, and what manifest.json will say."""

    cohort_id: str
    mode: str
    generations: tuple[Generation, ...]
    combos: tuple[Combo, ...]
    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Outline:
    """What a cohort is made of. `chains` are the drafts and essays that a curated cohort keeps (see `chains`).

    `generations` are those of a spec, and `source` the file that a user corrects when a row does not hold together.
    """

    mode: str
    combos: tuple[Combo, ...]
    templates: Mapping[str, Sequence[Template]]
    models: Mapping[str, Sequence[str]]
    replicates: Mapping[str, int]
    source: Path
    chains: Sequence[NumberedRow] = ()
    generations: Sequence[Generation] = ()
    spec_files: Sequence[Path] = ()

    def axes(self) -> dict[str, Any]:
        """The choices that make the cohort, as JSON; sorted, for the order of a catalog is no choice."""
        axes = {
            "combos": {combo.combo_id: _combo_content(combo) for combo in self.combos},
            "templates": {
                stage: sorted(template.template_id for template in templates)
                for stage, templates in self.templates.items()
            },
            "models": {role: sorted(models) for role, models in self.models.items()},
            "replicates": dict(self.replicates),
        }
        if self.mode == CURATED:
            axes["essays"] = sorted(row.gen_id for _, row in self.chains if row.stage == "essay")
        return axes

    def derived_id(self) -> str:
        """A name made of the axes alone: an edited price or description does not start another cohort."""
        return f"cohort_{content_id({'mode': self.mode, 'axes': self.axes()}, COHORT_ID_LENGTH)}"


def plan_cohort(settings: Settings, catalogs: Catalogs) -> CohortPlan:
    """Work out the cohort that the catalogs, the tasks and the configuration describe; nothing is written.

    With a spec in the folder of the configured cohort, it is what the spec says. Else, with
    data/2_tasks/selected_essays.txt, it is curated: the chosen chains and all evaluations of their essays. Else it is
    Cartesian: combos x templates x models, each times its stage's replicates.
    Raises InputError with every axis that is empty and every row that would not hold together.
    """
    outline = _outline(settings, catalogs)
    cohort_id = settings.cohort or outline.derived_id()
    rows = list(_rows(outline, cohort_id))
    combos = {combo.combo_id: combo for combo in outline.combos}
    faults = integrity_faults(rows, Background(str(outline.source), cohort_id, settings.paths, catalogs, combos))
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
    stages = {CARTESIAN: STAGES, CURATED: ("evaluation",), SPEC: ()}[outline.mode]
    new = {
        (stage, template.template_id, model_id)
        for stage in stages
        for template in outline.templates[stage]
        if template.generator == "llm"
        for model_id in outline.models["evaluation" if stage == "evaluation" else "generation"]
    }
    return new | set(called_by((*outline.generations, *(row for _, row in outline.chains)), catalogs))


def called_by(generations: Iterable[Generation], catalogs: Catalogs) -> Iterator[Called]:
    """Yield what these generations call; those that the catalogs do not know are left out."""
    for row in generations:
        template = catalogs.templates[row.stage].get(row.template_id)
        if template and template.generator == "llm" and row.llm_model_id in catalogs.models:
            yield row.stage, row.template_id, row.llm_model_id


def _outline(settings: Settings, catalogs: Catalogs) -> _Outline:
    spec = spec_file(settings.paths.cohort(settings.cohort)) if settings.cohort else None
    if spec is not None:
        return _spec_outline(settings, catalogs, spec)
    curated = settings.paths.selected_essays.is_file()
    return _curated_outline(settings, catalogs) if curated else _cartesian_outline(settings, catalogs)


def _cartesian_outline(settings: Settings, catalogs: Catalogs) -> _Outline:
    faults: list[Fault] = []
    combos: list[Combo] = []
    with gathering(faults):
        combos = cohort_combos(settings, catalogs)
    templates = {stage: _active_templates(settings.paths, catalogs, stage, faults) for stage in STAGES}
    models = {role: _models_for(settings.paths, catalogs, role, faults) for role in ("generation", "evaluation")}
    if faults:
        raise InputError(faults)
    paths = settings.paths
    source = paths.selected_combos if paths.selected_combos.is_file() else paths.concepts
    return _Outline(CARTESIAN, tuple(combos), templates, models, settings.replicates, source)


def _spec_outline(settings: Settings, catalogs: Catalogs, file: Path) -> _Outline:
    from daydreaming.cohort.spec_compiler import compile_spec
    from daydreaming.inputs.cohort_spec.reading import read_cohort_spec

    spec = read_cohort_spec(file, settings.paths)
    compiled = compile_spec(spec, settings, catalogs, settings.cohort or "")
    rows = compiled.generations
    judges = {row.llm_model_id for row in rows if row.stage == "evaluation"}
    writers = {row.llm_model_id for row in rows if row.stage != "evaluation"}
    replicates: dict[str, int] = {}
    for row in rows:
        replicates[row.stage] = max(row.replicate, replicates.get(row.stage, 1))
    return _Outline(
        mode=SPEC,
        combos=compiled.combos,
        templates={stage: _used_templates(catalogs, rows, stage) for stage in STAGES},
        models={"generation": sorted(writers), "evaluation": sorted(judges)},
        replicates=replicates,
        source=file,
        generations=rows,
        spec_files=spec.files,
    )


def _curated_outline(settings: Settings, catalogs: Catalogs) -> _Outline:
    faults: list[Fault] = []
    chains: list[NumberedRow] = []
    known_combos: dict[str, Combo] = {}
    with gathering(faults):
        chains = selected_chains(settings.paths)
    with gathering(faults):
        known_combos = load_combos(settings, catalogs)
    evaluation_templates = _active_templates(settings.paths, catalogs, "evaluation", faults)
    judges = _models_for(settings.paths, catalogs, "evaluation", faults)
    if faults:
        raise InputError(faults)
    rows = [row for _, row in chains]
    used_combos = dict.fromkeys(row.combo_id for row in rows)
    return _Outline(
        mode=CURATED,
        combos=tuple(known_combos[combo_id] for combo_id in used_combos if combo_id in known_combos),
        templates={
            "draft": _used_templates(catalogs, rows, "draft"),
            "essay": _used_templates(catalogs, rows, "essay"),
            "evaluation": evaluation_templates,
        },
        models={
            "generation": list(dict.fromkeys(row.llm_model_id for row in rows if row.llm_model_id)),
            "evaluation": judges,
        },
        replicates={"evaluation": settings.replicates["evaluation"]},
        source=settings.paths.selected_essays,
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


def _rows(outline: _Outline, cohort_id: str) -> Iterator[NumberedRow]:
    """All rows, the drafts first; an evaluation has the line of its essay."""
    if outline.mode == SPEC:
        yield from ((None, generation) for generation in outline.generations)
        return
    if outline.mode == CURATED:
        kept = [(line, replace(row, cohort_id=cohort_id)) for line, row in outline.chains]
        essays = [row for row in kept if row[1].stage == "essay"]
    else:
        drafts = list(_drafts(outline, cohort_id))
        essays = [(None, essay) for draft in drafts for essay in _essays(outline, draft)]
        kept = [*((None, draft) for draft in drafts), *essays]
    yield from kept
    for line, essay in essays:
        for evaluation in _evaluations(outline, essay):
            yield line, evaluation


def _drafts(outline: _Outline, cohort_id: str) -> Iterator[Generation]:
    for combo in outline.combos:
        for template in outline.templates["draft"]:
            for model in outline.models["generation"]:
                for replicate in range(1, outline.replicates["draft"] + 1):
                    template_id = template.template_id
                    gen_id = generation_id("draft", template_id, model, combo.combo_id, replicate)
                    yield Generation("draft", gen_id, cohort_id, "", combo.combo_id, template_id, model, replicate)


def _essays(outline: _Outline, draft: Generation) -> Iterator[Generation]:
    for template in outline.templates["essay"]:
        # A copy of a copy is no sample.
        replicates = 1 if template.generator == "copy" else outline.replicates["essay"]
        for replicate in range(1, replicates + 1):
            yield _child("essay", draft, template, draft.llm_model_id, replicate)


def _evaluations(outline: _Outline, essay: Generation) -> Iterator[Generation]:
    for template in outline.templates["evaluation"]:
        for model in outline.models["evaluation"]:
            for replicate in range(1, outline.replicates["evaluation"] + 1):
                yield _child("evaluation", essay, template, model, replicate)


def _child(stage: str, parent: Generation, template: Template, model: str, replicate: int) -> Generation:
    template_id = template.template_id
    gen_id = generation_id(stage, template_id, model, parent.gen_id, replicate)
    return Generation(stage, gen_id, parent.cohort_id, parent.gen_id, parent.combo_id, template_id, model, replicate)


def _combo_content(combo: Combo) -> dict[str, Any]:
    return {
        "description_level": combo.description_level,
        "k_max": combo.k_max,
        "concept_ids": list(combo.concept_ids),
    }


def _manifest(
    settings: Settings, outline: _Outline, cohort_id: str, generations: Sequence[Generation]
) -> dict[str, Any]:
    counts = Counter(generation.stage for generation in generations)
    return {
        "cohort_id": cohort_id,
        "mode": outline.mode,
        "counts": {stage: counts[stage] for stage in STAGES},
        "description_level": settings.description_level,
        "k_max": settings.k_max,
        "axes": outline.axes(),
        "digests": _digests(settings.paths, outline),
    }


def _digests(paths: DataPaths, outline: _Outline) -> dict[str, str]:
    """The SHA-256 of each file that people wrote and the cohort was built from, by its path below the data root.

    combo_mappings.csv is not among them: building a cohort adds to it, and the axes say what its combos are.
    """
    chosen = paths.selected_essays if outline.mode == CURATED else paths.selected_combos
    catalogs = [paths.concepts, *(paths.templates(stage) for stage in STAGES), paths.models, chosen]
    return {
        Path(os.path.relpath(file, paths.root)).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (*catalogs, *outline.spec_files)
        if file.is_file()
    }
