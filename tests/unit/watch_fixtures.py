"""A small study with a journal, for tests of what is said about a run."""

from pathlib import Path

import score_fixtures as fixtures

from daydreaming.generation.study import Study, load_study
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.ledger.journal import Budget, Journal

RUN = "run-1"
GENERATIONS = [
    fixtures.draft("d1"),
    fixtures.draft("d2"),
    fixtures.essay("e1", "d1"),
    fixtures.essay("e2", "d2"),
    fixtures.evaluation("v1", "e1"),
    fixtures.evaluation("v2", "e2"),
]
PLANNED = [(one.stage, one.gen_id) for one in GENERATIONS]


def study_in(folder: Path, **config) -> Study:
    """The study of GENERATIONS, in a folder that is the current one."""
    fixtures.write_project(folder, GENERATIONS)
    return load_study(
        settings_from_config({"cohort": fixtures.COHORT, "default_endpoint": "embedded", "k_max": 1, **config})
    )


def journal_of(study: Study, run_id: str = RUN) -> Journal:
    """The journal of the study's cohort, as a run writes it."""
    return Journal(study.cohort_files.journal, Budget(), run_id, lambda _: None)


def call(journal: Journal, reserved_usd: float | None = 0.5, ends: bool = True, **end) -> None:
    """Write a call, with how it ended."""
    who = {"stage": "draft", "gen_id": "d1", "template_id": "thread", "llm_model_id": "writer"}
    name = journal.start_call(reserved_usd, request_sha256="0" * 64, **who)
    if ends:
        journal.end_call(name, **end)


def finish(journal: Journal, stage: str, gen_id: str, result: str, **details) -> None:
    """Write what came of a generation."""
    template = {"draft": "thread", "essay": "copied", "evaluation": "novelty"}[stage]
    model = "judge" if stage == "evaluation" else "writer"
    journal.write(
        "generation", stage=stage, gen_id=gen_id, template_id=template, llm_model_id=model, result=result, **details
    )
