"""The templates of a source folder: their texts in either layout, who writes by them, how replies are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from daydreaming.base.errors import Fault, GenerationError, InputError
from daydreaming.importing.catalog_entries import (
    Catalog,
    Entry,
    NewFile,
    Status,
    file_in_the_way,
    in_the_way,
    missing,
    rows_by_id,
    template_columns,
    with_newlines,
)
from daydreaming.importing.columns import misfits, note_lost_columns, setting_columns
from daydreaming.importing.source import SourceFolder
from daydreaming.inputs.catalogs import CatalogReading
from daydreaming.inputs.front_matter import as_body
from daydreaming.inputs.records import Template
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.stages import DEFAULT_STAGES, ESSAY
from daydreaming.inputs.tables import Row
from daydreaming.inputs.template_checks import template_faults
from daydreaming.inputs.template_rows import copied
from daydreaming.inputs.templates import load_template_text

# Parsers of the original that are not here, and the one that reads the same where it is certain.
STRICTER = {"essay_block_lenient": "essay_block"}


class TemplateUse:
    """What the generations of a template say of it: whether they are copies, and by which parser they were read."""

    def __init__(self) -> None:
        self.copies: set[bool] = set()
        self.parsers: set[str] = set()


def template_catalog(
    source: SourceFolder,
    settings: Settings,
    here: CatalogReading,
    stage: str,
    use: Mapping[str, TemplateUse],
    notes: Callable[[str], None],
) -> Catalog:
    """Compare the templates of a stage with those here. Raises InputError for a table or a text that cannot be read."""
    table = source.templates_table(stage)
    rows = source.table(table, ("template_id",), verbatim=("content",))
    used = [name for name in setting_columns(stage) if any(row.values.get(name) for row in rows)]
    catalog = Catalog(f"{stage} template", settings.paths.templates(stage), template_columns(stage, used))
    reader = _Reader(source, settings, here, stage, table, catalog, notes)
    faults: list[Fault] = []
    for name, row in rows_by_id(table, rows, "template_id"):
        try:
            catalog.entries[name] = reader.entry(name, row, use.get(name) or TemplateUse())
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(faults)
    note_lost_columns(catalog, table, rows, notes)
    for name in here.catalogs.templates[stage].keys() - catalog.entries.keys():
        catalog.entries[name] = Entry(name, Status.HERE)
    return catalog


class _Reader:
    """Reads the templates of one stage."""

    def __init__(
        self,
        source: SourceFolder,
        settings: Settings,
        here: CatalogReading,
        stage: str,
        table: Path,
        catalog: Catalog,
        notes: Callable[[str], None],
    ):
        self._source, self._settings, self._here, self._stage = source, settings, here, stage
        self._table, self._catalog, self._notes = table, catalog, notes

    def entry(self, name: str, row: Row, use: TemplateUse) -> Entry:
        """Say what becomes of a template. Raises InputError for a text that cannot be read, or two of them."""
        known = self._here.catalogs.templates[self._stage].get(name)
        generator, problem = self._generator(row, use, known)
        if problem:
            return missing(name, problem)
        place, text = self._text(name, row)
        if text is None and generator == "copy":
            text = copied(ESSAY)
        if text is None:
            return missing(name, f"its text is in none of the folders of templates: write {name}.txt there")
        text = as_body(text)  # there was no front matter there
        if known is not None:
            return self._compared(known, place, text, generator)
        parser, problem = self._parser(name, row, use)
        problem = problem or self._fault_of_text(name, generator, parser, text)
        home = self._settings.paths.template_text(self._stage, name)
        if problem:
            return missing(name, problem)
        if file_in_the_way(home, text):
            return in_the_way(name, f"the {self._stage} template {name!r}", place, home, "another text")
        # Nobody asked for cohorts of these templates: who wants them, sets them active.
        values = {**row.values, "generator": generator, "parser": parser, "active": "false"}
        values |= {"content": "", "template_path": ""}
        faults = misfits(self._settings, self._stage, self._catalog, self._table, Row(row.number, values))
        if faults:
            return missing(name, " ".join(map(str, faults)), faults)
        files = [] if text == copied(ESSAY) else [NewFile(home, text)]
        return Entry(name, Status.COMES, row=values, files=files)

    def _compared(self, known: Template, place: Path, text: str, generator: str) -> Entry:
        """A template that is here already: the same one, or another."""
        name = known.template_id
        what = f"the {self._stage} template {name!r}"
        here = Path(known.path) if known.path else self._settings.paths.templates(self._stage)
        try:
            same = with_newlines(load_template_text(known)) == with_newlines(text)
        except GenerationError as error:
            return missing(name, f"it is here without a text ({error.message})")
        if not same:
            return in_the_way(name, what, place, here, "another text")
        if known.generator != generator:
            table = self._settings.paths.templates(self._stage)
            return in_the_way(name, what, self._table, table, f"another generator, {known.generator},")
        return Entry(name, Status.HERE)

    def _generator(self, row: Row, use: TemplateUse, known: Template | None) -> tuple[str, str]:
        """Who writes by a template; where the table does not say it, its generations do, or its row here."""
        stated = row.values.get("generator", "")
        if self._stage != "essay":
            return "llm", "" if stated in ("", "llm") else f"its generator is {stated!r}, and a {self._stage} needs llm"
        if stated:
            return stated, "" if stated in ("llm", "copy") else f"its generator is {stated!r}, neither llm nor copy"
        if len(use.copies) > 1:
            return "", "some of its essays are copies and some are not: say in its row which `generator` it has"
        if use.copies:
            return "copy" if use.copies == {True} else "llm", ""
        unknown = "nothing says whether a model writes by it: give its row a `generator`, llm or copy"
        return (known.generator, "") if known else ("", unknown)

    def _text(self, name: str, row: Row) -> tuple[Path, str | None]:
        """The text of a template and where it stands. Raises InputError for two that differ."""
        if row.values.get("content", "").strip():
            return self._table, row.values["content"]
        places = self._source.template_texts(self._stage, name)
        named = row.values.get("template_path", "")
        places += [path for path in (self._source.root / named, self._source.root.parent / named) if path.is_file()]
        texts = {place: self._source.text(place) for place in places}
        if len(set(texts.values())) > 1:
            problem = f"the text of the {self._stage} template {name!r} is another one than in {places[1]}."
            raise InputError(Fault(str(places[0]), problem, "Keep one of the files, or make them the same."))
        return (places[0], texts[places[0]]) if places else (self._table, None)

    def _parser(self, name: str, row: Row, use: TemplateUse) -> tuple[str, str]:
        """How replies are read; where the table does not say it, the records of its generations do."""
        if self._stage == "essay":
            return "", ""
        stated = row.values.get("parser", "")
        if not stated and len(use.parsers) == 1:
            stated = next(iter(use.parsers))
        if stated in STRICTER:
            self._notes(
                f"The {self._stage} template {name} is read by {STRICTER[stated]} from now on: {stated} is not here, "
                "which took a whole reply where it found nothing. Texts that come stay as they were read."
            )
            stated = STRICTER[stated]
        names = DEFAULT_STAGES[self._stage].parsers
        if (stated or self._stage == "draft") and (not stated or stated in names):
            return stated, ""
        what = f"its parser {stated!r} is not here" if stated else "nothing says by which parser it is read"
        return "", f"{what}: give its row one of {', '.join(names)}"

    def _fault_of_text(self, name: str, generator: str, parser: str, text: str) -> str:
        """What keeps a text from being rendered here; "" if nothing does."""
        template = Template(
            stage=self._stage,
            template_id=name,
            generator=generator,
            parser=parser or None,
            active=False,
            path=None,
            content=text,
        )
        reading = CatalogReading(self._here.catalogs, (), {(self._stage, name): 0})
        faults = list(template_faults(self._settings, reading, [template], strict=False))
        return f"{faults[0].problem} {faults[0].cure}" if faults else ""
