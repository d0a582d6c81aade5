"""Specs of the cohort `made`, written to the project of cohort_fixtures and compiled."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from inputs_fixtures import RAW, settings_with, write

from daydreaming.base.errors import Fault, InputError
from daydreaming.cohort.build import plan_cohort
from daydreaming.inputs.catalogs import load_catalogs
from daydreaming.inputs.cohort_spec.axes import axis_table
from daydreaming.inputs.records import Generation
from daydreaming.inputs.stages import DEFAULT_STAGES

COHORT = "made"
SPEC = Path("data/cohorts/made/spec.yaml")
MODELS = (
    "id,model,provider,display_name,for_generation,for_evaluation\n"
    "writer,acme/writer,acme,Writer,true,false\n"
    "poet,acme/poet,acme,Poet,true,false\n"
    "judge,acme/judge,acme,Judge,false,true\n"
    "critic,acme/critic,acme,Critic,false,true\n"
)
Row = tuple[str, ...]
"""A row of a crossing: the combo, then template, model and replicate of each stage."""


def write_models() -> None:
    """A second judge, so that each axis but the replicates has two levels or more."""
    write(RAW / "llm_models.csv", MODELS)


def compiled(spec: str | Mapping[str, Any], **config: object) -> tuple[Generation, ...]:
    """The generations that a spec describes."""
    write(SPEC, spec if isinstance(spec, str) else yaml.safe_dump(dict(spec), sort_keys=False))
    settings = settings_with(cohort=COHORT, **config)
    plan = plan_cohort(settings, load_catalogs(settings))
    assert plan.mode == "spec"
    return plan.generations


def rows_of(spec: str | Mapping[str, Any], **config: object) -> list[Row]:
    """The rows of a spec's crossing, one for each evaluation, in the order of the table."""
    generations = compiled(spec, **config)
    by_key = {(one.stage, one.gen_id): one for one in generations}
    rows = []
    for evaluation in (one for one in generations if one.stage == "evaluation"):
        essay = by_key["essay", evaluation.parent_gen_id]
        draft = by_key["draft", essay.parent_gen_id]
        cells = [(one.template_id, one.llm_model_id, str(one.replicate)) for one in (draft, essay, evaluation)]
        rows.append((draft.combo_id, *(cell for part in cells for cell in part)))
    return rows


def column(rows: list[Row], axis: str) -> list[str]:
    """The levels of an axis in all rows."""
    position = list(axis_table(DEFAULT_STAGES).axes).index(axis)
    return [row[position] for row in rows]


def crossing(**levels: list[str]) -> set[Row]:
    """The product of the levels; axes of replicates that are not named have one."""
    return set(product(*(levels.get(axis, ["1"]) for axis in axis_table(DEFAULT_STAGES).axes)))


def faults_of(spec: str, **config: object) -> tuple[Fault, ...]:
    """What is wrong with a spec. Nothing was written."""
    with pytest.raises(InputError) as caught:
        compiled(spec, **config)
    assert not SPEC.with_name("membership.csv").exists()
    return caught.value.faults
