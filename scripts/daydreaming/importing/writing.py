"""Writing an import: catalogs, then generations, each whole or not at all, then the tables of cohorts.

It can be killed anywhere and started again: what is there is seen to be there, and nothing that is there is replaced.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import Any

from daydreaming.base.atomic import sync_folder, write_bytes, write_text
from daydreaming.base.errors import Fault, InputError
from daydreaming.cohort.membership import write_membership
from daydreaming.generation.adoption import adopt
from daydreaming.generation.inspection import conflict_faults, inspect_cohort
from daydreaming.generation.study import load_study
from daydreaming.importing.already_here import mark_of
from daydreaming.importing.catalog_entries import Catalog, NewFile, Status, file_in_the_way
from daydreaming.importing.generations import SourceGeneration, check_text
from daydreaming.importing.study_import import ImportPlan
from daydreaming.inputs.concepts import append_combos
from daydreaming.inputs.records import Generation
from daydreaming.inputs.tables import with_rows


def write_import(plan: ImportPlan) -> list[Fault]:
    """Write what a plan says, and adopt the generations of the cohorts that came.

    Returns the faults for which a cohort cannot be loaded as it is (a budget without prices, say): it has come, and its
    generations are adopted by the first run. Raises InputError, and writes nothing, for a plan with faults; OSError
    when the disk refuses.
    """
    if plan.faults:
        raise InputError(plan.faults)
    paths = plan.settings.paths
    for catalog in plan.catalogs.values():
        _write_catalog(catalog)
    append_combos(paths.combos, plan.combos)
    shutil.rmtree(paths.importing, ignore_errors=True)
    for generation in plan.coming:
        _write_generation(plan, generation)
    shutil.rmtree(paths.importing, ignore_errors=True)
    # The names of all folders survive a power loss before a table lists them.
    for stage in {generation.stage for generation in plan.coming}:
        sync_folder(paths.gens / stage)
    faults: list[Fault] = []
    for cohort in plan.cohorts:
        for file in cohort.files:
            _write_text(file)
        if cohort.come:
            write_membership(paths.cohort(cohort.cohort_id).membership, [*cohort.here, *cohort.come])
        if cohort.come or cohort.here:
            faults += _adopt(plan, cohort.cohort_id)
    return faults


def _write_catalog(catalog: Catalog) -> None:
    """Write the texts of what comes, then their rows: a row never stands for a text that is not there yet."""
    coming = catalog.of_status(Status.COMES)
    for file in (file for entry in coming for file in entry.files):
        _write_text(file)
    if rows := [entry.row for entry in coming if entry.row]:
        write_text(catalog.table, with_rows(catalog.table, catalog.columns, rows))


def _write_text(file: NewFile) -> None:
    if file_in_the_way(file.path, file.text):
        problem = "appeared while the folder was brought in, with another text."
        raise InputError(Fault(str(file.path), problem, "Start again."))
    if not file.path.exists():
        write_text(file.path, file.text)


def _write_generation(plan: ImportPlan, generation: SourceGeneration) -> None:
    """Fill a folder beside the others and give it its name when all is in it."""
    row, paths = plan.rows[generation.key], plan.settings.paths
    folder = paths.importing / f"{generation.stage}-{generation.gen_id}"
    for name in generation.texts:
        write_bytes(folder / name, check_text(plan.source, generation, name), durable=False)
    record = json.dumps(_record(plan, generation, row), indent=2, ensure_ascii=False) + "\n"
    write_text(folder / "metadata.json", record, durable=False)
    home = paths.generation(*generation.key).folder
    home.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(home)  # refuses where anything lies


def _record(plan: ImportPlan, generation: SourceGeneration, row: Generation) -> dict[str, Any]:
    """The record as it stood in the source, with the row as it was rebuilt and where it came from."""
    values = dict(generation.values)
    if isinstance(values.get("usage"), Mapping):
        usage = values["usage"]
        values["usage"] = {name: count for name, count in usage.items() if type(count) is int and count >= 0}
    values |= {"stage": row.stage, "gen_id": row.gen_id, "template_id": row.template_id}
    values |= {"combo_id": row.combo_id, "llm_model_id": row.llm_model_id, "replicate": row.replicate}
    if "model_id" in values:
        values["model_id"] = row.llm_model_id
    if row.parent_gen_id:
        values["parent_gen_id"] = row.parent_gen_id
    if values.get("model") == row.llm_model_id:
        del values["model"]  # some records have the id there, and not what a provider is asked for
    return {**values, "imported_from": mark_of(plan.source, generation)}


def _adopt(plan: ImportPlan, cohort_id: str) -> list[Fault]:
    """Adopt what came with a cohort; return why it cannot be loaded, if it cannot."""
    try:
        study = load_study(plan.settings.model_copy(update={"cohort": cohort_id, "slice": None}))
    except InputError as error:
        return list(error.faults)
    inspection = inspect_cohort(study)
    faults = conflict_faults(study, inspection)
    if not faults:
        adopt(study, inspection)
    return faults
