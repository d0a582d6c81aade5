# Targets on a cluster: slices of whole chains, each one job of the cluster, for all targets that the run needs, in which an
# ordinary Snakemake keeps many calls in flight. Only profiles/slurm/Snakefile includes this file, after common.smk.

from daydreaming.workflow.slice_run import FOLDER_OF_SLICES, SliceGraph, slice_command

SLICES = True
SliceGraph.set_variables(PROJECT)


wildcard_constraints:
    run=r"[A-Za-z0-9_-]+",
    target="|".join(stage.target for stage in SETTINGS.stage_table),
    number=r"\d+",
    count_of_slices=r"\d+",


@cache
def graph():
    """The graph of a run on a cluster, in place of the one for runs on one machine."""
    if workflow.is_main_process and wants_whole_graph() and not SETTINGS.full_dag:
        raise WorkflowError(SliceGraph.FORCED)
    return prepared(SliceGraph, run_id=RUN.run_id, names=sorted(workflow.dag_settings.targets))


# Short file names: Snakemake names its records by them.
rule slice:
    output:
        done=FOLDER_OF_SLICES + "/{run}-{number}-of-{count_of_slices}.done",
    params:
        work=lambda wildcards: graph().work(wildcards.number),
        targets=lambda wildcards: ", ".join(graph().targets),
        # In the project folder the plugin of profiles/default runs this, which starts programs and no jobs.
        command=lambda wildcards, resources, output: slice_command(
            PROJECT, RUN.configuration, wildcards, resources, output.done, sends=executor_name() == PLUGIN
        ),
    message:
        "Slice {wildcards.number} of {wildcards.count_of_slices} for {params.targets}: {params.work}"
    shell:
        "{params.command}"


rule all_slices:
    input:
        slices=lambda wildcards: graph().files(wildcards.target),
    output:
        done=FOLDER_OF_SLICES + "/{run}-{target}.done",
    shell:
        program("wait_for_texts.py", *OF_RUN) + " --target {wildcards.target} && touch {output.done:q}"
