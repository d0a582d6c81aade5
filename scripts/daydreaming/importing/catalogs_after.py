"""The catalogs as an import leaves them, and what a run would say of them that it does not say now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from daydreaming.base.errors import Fault
from daydreaming.importing.catalog_entries import Catalog, Entry, Status
from daydreaming.importing.columns import template_of
from daydreaming.inputs.records import Catalogs, Concept, Model
from daydreaming.inputs.setting_conflicts import conflict_faults, unknown_model_faults
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.stages import DEFAULT_STAGES


def catalogs_after(settings: Settings, here: Catalogs, catalogs: Mapping[str, Catalog]) -> Catalogs:
    """What is here and what comes."""
    concepts = {one.name: Concept(one.name, one.row["name"], active=False) for one in _rows(catalogs["concept"])}
    models = {one.name: _model(one) for one in _rows(catalogs["model"])}
    templates = {stage: dict(of_stage) for stage, of_stage in here.templates.items()}
    for stage in DEFAULT_STAGES.names:
        catalog = catalogs[f"{stage} template"]
        for entry in _rows(catalog):
            cells = {name: text for name, text in entry.row.items() if name in catalog.header}
            templates[stage][entry.name] = template_of(settings, stage, catalog.table, 0, cells, [])
    return Catalogs({**here.concepts, **concepts}, templates, {**here.models, **models})


def new_faults(settings: Settings, here: Catalogs, after: Catalogs) -> list[Fault]:
    """What does not fit the configuration only with what comes: a setting said twice, a model that is not there."""
    known = set(_faults(settings, here))
    return [fault for fault in _faults(settings, after) if fault not in known]


def _faults(settings: Settings, catalogs: Catalogs) -> Iterator[Fault]:
    templates = [one for of_stage in catalogs.templates.values() for one in of_stage.values()]
    yield from conflict_faults(settings, catalogs.models.values(), templates)
    yield from unknown_model_faults(settings, catalogs.models)


def _rows(catalog: Catalog) -> Iterator[Entry]:
    return (entry for entry in catalog.of_status(Status.COMES) if entry.row)


def _model(entry: Entry) -> Model:
    row = entry.row
    return Model(
        entry.name,
        row["model"],
        row.get("provider", ""),
        row.get("display_name", ""),
        for_generation=row["for_generation"] == "true",
        for_evaluation=row["for_evaluation"] == "true",
    )
