"""A row of a template catalog, joined with the front matter of its text: what both say must agree."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from daydreaming.base.amounts import with_article
from daydreaming.base.errors import Fault, GenerationError
from daydreaming.base.paths import DataPaths
from daydreaming.inputs.front_matter import TemplateParts, template_parts
from daydreaming.inputs.records import DEFAULT_SCORE_KEY, Scale, SettingValue, Template
from daydreaming.inputs.setting_models import TemplateSettings
from daydreaming.inputs.stages import Stage
from daydreaming.inputs.tables import CellReader, gathering
from daydreaming.inputs.templates import load_template_text, template_name
from daydreaming.parsers.registry import PREFERENCE_PARSERS, unknown_parser

# The settings that a column of the table may have; `system`, `stop` and `response_format` are for front matter alone.
_COLUMNS = tuple(TemplateSettings.model_fields)
_OF_RUBRICS = ("score_min", "score_max")


def copied(stage: Stage) -> str:
    """What a copy without a text of its own shows as its prompt: the text that it passes on."""
    return f"{{{{ {stage.parent_names[0]} }}}}"


def read_template_row(cells: CellReader, stage: Stage, seen: dict[str, int], paths: DataPaths) -> Template:
    """Return the template of a row, without what its text says: see `with_front_matter`."""
    template_id = cells.unique_identifier("template_id", seen)
    generator = cells.choice("generator", stage.generators)
    content, given = cells.optional_text("content"), cells.optional_text("template_path")
    inline = content if content.strip() else None
    path = given or paths.template_text(stage.name, template_id).as_posix()
    if generator == "copy" and inline is None and not given and not _has_text(Path(path)):
        inline = copied(stage)
    return Template(
        stage=stage.name,
        template_id=template_id,
        generator=generator,
        parser=None,
        active=cells.boolean("active"),
        path=None if inline else path,
        content=inline,
        score_key=(cells.optional_text("score_key") if stage.makes == "score" else "") or DEFAULT_SCORE_KEY,
        shared_folder=paths.shared_texts,
    )


def with_front_matter(template: Template, stage: Stage, cells: CellReader, *, may_read: bool) -> Template:
    """Return a template with what its row and its text say of parser, scale and requests; faults go to the reader's.

    `may_read`: its text lies where texts are read from. The faults of front matter that nobody uses are not told.
    """
    faults: list[Fault] = []
    parts = _parts(template, faults) if may_read else TemplateParts("")
    if faults and template.active:
        cells.faults.extend(faults)
    of_row = dict(_row_settings(template, stage, cells))
    own, name = dict(of_row), template_name(template)
    for key, value in _said(template, stage, parts, cells).items():
        if key in of_row and of_row[key].value != value:
            problem = f"{key} is {of_row[key].value} here and {value} in the front matter of {name}."
            cells.add_fault(key, problem, "Say it in one of the two places, or the same in both.")
        line = parts.lines.get(key)
        own[key] = SettingValue(value, f"{name}, line {line}" if template.path else name)
    parser = _parser(stage, cells, own, is_readable=not faults)
    scale = _scale(stage, cells, own)
    asked = {key: value for key, value in own.items() if key != "description"}
    return replace(template, parser=parser, score_min=scale.lowest, score_max=scale.highest, own_settings=asked)


def _parts(template: Template, faults: list[Fault]) -> TemplateParts:
    """The parts of a text that is there; that it is missing or cannot be read is told elsewhere."""
    try:
        is_there = template.content is not None or Path(template.path or "").is_file()
        text = load_template_text(template) if is_there else ""
    except (GenerationError, OSError, ValueError):
        return TemplateParts("")
    with gathering(faults):
        return template_parts(text, template_name(template))
    return TemplateParts("")


def _said(template: Template, stage: Stage, parts: TemplateParts, cells: CellReader) -> dict[str, Any]:
    """What front matter says that means something for this template; a fault for each key that does not."""
    said: dict[str, Any] = {}
    for key, value in (parts.front_matter.given() if parts.front_matter else {}).items():
        if why := _meaningless(template, stage, key):
            name, line = template_name(template), parts.lines.get(key)
            cells.faults.append(Fault(name, f"{key} means nothing here: {why}.", "Take it out.", key=key, line=line))
        elif value is not None or key in _COLUMNS or key in ("stop", "response_format"):
            said[key] = value
    return said


def _meaningless(template: Template, stage: Stage, key: str) -> str:
    """Why a setting says nothing of a template; "" where it does."""
    if key == "description":
        return ""
    if template.generator == "copy":
        return "a copy makes no call"
    if not stage.parsers and key == "parser":
        return f"{with_article(stage.name)} is not parsed"
    if stage.makes != "score" and key in _OF_RUBRICS:
        return "only a rubric has scores"
    return ""


def _row_settings(template: Template, stage: Stage, cells: CellReader) -> Iterator[tuple[str, SettingValue]]:
    """What the cells of a row say; faults go to the reader's."""
    place = f"{cells.path}, row {cells.row.number}"
    numbers = {}
    for column in _COLUMNS:
        text = cells.optional_text(column)
        if text and (why := _meaningless(template, stage, column)):
            cells.add_fault(column, f"it means nothing here: {why}.", "Empty the cell.")
        elif text:
            numbers[column] = _number(text)
    try:
        TemplateSettings.model_validate(numbers)
    except ValidationError as error:
        for column in dict.fromkeys(str(found["loc"][0]) for found in error.errors(include_url=False)):
            extra: Any = TemplateSettings.model_fields[column].json_schema_extra
            cure = extra["cure"].replace("null", "leave the cell empty")
            cells.add_fault(column, f"{numbers.pop(column)!r} is not allowed.", cure)
    for column, number in numbers.items():
        yield column, SettingValue(number, place)
    usual = Scale()
    if stage.makes == "score":
        for column, end in zip(_OF_RUBRICS, usual, strict=True):
            if cells.optional_text(column):
                yield column, SettingValue(cells.signed_number(column, end), place)
    if cells.optional_text("parser") and stage.parsers:
        yield "parser", SettingValue(cells.optional_text("parser"), place)
    if cells.optional_text("description"):
        yield "description", SettingValue(cells.optional_text("description"), place)


