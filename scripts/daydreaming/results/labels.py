"""The names that templates have in the tables of results, where texts and judgements of several stages stand together.

The texts that a study is about (mostly essays), what they are made from, and their judges have the bare ids of their
templates. Those of other stages have the stage before them, as in `revision:tighten`: no id has a colon, and so a
revision is compared with essays as one more way to write.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypedDict

from daydreaming.cohort.membership import Membership
from daydreaming.inputs.records import Catalogs, Generation, Scale, Template
from daydreaming.inputs.stages import DEFAULT_STAGES, StageTable

# The draft template of a text that is written straight from concepts; no id has parentheses.
NO_DRAFT = "(none)"


class TextLabels(TypedDict):
    """How a text was made, in the columns that the table of scores has for it."""

    combo_id: str
    draft_template: str
    generation_template: str
    generation_model: str


def text_labels(membership: Membership, text: Generation) -> TextLabels:
    """How a text was made, as columns of the table of scores name it: its combo, templates and model.

    `draft_template` is that of the first text of its chain, `generation_template` and `generation_model` are its own.
    """
    stages, chain = membership.stages, membership.chain(text)
    first = chain[0]
    # A copy may name no model: then it has that of what it copies.
    model = next((one.llm_model_id for one in reversed(chain) if one.llm_model_id), "")
    return {
        "combo_id": first.combo_id,
        "draft_template": _label(stages, first, stages.chain(stages.main)[0]) if len(chain) > 1 else NO_DRAFT,
        "generation_template": _label(stages, text, stages.main),
        "generation_model": model,
    }


def rubric_label(stages: StageTable, stage: str, template_id: str) -> str:
    """The name of a rubric: stages that share a table of rubrics share their names."""
    is_first = stages.of_table(stage) == stages.of_table(stages.first_scoring)
    return template_id if is_first else f"{stages.of_table(stage)}:{template_id}"


def rubrics(catalogs: Catalogs, stages: StageTable = DEFAULT_STAGES) -> dict[str, Template]:
    """All rubrics, by the names that they have in the tables."""
    return {
        rubric_label(stages, stage.name, template_id): template
        for stage in reversed(stages.scoring)
        for template_id, template in catalogs.templates[stage.name].items()
    }


def rubric_scales(catalogs: Catalogs, stages: StageTable = DEFAULT_STAGES) -> dict[str, Scale]:
    """The scale of each rubric, by the names that they have in the tables."""
    return {name: template.scale for name, template in rubrics(catalogs, stages).items()}


def judged_text(membership: Membership, gen_id: str) -> Generation | None:
    """The text of this id that is judged; None where there is none. No two stages of judged texts share an id."""
    keys: Iterable[tuple[str, str]] = ((stage, gen_id) for stage in judged_stages(membership.stages))
    return next((membership.generations[key] for key in keys if key in membership.generations), None)


def judged_stages(stages: StageTable) -> Sequence[str]:
    """The stages whose texts are judged; without judges, the one whose texts come last."""
    return stages.judged or (stages.main,)


def _label(stages: StageTable, generation: Generation, usual: str) -> str:
    return generation.template_id if generation.stage == usual else f"{generation.stage}:{generation.template_id}"
