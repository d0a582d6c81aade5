"""What the generations of a source folder were made with: what their records say of templates and models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from daydreaming.importing.generations import SourceGenerations
from daydreaming.importing.templates import TemplateUse
from daydreaming.inputs.records import Generation
from daydreaming.inputs.stages import DEFAULT_STAGES


def use_of_templates(generations: SourceGenerations) -> dict[str, dict[str, TemplateUse]]:
    """How templates were used, by stage and template."""
    use: dict[str, dict[str, TemplateUse]] = {stage: defaultdict(TemplateUse) for stage in DEFAULT_STAGES.names}
    for generation in generations.found.values():
        template = use[generation.stage][generation.record.template_id or ""]
        if generation.is_copy is not None:
            template.copies.add(generation.is_copy)
        if generation.record.parser_name:
            template.parsers.add(generation.record.parser_name)
    return use


def roles_of_models(rows: Iterable[Generation], generations: SourceGenerations) -> dict[str, set[str]]:
    """What each model did; a copy was written by none."""
    roles: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        generation = generations.found.get((row.stage, row.gen_id))
        if generation is None or not generation.is_copy:
            roles[row.llm_model_id].add("for_evaluation" if row.stage == "evaluation" else "for_generation")
    return roles
