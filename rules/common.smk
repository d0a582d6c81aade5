# What all rules share: the configuration, the cohort that it describes, and the functions that rules use as inputs.

import shlex
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import CliException, WorkflowError
from snakemake.logging import logger

from daydreaming.base.errors import InputError
from daydreaming.base.paths import STAGES
from daydreaming.workflow.cohort_graph import CohortGraph
from daydreaming.workflow.workflow_run import WorkflowRun, load_cohort
from daydreaming.results.pivots import STATISTICS
from daydreaming.results.statistics.table_names import TABLES

PROJECT = Path(workflow.current_basedir.get_path_or_uri(secret_free=False)).parent
# The executor plugin that profiles/default names: with it, one process makes all generations.
PLUGIN = "daydreaming"

# Jobs in processes of their own start in the folder of the run, and are not told of --directory.
if workflow.modifier.is_main_snakefile() and workflow.is_main_process and workflow.overwrite_workdir is None:

    # Wherever it is called from, the workflow works on its own folder, unless --directory names another one.
    workdir: str(PROJECT)


configfile: "config.yaml" if Path("config.yaml").exists() else str(PROJECT / "config.yaml")


class InputsError(CliException):
    """Faults in what the user gave. Without a stack trace, Snakemake shows nothing but the message."""

    __traceback__ = None


if "extra_body" in str(dict(workflow.config_settings.config)):
    raise InputsError(
        "--config: Snakemake turns the numbers inside an extra_body into texts, which would be other requests. "
        "Write it into a file and give that: --configfile FILE."
    )
try:
    COHORT = load_cohort(config)
except InputError as error:
    raise InputsError(str(error)) from None

SETTINGS = COHORT.settings
GENS = SETTINGS.paths.gens


def executor_name():
    """The executor of this run; none while Snakemake only looks at the graph."""
    return workflow.executor_plugin.name if workflow.executor_plugin else None


def is_real_run():
    """Whether this is the process of a run that makes what is missing."""
    return workflow.is_main_process and executor_name() not in (None, "dryrun", "touch")


def wants_whole_graph():
    """Whether Snakemake has to see what is up to date, too: to show it, or because the user forces or cuts jobs."""
    dag = workflow.dag_settings
    cut = dag.forceall or dag.forcetargets or dag.forcerun or dag.until or dag.omit_from or dag.batch
    return bool(SETTINGS.full_dag or cut or executor_name() in (None, "touch"))


RUN = WorkflowRun(COHORT)


def prepared(make_graph, **options):
    """Make the cohort's graph. A run that makes something writes what its jobs need, and keeps what no run made."""
    made = make_graph(COHORT.study, wants_whole_graph(), not workflow.is_main_process, **options)
    if COHORT.notice:
        logger.warning(COHORT.notice)
    if is_real_run():
        RUN.prepare()
        checked(RUN.begin, made.inspection)
        if executor_name() != PLUGIN:
            logger.info("Each generation is a process of its own: slower than with the executor of profiles/default.")
    return made


@cache
def graph():
    """The cohort as Snakemake's graph, looked at when a rule first asks for its inputs."""
    return prepared(CohortGraph)


def checked(look_up, *arguments):
    """Call a function of the library; a fault in the inputs becomes a message of Snakemake's."""
    try:
        return look_up(*arguments)
    except InputError as error:
        raise WorkflowError(str(error)) from None


def program(name, *options):
    """A program of scripts/, for a shell, wherever the environment and the workflow lie."""
    words = [sys.executable, PROJECT / "scripts" / name, *options]
    return " ".join(shlex.quote(str(word)) for word in words).replace("{", "{{").replace("}", "}}")


# Every process of a run works in its folder, with its whole configuration.
OF_RUN = ("--directory", ".", "--configuration", RUN.configuration)
RUN_STAGE = program("run_stage.py", *OF_RUN)


def configuration_written(wildcards):
    """Returns no file: writes what a job needs that reads nothing else of the cohort."""
    if is_real_run():
        RUN.prepare()
    return []


def generation_row(stage):
    """Returns what a generation is made from and by, in words."""
    return lambda wildcards: checked(graph().row, stage, wildcards.gen_id)


def texts_behind(stage):
    """Returns the files of a generation's template and concepts; a newer time alone makes nothing again."""

    def texts(wildcards):
        files = checked(graph().texts_behind, stage, wildcards.gen_id)
        return [ancient(file) for file in files]

    return texts


def parent_parsed(stage):
    """Returns the text that a generation is made from, where that is made or looked at in this run."""
    return lambda wildcards: checked(graph().parent, stage, wildcards.gen_id)


def renewed(stage):
    """Returns a file that makes Snakemake make a generation again, if its text is not what is asked now."""
    return lambda wildcards: checked(graph().renewed, stage, wildcards.gen_id)


def generation_threads(wildcards):
    """None with the plugin, which takes all that is ready and keeps -j calls in flight; else a job is a process."""
    return 0 if executor_name() == PLUGIN else 1


def parsed_texts(*stages):
    """Returns the texts of the stages' generations that a run has to look at, and the table that names them all."""
    return lambda wildcards: graph().texts(*stages)


def evaluations_to_score(wildcards):
    """Returns the evaluations that have to be there before the scores are made."""
    return graph().evaluations_to_score()


def score_files(wildcards):
    """Returns the tables of scores of the cohort."""
    return checked(graph().score_files)


def result_files(wildcards):
    """Returns the tables of scores and statistics of the cohort, its report, and the list of the pages to read in."""
    return checked(graph().result_files)


def exported_files(wildcards):
    """Returns the files that hold the cohort for other programs."""
    return checked(graph().exported_files)


def watched():
    """The generations of this run, where nobody else watches it."""
    return [] if executor_name() == PLUGIN else graph().planned


onstart:
    RUN.start_watch(logger, watched())


onsuccess:
    RUN.end_watch(logger, watched())


onerror:
    RUN.end_watch(logger, watched())
