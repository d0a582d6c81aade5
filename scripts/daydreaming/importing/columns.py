"""Whether a row of the source fits the table here that it is added to: columns that lack, cells that are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from daydreaming.base.errors import Fault
from daydreaming.importing.catalog_entries import Catalog, Status
from daydreaming.inputs.records import Template
from daydreaming.inputs.setting_models import ModelSettings, TemplateSettings
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.stages import DEFAULT_STAGES
from daydreaming.inputs.tables import CellReader, Row
from daydreaming.inputs.template_rows import read_template_row, with_front_matter

# What an import says itself of a row that it adds.
_SAID_BY_IMPORT = {"active", "generator", "parser", "content", "template_path", "for_generation", "for_evaluation"}
_SAID_BY_IMPORT |= {"endpoint", "usd_per_mtok_in", "usd_per_mtok_out"}


def setting_columns(stage: str) -> tuple[str, ...]:
    """The columns of a table of templates that decide about requests, or about scores."""
    of_rubrics = ("score_min", "score_max", "score_key") if stage == "evaluation" else ()
    return (*TemplateSettings.model_fields, *of_rubrics)


def template_of(
    settings: Settings, stage: str, table: Path, number: int, values: Mapping[str, str], faults: list[Fault]
) -> Template:
    """The template that a row describes; what is wrong with its cells goes to `faults`, with their place in `table`."""
    cells = CellReader(table, Row(number, dict(values)), faults)
    template = read_template_row(cells, DEFAULT_STAGES[stage], {}, settings.paths)
    return with_front_matter(template, DEFAULT_STAGES[stage], cells, may_read=True)


def misfits(settings: Settings, stage: str, catalog: Catalog, table: Path, row: Row) -> list[Fault]:
    """Say what keeps a row of a template, as it would be written, from being read here with all that it says."""
    parser = ("parser",) if DEFAULT_STAGES[stage].parsers else ()
    faults = [
        Fault(
            str(catalog.table),
            f"has no column {name!r}, and {table} has something in it for templates that come.",
            "Add the column before `active`; its cells may stay empty. Or empty it there.",
            column=name,
        )
        for name in (*parser, *setting_columns(stage))
        if row.values.get(name) and name not in catalog.header
    ]
    written = {name: text for name, text in row.values.items() if name in catalog.header}
    if "parser" not in written and parser:
        written["parser"] = row.values.get("parser", "")  # said above
    template_of(settings, stage, table, row.number, written, faults)
    return faults


def note_lost_columns(catalog: Catalog, table: Path, rows: Iterable[Row], notes: Callable[[str], None]) -> None:
    """Note which columns of a table of the source have something in them that does not come."""
    coming = {entry.name for entry in catalog.of_status(Status.COMES) if entry.row}
    key = catalog.columns[0]
    lost = list(dict.fromkeys(_lost(catalog, [row for row in rows if row.values[key] in coming])))
    of_models = [name for name in lost if catalog.kind == "model" and name in ModelSettings.model_fields]
    if of_models:
        notes(f"{table}: {', '.join(of_models)} do not come; here they stand under `models.<id>` in config.yaml.")
    others = [name for name in lost if name not in of_models]
    if others:
        notes(f"{table}: its columns {', '.join(others)} do not come; {catalog.table} has none of that name.")


def _lost(catalog: Catalog, rows: Iterable[Row]) -> Iterator[str]:
    said = {*catalog.header, *_SAID_BY_IMPORT}
    for row in rows:
        yield from (name for name, text in row.values.items() if text and name not in said)
