"""The catalogs in data/1_raw: concepts, templates of all stages, models. Read, checked, every fault reported.

This runs whenever Snakemake starts, so it compiles no template, and of a text it reads what front matter says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.paths import DataPaths
from daydreaming.inputs.records import Catalogs, Concept, Model, Template
from daydreaming.inputs.setting_conflicts import conflict_faults, unknown_model_faults
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.stages import Stage
from daydreaming.inputs.tables import CellReader, scan_table
from daydreaming.inputs.template_rows import read_template_row, with_front_matter

CONCEPT_COLUMNS = ("concept_id", "name", "active")
MODEL_COLUMNS = ("id", "model", "provider", "display_name", "for_generation", "for_evaluation")


@dataclass(frozen=True, slots=True)
class CatalogReading:
    """What could be read of the catalogs, all that is wrong with them, and the row of each template's (stage, id)."""

    catalogs: Catalogs
    faults: tuple[Fault, ...]
    template_rows: Mapping[tuple[str, str], int]


def load_catalogs(settings: Settings) -> Catalogs:
    """Return the catalogs below the data root; raise one InputError with the faults of all of them.

    Active templates must have a text and active concepts a description at the configured level. Inactive ones may be
    incomplete: who uses one nevertheless checks it with `template_text_fault` and `concept_text_fault`.
    """
    reading = read_catalogs(settings)
    if reading.faults:
        raise InputError(reading.faults)
    return reading.catalogs


def read_catalogs(settings: Settings) -> CatalogReading:
    """Return the catalogs as far as they can be read, with their faults: for reports that go on after a fault."""
    faults: list[Fault] = []
    concepts = _read_concepts(settings, faults)
    templates: dict[str, dict[str, Template]] = {}
    template_rows: dict[tuple[str, str], int] = {}
    for stage in settings.stage_table:
        first = settings.stage_table.of_table(stage.name)
        if first == stage.name:
            templates[first], rows = _read_templates(settings, stage, faults)
        else:
            # One table for several stages is read once, and what is wrong with it told once.
            templates[stage.name] = {name: replace(one, stage=stage.name) for name, one in templates[first].items()}
            rows = {template_id: row for (of, template_id), row in template_rows.items() if of == first}
        template_rows.update({(stage.name, template_id): row for template_id, row in rows.items()})
    models = _read_models(settings, faults)
    all_templates = [one for of_stage in templates.values() for one in of_stage.values()]
    faults.extend(conflict_faults(settings, models.values(), all_templates))
    faults.extend(unknown_model_faults(settings, models))
    catalogs = Catalogs(concepts, templates, models)
    return CatalogReading(catalogs, tuple(faults), template_rows)


def template_text_fault(template: Template, file: Path, row: int | None, column: str = "template_id") -> Fault | None:
    """Say what is wrong with the place of a template's text, as a fault of the table row that uses the template."""
    if template.path is None:
        return None
    return _text_fault(Path(template.path), f"the text of template {template.template_id!r}", file, row, column)


def concept_text_fault(
    paths: DataPaths, level: str, concept_id: str, file: Path, row: int | None, column: str = "concept_id"
) -> Fault | None:
    """Say what is wrong with the file of a concept's description, as a fault of the table row that uses the concept."""
    text, what = paths.concept_text(level, concept_id), f"the {level} that describes concept {concept_id!r}"
    if not _lies_in(text, paths):
        problem = f"{what} lies outside of the project and the data root."
        return Fault(str(file), problem, f"Replace the link {text} by the file.", row=row, column=column)
    return _text_fault(text, what, file, row, column)


def _foreign_text_fault(template: Template, settings: Settings, file: Path, row: int) -> Fault | None:
    """Say that a template's text lies where no text is to be read from and sent, links followed."""
    if template.path is None or _lies_in(Path(template.path), settings.paths, settings.template_folders):
        return None
    problem = f"the text of template {template.template_id!r} lies outside of the project and the data root."
    cure = "Move it there, or allow its folder: `template_folders` in config.yaml."
    return Fault(str(file), problem, cure, row=row, column="template_path")


