"""Whether templates render, and use what they are given, found out before anything is paid for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from daydreaming.base.errors import Fault, GenerationError, InputError
from daydreaming.inputs.catalogs import CatalogReading
from daydreaming.inputs.prompts import compile_prompt, render_prompt
from daydreaming.inputs.records import Template
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.stages import Stage, StageTable, block_name
from daydreaming.inputs.template_sources import TemplateSource, load_template_source
from daydreaming.inputs.templates import load_template_text, template_name, used_names


def sample_values(stage: Stage, concept_count: int) -> dict[str, Any]:
    """Return values such as a template of the stage gets when it is rendered for a generation."""
    if stage.is_first:
        numbers = range(1, concept_count + 1)
        return {"concepts": [{"concept_id": f"sample-{n}", "name": f"Sample {n}", "content": "Text."} for n in numbers]}
    values = dict.fromkeys(stage.parent_names, f"Sample {stage.parent}.")
    return values | {block_name(seen): f"Sample {seen}." for seen in stage.sees}


def template_faults(
    settings: Settings, reading: CatalogReading, templates: Iterable[Template], *, strict: bool
) -> Iterator[Fault]:
    """Yield a Fault, with the catalog's row, for each template that does not render, or judges what it never shows.

    Not `strict`: only bad syntax, names that no template of the stage can use, and rubrics that never use `response`
    are faults, for a template may well do with a real text what it cannot do with a sample.
    """
    for template in templates:
        try:
            source = _source(template)
            if source is not None and (problem := _problem(template, source, settings, strict=strict)):
                yield _fault(settings, reading, template, *problem)
        except GenerationError as error:
            meant = _meant(template, settings.stage_table[template.stage])
            cure = f"{error.message} {meant}" if meant else error.message
            yield _fault(settings, reading, template, "does not render", cure)


def template_warnings(templates: Iterable[Template], stages: StageTable) -> Iterator[str]:
    """Yield a sentence for each template of a text that renders, but ignores what it is given."""
    for template in templates:
        stage = stages[template.stage]
        if stage.judges or template.generator == "copy":
            continue
        try:
            source = _source(template)
            if source is None:
                continue
            compile_prompt(source)
            if set(stage.parent_names) & _used(source):
                continue
        except GenerationError:
            continue
        names = stage.parent_names
        uses = f"uses neither {' nor '.join(names)}" if len(names) > 1 else f"does not use {names[0]}"
        same = "every prompt is the same" if not stage.sees else "it does not show what it is made from"
        words = f"The {template.stage} template {template.template_id!r} {uses}: {same}."
        meant = _meant(template, stage)
        yield f"{words} {meant}" if meant else f"{words} See {template_name(template)}."


def _source(template: Template) -> TemplateSource | None:
    """What a template is rendered from; None where that is a fault of the catalog already: missing, or front matter."""
    if template.path is not None and not Path(template.path).is_file():
        return None
    try:
        return load_template_source(template)
    except GenerationError as error:
        if template.active and isinstance(error.__cause__, InputError):
            return None
        raise


def _used(source: TemplateSource) -> set[str]:
    return used_names(source.body, source.system or "", *(one.text for one in source.shared))


def _problem(template: Template, source: TemplateSource, settings: Settings, *, strict: bool) -> tuple[str, str] | None:
    """What is wrong with a template that renders, and what to do. Raises GenerationError for one that does not."""
    stage = settings.stage_table[template.stage]
    values, compiled = sample_values(stage, settings.k_max), compile_prompt(source)
    names = _used(source)
    if strict or names - set(values):
        render_prompt(compiled, values)
    missing = next((name for name in stage.parent_names if name not in names), None)
    if not stage.judges or missing is None:
        return None
    cure = _meant(template, stage) or f"Write {{{{ {missing} }}}} where the {stage.parent} belongs."
    what = f"never uses {missing}, so that its judge sees no {stage.parent}"
    return what, f"{template_name(template)}: {cure}"


def _meant(template: Template, stage: Stage) -> str:
    """Where a text has one of the stage's names in braces that Jinja does not read: the line and what was meant."""
    try:
        text = load_template_text(template)
    except GenerationError:
        return ""
    for name in (*stage.parent_names, *stage.names_of_seen):
        for number, line in enumerate(text.splitlines(), start=1):
            for found in re.finditer(rf"[{{$<\[]+\s*{name}\s*[}}>\]]+", line):
                if not re.fullmatch(rf"{{{{\s*{name}\s*}}}}", found[0]):
                    return f"Line {number} has {found[0]}: write {{{{ {name} }}}} there."
    return ""


def _fault(settings: Settings, reading: CatalogReading, template: Template, problem: str, cure: str) -> Fault:
    return Fault(
        file=str(settings.paths.templates(template.stage)),
        problem=f"template {template.template_id!r} {problem}.",
        cure=cure,
        row=reading.template_rows[template.stage, template.template_id],
        column="template_id",
    )
