"""A project whose cohort has several values on its axes, and ways to plan cohorts of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from inputs_fixtures import RAW, make_project, settings_with, write

from daydreaming.base.errors import Fault, InputError
from daydreaming.cohort.build import CohortPlan, plan_cohort
from daydreaming.inputs.catalogs import load_catalogs
from daydreaming.inputs.records import Generation

DRAFTS = "template_id,generator,active\nplain,llm,true\nbold,llm,true\nold,llm,false\n"
EVALUATIONS = "template_id,generator,parser,active\nrubric,llm,in_last_line,true\nstrict,llm,complex,true\n"
MODELS = (
    "id,model,provider,display_name,for_generation,for_evaluation\n"
    "writer,acme/writer,acme,Writer,true,false\n"
    "poet,acme/poet,acme,Poet,true,false\n"
    "judge,acme/judge,acme,Judge,false,true\n"
)


def make_cohort_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three combos, two draft templates, two writers; a copied and a written essay; two rubrics, one judge."""
    make_project(folder, monkeypatch)
    write(RAW / "draft_templates.csv", DRAFTS)
    write(RAW / "evaluation_templates.csv", EVALUATIONS)
    write(RAW / "llm_models.csv", MODELS)
    write(RAW / "generation_templates/draft/bold.txt", "Be bold.")
    write(RAW / "evaluation_templates/strict.txt", "Be strict: {{ response }}")


def plan(**config: object) -> CohortPlan:
    settings = settings_with(**config)
    return plan_cohort(settings, load_catalogs(settings))


def faults_of_plan(**config: object) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        plan(**config)
    return caught.value.faults


def counts(cohort: CohortPlan) -> dict[str, int]:
    return dict(Counter(row.stage for row in cohort.generations))


def metadata_file(row: Generation) -> Path:
    return Path("data/gens") / row.stage / row.gen_id / "metadata.json"


def record(row: Generation, **changes: object) -> None:
    """Write the part of metadata.json that tells what a generation is."""
    keys = ("stage", "gen_id", "cohort_id", "parent_gen_id", "combo_id", "template_id", "llm_model_id", "replicate")
    write(metadata_file(row), json.dumps({**{key: getattr(row, key) for key in keys}, **changes}))
