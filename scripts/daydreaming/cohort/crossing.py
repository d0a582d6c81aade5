"""The rows of a cohort: those of its spec, or what is kept, crossed with templates, models and replicates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from daydreaming.base.identifiers import generation_id
from daydreaming.base.paths import DataPaths
from daydreaming.cohort.comparisons import ALL_PAIRS, comparisons
from daydreaming.cohort.links import NumberedRow
from daydreaming.cohort.outline import SPEC, Outline, role_of
from daydreaming.inputs.records import Generation, Template
from daydreaming.inputs.stages import Stage


def rows_of(outline: Outline, cohort_id: str, paths: DataPaths) -> Iterator[NumberedRow]:
    """All rows, stage by stage; what is made for a chosen essay has the line of that."""
    if outline.mode == SPEC:
        yield from ((None, generation) for generation in outline.generations)
        return
    kept = [(line, replace(row, cohort_id=cohort_id)) for line, row in outline.chains]
    yield from kept
    by_stage = {stage: [row for row in kept if row[1].stage == stage] for stage in outline.stages.names}
    for stage in outline.made:
        if stage.is_first:
            made = list(_of_combos(outline, stage, cohort_id))
        elif stage.takes_pairs:
            made = list(_comparisons(outline, stage, [text for _, text in by_stage[stage.parent]], paths))
        else:
            made = list(_children(outline, stage, by_stage[stage.parent]))
        by_stage[stage.name] = made
        yield from made


def _comparisons(
    outline: Outline, stage: Stage, texts: Sequence[Generation], paths: DataPaths
) -> Iterator[NumberedRow]:
    """All pairs of texts of one combo, each in both orders by each judge."""
    judging = [
        (template.template_id, model, replicate)
        for template in outline.templates[stage.name]
        for model in outline.models[role_of(stage)]
        for replicate in range(1, outline.replicates[stage.name] + 1)
    ]
    yield from ((None, row) for row in comparisons(stage, texts, ALL_PAIRS, judging, paths))


def _of_combos(outline: Outline, stage: Stage, cohort_id: str) -> Iterator[NumberedRow]:
    for combo in outline.combos:
        for template in outline.templates[stage.name]:
            for model in outline.models[role_of(stage)]:
                for replicate in range(1, outline.replicates[stage.name] + 1):
                    template_id = template.template_id
                    gen_id = generation_id(stage.name, template_id, model, combo.combo_id, replicate)
                    row = Generation(stage.name, gen_id, cohort_id, "", combo.combo_id, template_id, model, replicate)
                    yield None, row


def _children(outline: Outline, stage: Stage, parents: Sequence[NumberedRow]) -> Iterator[NumberedRow]:
    """What is made from other texts: judges look at all of them, and who wrote the first text writes on."""
    for line, parent in parents:
        for template in outline.templates[stage.name]:
            for model in outline.models[role_of(stage)] if stage.judges else [parent.llm_model_id]:
                # A copy of a copy is no sample.
                replicates = 1 if template.generator == "copy" else outline.replicates[stage.name]
                for replicate in range(1, replicates + 1):
                    yield line, _child(stage.name, parent, template, model, replicate)


def _child(stage: str, parent: Generation, template: Template, model: str, replicate: int) -> Generation:
    template_id = template.template_id
    gen_id = generation_id(stage, template_id, model, parent.gen_id, replicate)
    return Generation(stage, gen_id, parent.cohort_id, parent.gen_id, parent.combo_id, template_id, model, replicate)