def _number(text: str) -> Any:
    """A cell's number; the text where it is none, which is no setting's value."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, int | float) and not isinstance(value, bool) else text


def _parser(stage: Stage, cells: CellReader, own: Mapping[str, SettingValue], *, is_readable: bool) -> str | None:
    """The parser's name; None where the stage has none, whatever the column says."""
    allowed = stage.parsers
    if not allowed:
        return None
    if "parser" in own and not cells.optional_text("parser"):
        name, place = own["parser"]
        if name in allowed:
            return str(name)
        cells.faults.append(
            Fault(place, unknown_parser(stage.name, str(name), allowed), f"Use {' or '.join(allowed)}.", key="parser")
        )
        return None
    if not stage.judges and not cells.optional_text("parser"):
        return None
    if not is_readable and not cells.optional_text("parser"):
        return None  # its front matter, which nobody can read, may name one
    stated = cells.optional_text("parser")
    if stated in PREFERENCE_PARSERS and stated not in allowed:
        problem = unknown_parser(stage.name, stated, allowed)
        cells.add_fault("parser", problem, f"Use {' or '.join(allowed)}.")
        return None
    return cells.choice("parser", allowed) or None


def _scale(stage: Stage, cells: CellReader, own: Mapping[str, SettingValue]) -> Scale:
    """A rubric's lowest and highest score."""
    usual = Scale()
    if stage.makes != "score":
        return usual
    lowest, highest = (own[key].value if key in own else end for key, end in zip(_OF_RUBRICS, usual, strict=True))
    if lowest >= highest:
        problem = f"the lowest score is {lowest:g} and the highest {highest:g}."
        cells.add_fault("score_max", problem, f"Make score_max ({usual.highest:g} where it is empty) the greater one.")
    return Scale(float(lowest), float(highest))


def _has_text(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size > 0
    except (OSError, ValueError):
        return False
