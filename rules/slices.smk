# Targets on a cluster: the generations that are open go out in slices of whole chains. Each slice is one job of the cluster,
# in which an ordinary Snakemake keeps many calls in flight. Only profiles/slurm/Snakefile includes this file; what it defines
# anew here is for runs on one machine in common.smk.

import os

from daydreaming.workflow.slice_run import FOLDER_OF_SLICES, TARGETS, SliceRun

# For the commands of the profile, wherever the run was started.
os.environ.update(SliceRun.variables(PROJECT))


wildcard_constraints:
    run=r"[A-Za-z0-9_-]+",
    target="|".join(TARGETS),
    number=r"\d+",
    count_of_slices=r"\d+",


@cache
def slice_run():
    """The slices of this run, planned when a rule first asks for them."""
    if wants_whole_graph() and not SETTINGS.full_dag:
        raise InputsError(SliceRun.REFUSED)
    return SliceRun(graph(), RUN.run_id)


def parsed_texts(*stages):
    """Returns what stands for the texts of the stages' generations: the marker of their slices."""
    return lambda wildcards: slice_run().made_slices(f"{max(stages, key=STAGES.index)}s")


graph_evaluations = evaluations_to_score


def evaluations_to_score(wildcards):
    """Returns what has to be there before the scores are made."""
    return slice_run().slices_of_scores() or graph_evaluations(wildcards)


def planned():
    """The generations of this run: all that its slices make."""
    return slice_run().planned()


def work_of_slice(wildcards):
    """Returns what a slice makes, in words; the job on the cluster has no need to look for it again."""
    return slice_run().work(wildcards.target, wildcards.number) if workflow.is_main_process else ""


# Short file names: Snakemake names its records by them.
rule slice:
    output:
        done=FOLDER_OF_SLICES + "/{run}-{target}-{number}-of-{count_of_slices}.done",
    params:
        work=work_of_slice,
        snakemake=shlex.join([sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT / "Snakefile")]),
        profile=str(PROJECT / "profiles/default"),
        configuration=str(RUN.configuration),
    message:
        "Slice {wildcards.number} of {wildcards.count_of_slices} for {wildcards.target}: {params.work}"
    shell:
        "echo Slice {wildcards.number}/{wildcards.count_of_slices} on $(hostname), {resources.calls} calls in flight"
        " && DAYDREAMING_RUN={wildcards.run} {params.snakemake} --directory . --workflow-profile {params.profile:q}"
        " --configfile {params.configuration:q} --config slice={wildcards.number}/{wildcards.count_of_slices}"
        " --nolock -j{resources.calls} -- {wildcards.target} && touch {output.done:q}"


rule all_slices:
    input:
        slices=lambda wildcards: slice_run().files(wildcards.target),
    output:
        done=FOLDER_OF_SLICES + "/{run}-{target}.done",
    message:
        "All slices for {wildcards.target}"
    shell:
        program("wait_for_texts.py", *OF_RUN) + " --target {wildcards.target} && touch {output.done:q}"


onstart:
    if planned():
        checked(slice_run().check_alone)
    RUN.start_watch(logger, planned())


onsuccess:
    RUN.end_watch(logger, planned())
    slice_run().remove_markers()


onerror:
    RUN.end_watch(logger, planned())
    logger.warning(slice_run().report(PROJECT))
    slice_run().remove_markers()
