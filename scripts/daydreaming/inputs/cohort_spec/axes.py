"""The axes of a cohort, made from the stages: what a chain is chosen by, from its combo to its last judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from daydreaming.inputs.stages import DRAFT, Stage, StageTable

COMBO = "combo"
FOLLOWS = ""
"""The level of a model's axis that says nothing of its own: the model of the parent."""
NO_MODEL = "None"
"""How a spec of the original project writes the model of an essay that is copied."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: what its levels are, of which stage, and the names that specs of the original project give it."""

    name: str
    kind: Literal["combo", "template", "model", "replicate"]
    stage: str = ""
    other_names: tuple[str, ...] = ()
    follows: str = ""  # the axis whose level it has where a spec says nothing of it


@dataclass(frozen=True)
class AxisTable:
    """All axes of a study by name, in the order of its stages, and every name that a spec may give one."""

    axes: Mapping[str, Axis]
    canonical_names: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a spec may give an axis."""
        return tuple(self.canonical_names)

    def canonical(self, name: str) -> str:
        """The name of an axis; another name comes back as it is."""
        return self.canonical_names.get(name, name)


@cache
def axis_table(stages: StageTable) -> AxisTable:
    """The axes of a study with these stages."""
    axes = [Axis(COMBO, "combo", other_names=("combo_id",)), *(axis for stage in stages for axis in _axes_of(stage))]
    names = {name: axis.name for axis in axes for name in (axis.name, *axis.other_names)}
    return AxisTable({axis.name: axis for axis in axes}, names)


def _axes_of(stage: Stage) -> Iterable[Axis]:
    name = stage.name
    yield Axis(f"{name}_template", "template", name)
    yield Axis(
        f"{name}_llm",
        "model",
        name,
        other_names=(f"{name}_model", "generation_llm") if name == DRAFT.name else (),
        # Who writes the first text writes on; judges are chosen by themselves.
        follows="" if stage.is_first or stage.judges else f"{stage.parent}_llm",
    )
    names = (f"{name}_template_replicate", f"{name}_llm_replicate", f"{name}_rep")
    yield Axis(f"{name}_replicate", "replicate", name, other_names=names)
