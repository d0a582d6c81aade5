"""The axes of a cohort, made from the stages: what a chain is chosen by, from its combo to its last judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from daydreaming.base.paths import STAGES

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


def _axes_of(stage: str) -> Iterable[Axis]:
    first = stage == STAGES[0]
    yield Axis(f"{stage}_template", "template", stage)
    yield Axis(
        f"{stage}_llm",
        "model",
        stage,
        other_names=(f"{stage}_model", "generation_llm") if first else (),
        # Who writes the first text writes on; judges are chosen by themselves.
        follows="" if first or stage == STAGES[-1] else f"{STAGES[STAGES.index(stage) - 1]}_llm",
    )
    names = (f"{stage}_template_replicate", f"{stage}_llm_replicate", f"{stage}_rep")
    yield Axis(f"{stage}_replicate", "replicate", stage, other_names=names)


AXES: Mapping[str, Axis] = {
    axis.name: axis
    for axis in (
        Axis(COMBO, "combo", other_names=("combo_id",)),
        *(axis for stage in STAGES for axis in _axes_of(stage)),
    )
}
"""All axes by name, in the order of a chain."""

_CANONICAL = {name: axis.name for axis in AXES.values() for name in (axis.name, *axis.other_names)}
AXIS_NAMES = tuple(_CANONICAL)
"""Every name that a spec may give an axis."""


def canonical(name: str) -> str:
    """The name of an axis; another name comes back as it is."""
    return _CANONICAL.get(name, name)