def _lies_in(text: Path, paths: DataPaths, others: Iterable[Path] = ()) -> bool:
    """Whether a file lies in the project, the data root (or its 1_raw, which may be a link) or one of the others."""
    try:
        folders = [folder.resolve() for folder in (Path(), paths.root, paths.raw, *others)]
        return any(text.resolve().is_relative_to(folder) for folder in folders)
    except (OSError, RuntimeError, ValueError):
        return True  # A loop of links, a NUL: that it cannot be read is said where it is read.


def _text_fault(text: Path, what: str, file: Path, row: int | None, column: str) -> Fault | None:
    try:
        if text.is_file() and text.stat().st_size:
            return None
        state = "is empty" if text.is_file() else "is missing"
    except OSError as error:
        state = f"cannot be reached ({error.strerror})"
    except ValueError:
        state = "cannot be reached (its path has a NUL character in it)"
    return Fault(str(file), f"{what} {state}.", f"Write it to {text}.", row=row, column=column)


def _cells(
    path: Path, required: Sequence[str], faults: list[Fault], last: str | None = None, verbatim: Sequence[str] = ()
) -> Iterator[CellReader]:
    rows, table_faults = scan_table(path, required, last=last, verbatim=verbatim)
    faults.extend(table_faults)
    return (CellReader(path, row, faults) for row in rows)


def _read_concepts(settings: Settings, faults: list[Fault]) -> dict[str, Concept]:
    path = settings.paths.concepts
    seen: dict[str, int] = {}
    concepts: dict[str, Concept] = {}
    # Chosen combos say themselves at which level they are described; the membership checks the texts that it uses.
    combos_are_chosen = settings.paths.selected_combos.exists()
    for cells in _cells(path, CONCEPT_COLUMNS, faults):
        concept_id = cells.unique_identifier("concept_id", seen)
        concept = Concept(concept_id, cells.text("name"), cells.boolean("active"))
        if not concept_id:
            continue
        concepts[concept_id] = concept
        if concept.active and not combos_are_chosen:
            fault = concept_text_fault(settings.paths, settings.description_level, concept_id, path, cells.row.number)
            faults.extend([fault] if fault else [])
    return concepts


def _read_templates(
    settings: Settings, stage: Stage, faults: list[Fault]
) -> tuple[dict[str, Template], dict[str, int]]:
    path, paths = settings.paths.templates(stage.name), settings.paths
    rows: dict[str, int] = {}
    templates: dict[str, Template] = {}
    required = ["template_id", "generator", *(["parser"] if stage.judges else []), "active"]
    for cells in _cells(path, required, faults, last="active", verbatim=["content"]):
        template = read_template_row(cells, stage, rows, paths)
        fault = _foreign_text_fault(template, settings, path, cells.row.number)
        template = with_front_matter(template, stage, cells, may_read=fault is None)
        if not template.template_id:
            continue
        templates[template.template_id] = template
        if fault is None and template.active:
            fault = template_text_fault(template, path, cells.row.number)
        faults.extend([fault] if fault else [])
    return templates, rows


def _read_models(settings: Settings, faults: list[Fault]) -> dict[str, Model]:
    seen: dict[str, int] = {}
    models = {}
    for cells in _cells(settings.paths.models, MODEL_COLUMNS, faults):
        model = Model(
            id=cells.unique_identifier("id", seen),
            model=cells.text("model"),
            provider=cells.optional_text("provider"),
            display_name=cells.optional_text("display_name"),
            for_generation=cells.boolean("for_generation"),
            for_evaluation=cells.boolean("for_evaluation"),
            endpoint=_read_endpoint(cells, settings),
            usd_per_mtok_in=cells.number("usd_per_mtok_in"),
            usd_per_mtok_out=cells.number("usd_per_mtok_out"),
        )
        if model.id:
            models[model.id] = model
    return models


def _read_endpoint(cells: CellReader, settings: Settings) -> str | None:
    name = cells.optional_text("endpoint")
    if name and name not in settings.endpoints:
        known = ", ".join(settings.endpoints)
        cells.add_fault(
            "endpoint", f"{name!r} is not an endpoint of config.yaml.", f"Use one of {known}, or describe it there."
        )
    return name or None
