"""Whether templates render, found out before anything is paid for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from daydreaming.base.errors import Fault, GenerationError
from daydreaming.inputs.catalogs import CatalogReading
from daydreaming.inputs.records import Template
from daydreaming.inputs.settings import Settings
from daydreaming.inputs.templates import compile_template, load_template_text, render, template_name, unknown_names


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
    """Render templates with sample values; yield a Fault, with the catalog's row, for each that does not.

    Not `strict`: only bad syntax and names that no template of the stage can use are faults, for a template may well
    do with a real text what it cannot do with a sample.
    """
    for template in templates:
        # That a text is missing is a fault of the catalog already.
        if template.path is not None and not Path(template.path).is_file():
            continue
        try:
            text, values = load_template_text(template), sample_values(template.stage, settings.k_max)
            compiled = compile_template(text, template_name(template))
            if strict or unknown_names(text, values):
                render(compiled, values)
        except GenerationError as error:
            yield Fault(
                file=str(settings.paths.templates(template.stage)),
                problem=f"template {template.template_id!r} does not render.",
                cure=error.message,
                row=reading.template_rows[template.stage, template.template_id],
                column="template_id",
            )
