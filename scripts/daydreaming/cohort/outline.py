"""What a cohort is made of, before its rows are made: combos, templates, models, replicates, and what it keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daydreaming.base.identifiers import content_id
from daydreaming.cohort.links import NumberedRow
from daydreaming.inputs.records import Combo, Generation, Template
from daydreaming.inputs.stages import Stage, StageTable

CARTESIAN, CURATED, SPEC = "cartesian", "curated", "spec"
COHORT_ID_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Outline:
    """What a cohort is made of. `chains` are the texts that a curated cohort keeps, mostly drafts and essays.

    `made` are the stages that are crossed with templates and models.
    `generations` are those of a spec, and `source` the file that a user corrects when a row does not hold together.
    """

    mode: str
    stages: StageTable
    combos: tuple[Combo, ...]
    templates: Mapping[str, Sequence[Template]]
    models: Mapping[str, Sequence[str]]
    replicates: Mapping[str, int]
    source: Path
    made: Sequence[Stage] = ()
    chains: Sequence[NumberedRow] = ()
    generations: Sequence[Generation] = ()
    spec_files: Sequence[Path] = ()

    def axes(self) -> dict[str, Any]:
        """The choices that make the cohort, as JSON; sorted, for the order of a catalog is no choice."""
        axes = {
            "combos": {combo.combo_id: _combo_content(combo) for combo in self.combos},
            "templates": {
                stage: sorted(template.template_id for template in templates)
                for stage, templates in self.templates.items()
            },
            "models": {role: sorted(models) for role, models in self.models.items()},
            "replicates": dict(self.replicates),
        }
        if self.mode == CURATED:
            axes["essays"] = sorted(row.gen_id for _, row in self.chains if row.stage == self.stages.main)
        return axes

    def derived_id(self) -> str:
        """A name made of the axes alone: an edited price or description does not start another cohort."""
        return f"cohort_{content_id({'mode': self.mode, 'axes': self.axes()}, COHORT_ID_LENGTH)}"


def role_of(stage: Stage) -> str:
    """Which models a stage takes, as the tables name them."""
    return stage.permission.removeprefix("for_")


def _combo_content(combo: Combo) -> dict[str, Any]:
    return {
        "description_level": combo.description_level,
        "k_max": combo.k_max,
        "concept_ids": list(combo.concept_ids),
    }
