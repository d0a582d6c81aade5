"""The concepts, combos and models of a source folder against those here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.paths import DESCRIPTION_LEVELS
from daydreaming.importing.catalog_entries import (
    Catalog,
    Entry,
    NewFile,
    Status,
    file_in_the_way,
    in_the_way,
    missing,
    rows_by_id,
)
from daydreaming.importing.columns import note_lost_columns
from daydreaming.importing.source import SourceFolder
from daydreaming.inputs.catalogs import CONCEPT_COLUMNS, MODEL_COLUMNS, CatalogReading
from daydreaming.inputs.concepts import COMBO_COLUMNS, read_combo_rows, same_choice, scan_combos
from daydreaming.inputs.records import Combo
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.tables import Row

ROLES = ("for_generation", "for_evaluation")
# A combo of an early folder has no version: there was one only.
_REQUIRED_OF_COMBOS = ("combo_id", "concept_id", "description_level", "k_max")


def concept_catalog(
    source: SourceFolder, settings: Settings, here: CatalogReading, notes: Callable[[str], None]
) -> Catalog:
    """Compare the concepts with those here, their descriptions at all levels as well. Raises InputError."""
    table, paths = source.concepts_table(), settings.paths
    catalog = Catalog("concept", paths.concepts, CONCEPT_COLUMNS)
    faults: list[Fault] = []
    rows = source.table(table, ("concept_id", "name"))
    for name, row in rows_by_id(table, rows, "concept_id"):
        try:
            catalog.entries[name] = _concept(source, settings, here, name, row)
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(faults)
    note_lost_columns(catalog, table, rows, notes)
    for name in here.catalogs.concepts.keys() - catalog.entries.keys():
        catalog.entries[name] = Entry(name, Status.HERE)
    return catalog


def _concept(source: SourceFolder, settings: Settings, here: CatalogReading, name: str, row: Row) -> Entry:
    known = here.catalogs.concepts.get(name)
    what = f"the concept {name!r}"
    if known is not None and known.name != row.values["name"]:
        differs = f"another name, {known.name!r},"
        return in_the_way(name, what, source.concepts_table(), settings.paths.concepts, differs)
    if not row.values["name"]:
        return missing(name, "it has no name")
    files = []
    for level in DESCRIPTION_LEVELS:
        place, home = source.description(level, name), settings.paths.concept_text(level, name)
        if not place.is_file() or not (text := source.text(place)).strip():
            continue
        if file_in_the_way(home, text) and home.read_text(encoding="utf-8-sig").strip() != text.strip():
            return in_the_way(name, f"{what} ({level})", place, home, "another description")
        if not home.exists():
            files.append(NewFile(home, text))
    # Nobody asked for cohorts of these concepts: who wants them, sets them active.
    row_here = {} if known is not None else {**row.values, "active": "false"}
    return Entry(name, Status.COMES if row_here or files else Status.HERE, row=row_here, files=files)


def model_catalog(
    source: SourceFolder,
    settings: Settings,
    here: CatalogReading,
    roles: Mapping[str, set[str]],
    planned: Mapping[str, set[str]],
    notes: Callable[[str], None],
) -> Catalog:
    """Compare the models with those here.

    A model that comes may do what `roles` says that it did, and what a spec that comes has `planned`; nothing else.
    Raises InputError for a table that cannot be read.
    """
    table = source.models_table()
    catalog = Catalog("model", settings.paths.models, MODEL_COLUMNS)
    rows = source.table(table, ("id", "model"))
    for name, row in rows_by_id(table, rows, "id"):
        known, model = here.catalogs.models.get(name), row.values["model"]
        if known is not None and known.model != model:
            differs = f"another model string, {known.model!r},"
            catalog.entries[name] = in_the_way(name, f"the model {name!r}", table, settings.paths.models, differs)
        elif known is None and not model:
            catalog.entries[name] = missing(name, "it has no model string")
        elif known is None:
            may = {*roles.get(name, ()), *planned.get(name, ())}
            did = {role: str(role in may).lower() for role in ROLES}
            # What an endpoint is called there, what was paid there: neither is true here.
            values = {**row.values, **did, "endpoint": "", "usd_per_mtok_in": "", "usd_per_mtok_out": ""}
            catalog.entries[name] = Entry(name, Status.COMES, row=values)
    note_lost_columns(catalog, table, rows, notes)
    for name, known in here.catalogs.models.items():
        lacking = [role for role in ROLES if role in roles.get(name, ()) and not getattr(known, role)]
        if lacking:
            why = f"set {' and '.join(lacking)} to true in its row of {settings.paths.models}"
            catalog.entries.setdefault(name, missing(name, why))
        catalog.entries.setdefault(name, Entry(name, Status.HERE))
    return catalog


def combo_catalog(
    source: SourceFolder, settings: Settings, here: CatalogReading, concepts: Catalog
) -> tuple[Catalog, dict[str, Combo]]:
    """Compare the combos with those here; also return those that come. Raises InputError for tables with a fault."""
    catalog = Catalog("combo", settings.paths.combos, COMBO_COLUMNS)
    known, faults_here = scan_combos(settings, here.catalogs)
    faults = list(faults_here)
    coming: dict[str, Combo] = {}
    for table in source.combo_tables():
        rows = source.table(table, _REQUIRED_OF_COMBOS)
        for name, (number, combo) in read_combo_rows(table, rows, None, faults).items():
            earlier = known.get(name) or coming.get(name)
            if earlier is not None and not _same(earlier, combo):
                home = settings.paths.combos if name in known else source.combo_tables()[0]
                place, differs = f"{table}, row {number}", "other concepts, or another level,"
                catalog.entries[name] = in_the_way(name, f"the combo {name!r}", place, home, differs)
            elif name in known:
                catalog.entries[name] = Entry(name, Status.HERE)
            elif problem := _problem_of(combo, settings, concepts):
                listed = [concepts.entries[one] for one in combo.concept_ids if one in concepts.entries]
                faults_of_it = [fault for entry in listed for fault in entry.faults]
                catalog.entries[name] = missing(name, problem, faults_of_it)
            else:
                catalog.entries[name] = Entry(name, Status.COMES)
                coming[name] = combo
    if faults:
        raise InputError(faults)
    for name in known.keys() - catalog.entries.keys():
        catalog.entries[name] = Entry(name, Status.HERE)
    return catalog, coming


def _same(one: Combo, other: Combo) -> bool:
    """Whether two combos are the same choice; a folder without versions says nothing of them."""
    return same_choice(one, other if other.version else replace(other, version=one.version))


def _problem_of(combo: Combo, settings: Settings, concepts: Catalog) -> str:
    """Say which concept or description of a combo is missing; "" if none is."""
    for concept_id in combo.concept_ids:
        if problem := concepts.problem(concept_id):
            return problem
        home = settings.paths.concept_text(combo.description_level, concept_id)
        comes = [file.path for file in concepts.entries[concept_id].files]
        if home not in comes and not home.is_file():
            return f"its concept {concept_id} has no {combo.description_level} that describes it: write {home}"
    return ""
