"""Whether templates render, and use what they are given, found out before anything is paid for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from daydreaming.base.errors import Fault, GenerationError
from daydreaming.inputs.catalogs import CatalogReading
from daydreaming.inputs.records import Template
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.templates import compile_template, load_template_text, render, template_name, used_names

# One of these a template should ask for; a rubric must.
_EXPECTED = {"draft": ("concepts",), "essay": ("draft_block", "links_block"), "evaluation": ("response",)}


def sample_values(stage: str, concept_count: int) -> dict[str, Any]:
    """Return values such as a template of the stage gets when it is rendered for a generation."""
    if stage == "draft":
        numbers = range(1, concept_count + 1)
        return {"concepts": [{"concept_id": f"sample-{n}", "name": f"Sample {n}", "content": "Text."} for n in numbers]}
    if stage == "essay":
        return {"links_block": "Sample draft.", "draft_block": "Sample draft."}
    return {"response": "Sample essay."}


def template_faults(
    settings: Settings, reading: CatalogReading, templates: Iterable[Template], *, strict: bool
) -> Iterator[Fault]:
    """Yield a Fault, with the catalog's row, for each template that does not render, or judges what it never shows.

    Not `strict`: only bad syntax, names that no template of the stage can use, and rubrics that never use `response`
    are faults, for a template may well do with a real text what it cannot do with a sample.
    """
    for template in templates:
        text = None
        try:
            text = _text(template)
            if text is not None and (problem := _problem(template, text, settings, strict=strict)):
                yield _fault(settings, reading, template, *problem)
        except GenerationError as error:
            meant = _meant(template, text or "")
            cure = f"{error.message} {meant}" if meant else error.message
            yield _fault(settings, reading, template, "does not render", cure)


def template_warnings(templates: Iterable[Template]) -> Iterator[str]:
    """Yield a sentence for each template of a draft or an essay that renders, but ignores what it is given."""
    for template in templates:
        expected = _EXPECTED[template.stage]
        if template.stage == "evaluation" or template.generator == "copy":
            continue
        try:
            text = _text(template)
            if text is None or set(expected) & _used(template, text):
                continue
        except GenerationError:
            continue
        uses = "does not use concepts" if template.stage == "draft" else "uses neither draft_block nor links_block"
        words = f"The {template.stage} template {template.template_id!r} {uses}: every prompt is the same."
        meant = _meant(template, text)
        yield f"{words} {meant}" if meant else f"{words} See {template_name(template)}."


def _text(template: Template) -> str | None:
    """A template's text; None where it is missing, which is a fault of the catalog already."""
    if template.path is not None and not Path(template.path).is_file():
        return None
    return load_template_text(template)


def _used(template: Template, text: str) -> set[str]:
    compile_template(text, template_name(template))
    return used_names(text)


def _problem(template: Template, text: str, settings: Settings, *, strict: bool) -> tuple[str, str] | None:
    """What is wrong with a template that renders, and what to do. Raises GenerationError for one that does not."""
    values, compiled = sample_values(template.stage, settings.k_max), compile_template(text, template_name(template))
    names = used_names(text)
    if strict or names - set(values):
        render(compiled, values)
    if template.stage != "evaluation" or "response" in names:
        return None
    cure = _meant(template, text) or "Write {{ response }} where the essay belongs."
    return "never uses response, so that its judge sees no essay", f"{template_name(template)}: {cure}"


def _meant(template: Template, text: str) -> str:
    """Where a text has one of the stage's names in braces that Jinja does not read: the line and what was meant."""
    for name in _EXPECTED[template.stage]:
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
