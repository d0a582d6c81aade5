# What all rules share: the configuration, the study that it describes, and the look-ups that rules use as inputs.

import logging
import os
import traceback
import uuid
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import LogEvent, logger

from daydreaming.cohort.writer import build_cohort
from daydreaming.base.errors import GenerationError, InputError, RunStoppedError
from daydreaming.base.paths import STAGES
from daydreaming.results.pivots import STATISTICS, build_pivot, write_pivot
from daydreaming.plan.report import plan_report
from daydreaming.results.report.page import write_report
from daydreaming.generation.runner import Runner
from daydreaming.generation.runner_process import RunnerProcess
from daydreaming.results.score_table import read_scores
from daydreaming.results.scores import write_score_table
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.generation.study import load_study

PROJECT = Path(workflow.current_basedir.get_path_or_uri(secret_free=False)).parent

# Jobs in processes of their own start in the folder of the run, and are not told of --directory.
if workflow.modifier.is_main_snakefile() and workflow.is_main_process and workflow.overwrite_workdir is None:

    # Wherever it is called from, the workflow works on its own folder, unless --directory names another one.
    workdir: str(PROJECT)


configfile: "config.yaml" if Path("config.yaml").exists() else str(PROJECT / "config.yaml")


def checked(load, *arguments):
    """Call a function of the library; a fault in the inputs becomes a message of Snakemake's, without a stack trace."""
    try:
        return load(*arguments)
    except InputError as error:
        raise WorkflowError(str(error)) from None


if "extra_body" in str(dict(workflow.config_settings.config)):
    raise WorkflowError(
        "--config: Snakemake turns the numbers inside an extra_body into texts, which would be other requests. "
        "Write it into a file and give that: --configfile FILE."
    )

SETTINGS = checked(settings_from_config, config)
GENS = SETTINGS.paths.gens


@cache
def study():
    """Catalogs, combos and membership of the configured cohort, read when a rule first asks for them."""
    return checked(load_study, SETTINGS)


def specification_of(stage):
    """Returns what a generation of a stage is made from and by, as the `params` of its rule."""
    return lambda wildcards: checked(study().specification, stage, wildcards.gen_id).fingerprint()


def template_of(stage):
    """Returns the template file of a generation; none where the catalog has the text itself."""

    def template(wildcards):
        return checked(study().specification, stage, wildcards.gen_id).template.path or []

    return template


def parent_of(stage):
    """Returns the parsed text that a generation is made from."""
    return lambda wildcards: checked(study().parent_parsed, stage, wildcards.gen_id)


def concept_texts(wildcards):
    """Returns the descriptions of a draft's concepts."""
    return [str(text.path) for text in checked(study().specification, "draft", wildcards.gen_id).concepts]


def parsed_texts(*stages):
    """Returns the texts of the stages' generations that Snakemake has to look at, and the table that names them all.

    The table stands there so that there is an input where every generation is up to date: Snakemake always runs a
    target that has none.
    """

    def texts(wildcards):
        keys = [key for key in study().membership.generations if key[0] in stages and is_open(key)]
        if keys:
            start_runner_early()
        return [str(study().cohort_files.membership), *(study().paths.parsed_text(*key) for key in keys)]

    return texts


def evaluations_to_score(wildcards):
    """Returns the evaluations that Snakemake has to look at before the scores are made."""
    scores = study().cohort_files.scores
    made_at = scores.stat().st_mtime_ns if scores.exists() else 0
    changed = [
        key
        for key in study().membership.generations
        if key[0] == "evaluation" and (is_open(key) or inspection().changed_at_ns(key) > made_at > 0)
    ]
    return [study().paths.parsed_text(*key) for key in changed]


def score_files(wildcards):
    """Returns the tables of scores of the cohort."""
    if SETTINGS.slice is not None:
        raise WorkflowError("Scores are of the whole cohort: with `slice`, ask for drafts, essays or evaluations.")
    reports = study().cohort_files.reports
    return [str(reports / name) for name in ("parsed_scores.csv", *(f"pivot_{name}.csv" for name in STATISTICS))]


def result_files(wildcards):
    """Returns the tables of scores of the cohort, and the report that names them."""
    return [*score_files(wildcards), str(study().cohort_files.report)]
