# What all rules share: the configuration, the cohort that it describes, and the functions that rules use as inputs.

import inspect
import shlex
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import CliException, WorkflowError
from snakemake.logging import logger

from daydreaming.base.errors import InputError
from daydreaming.workflow.batch_graph import BatchGraph, uses_batches
from daydreaming.workflow.cohort_graph import PIVOTS, PREFERENCES, STATISTICS, CohortGraph
from daydreaming.workflow.garbage_collection import search_seldom
from daydreaming.workflow.workflow_run import WorkflowRun, load_cohort

search_seldom()

PROJECT = Path(workflow.current_basedir.get_path_or_uri(secret_free=False)).parent
# The executor plugin that profiles/default names: with it, one process makes all generations.
PLUGIN = "daydreaming"
SLICES = False  # slices.smk says yes: jobs of a cluster make the generations, whatever sends them

# Jobs in processes of their own start in the folder of the run, and are not told of --directory.
if workflow.modifier.is_main_snakefile() and workflow.is_main_process and workflow.overwrite_workdir is None:

    # Wherever it is called from, the workflow works on its own folder, unless --directory names another one.
    workdir: str(PROJECT)


configfile: "config.yaml" if Path("config.yaml").exists() else str(PROJECT / "config.yaml")


class InputsError(CliException):
    """Faults in what the user gave. Without a stack trace, Snakemake shows nothing but the message."""

    __traceback__ = None


try:
    RUN = WorkflowRun(load_cohort(config, workflow.config_settings.config))
except InputError as error:
    raise InputsError(str(error)) from None

SETTINGS = RUN.cohort.settings
GENS = SETTINGS.paths.gens


def executor_name():
    """The executor of this run; none while Snakemake only looks at the graph."""
    return workflow.executor_plugin and workflow.executor_plugin.name


def is_real_run():
    """Whether this is the process of a run that makes what is missing."""
    return workflow.is_main_process and executor_name() not in (None, "dryrun", "touch")


def is_one_process():
    """Whether one process makes all generations, and watches that: the plugin starts it, on this machine."""
    return executor_name() == PLUGIN and not SLICES


def wants_whole_graph():
    """Whether Snakemake has to see what is up to date, too: to show it, or because the user forces or cuts jobs."""
    dag = workflow.dag_settings
    cut = dag.forceall or dag.forcetargets or dag.forcerun or dag.until or dag.omit_from or dag.batch
    return bool(SETTINGS.full_dag or cut or executor_name() in (None, "touch"))


def prepared(make_graph, **options):
    """Make the cohort's graph. A run that makes something writes what its jobs need, and keeps what no run made."""
    made = make_graph(RUN.cohort.study, wants_whole_graph(), not workflow.is_main_process, logger.warning, **options)
    if RUN.cohort.notice:
        logger.warning(RUN.cohort.notice)
    if is_real_run():
        RUN.prepare()
        checked(RUN.begin, made.inspection)
        made.bring_times_back()
        if is_one_process() and made.inspection.open and workflow.executor_settings:
            workflow.executor_settings.start_ahead(shlex.split(RUN_STAGE.format()), workflow.resource_settings.cores)
        elif not (is_one_process() or SLICES):
            logger.info("Each generation is a process of its own: slower than with the executor of profiles/default.")
    return made


@cache
def graph():
    """The cohort as Snakemake's graph, looked at when a rule first asks for its inputs."""
    if uses_batches(SETTINGS):
        return prepared(BatchGraph, run_id=RUN.run_id, orders=is_real_run())
    return prepared(CohortGraph)


def checked(look_up, *arguments):
    """Call a function of the library; a fault in the inputs becomes a message of Snakemake's."""
    try:
        return look_up(*arguments)
    except InputError as error:
        raise WorkflowError(str(error)) from None


def program(name, *options):
    """A program of scripts/ and its options, for a shell, wherever the environment and the workflow lie."""
    words = [sys.executable, PROJECT / "scripts" / name, *options]
    return shlex.join(map(str, words)).replace("{", "{{").replace("}", "}}")


# Every process of a run works in its folder, with its whole configuration.
OF_RUN = ("--directory", ".", "--configuration", RUN.configuration)
RUN_STAGE = program("run_stage.py", *OF_RUN)


def configuration_written(wildcards):
    """Returns no file: writes what a job needs that reads nothing else of the cohort."""
    if is_real_run():
        RUN.prepare()
    return []


def with_signature(function):
    """A function whose signature is known: Snakemake asks for it at each call, and finding it takes longer than a call."""
    function.__signature__ = inspect.signature(function)
    return function


@with_signature
def threads_of_a_call(wildcards):
    """None with the plugin, which takes all that is ready and keeps -j calls in flight; else a generation is a process."""
    return 0 if is_one_process() else 1


def asks(question, *about):
    """Returns an input function: what the cohort's graph answers."""
    return with_signature(lambda wildcards: checked(getattr(graph(), question), *about))


def made_from(stage):
    """Returns the input function of a stage. One for all of a generation's inputs: each takes longer than its answer."""

    def answer(wildcards):
        parents, texts = checked(graph().made_from, stage, wildcards.gen_id)
        return [*parents, *map(ancient, texts)]

    return with_signature(answer)


def shown(result, category, **more):
    """A result with its place in `snakemake --report`, and its caption, which has the name of the file."""
    return report(result, category=category, caption=f"../report/{Path(result).stem}.rst", **more)


onstart:
    if not is_one_process():
        checked(RUN.start_watch, logger, graph())


onsuccess:
    RUN.end_watch(logger)


onerror:
    RUN.end_watch(logger, failed=True)
