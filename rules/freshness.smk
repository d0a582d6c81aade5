# Which generations Snakemake is asked about: all but those that a check of our own, by content, finds up to date. With
# `full_dag: true`, and wherever the user asks Snakemake for more than a plain run, it is asked about all of them.

import sys
from base64 import urlsafe_b64encode

from snakemake.settings.types import RerunTrigger

from daydreaming.generation.inspection import inspect_cohort

# Options that look at the graph, or change what Snakemake thinks of files: they want to see everything.
WHOLE_GRAPH_OPTIONS = {
    "--archive --cleanup-metadata --containerize --d3dag --dag --delete-all-output --delete-temp-output --detailed-summary",
    "--export-cwl --filegraph --generate-unit-tests --lint --list-changes --list-input-changes --list-params-changes",
    "--list-code-changes --report --rulegraph --summary --touch --unlock -D -S -t",
}


def whole_graph_is_wanted():
    """Whether Snakemake must see every generation in this run."""
    dag = workflow.dag_settings
    forced = dag.forceall or dag.forcetargets or dag.forcerun or dag.until or dag.omit_from or dag.batch
    # With these triggers, the set of a rule's inputs and the text of its code decide: then nothing may be left out.
    triggers = {RerunTrigger.INPUT, RerunTrigger.CODE} & set(dag.rerun_triggers)
    options = {option for line in WHOLE_GRAPH_OPTIONS for option in line.split()} & set(sys.argv)
    return bool(SETTINGS.full_dag or forced or triggers or options or was_interrupted())


def was_interrupted():
    """Whether a run was killed while it made a generation: Snakemake has a record of each, named by the file in base64.

    The records of killed runs on a cluster (rules/slices.smk) say nothing of generations, and stay for ever.
    """
    slices = urlsafe_b64encode(b".snakemake/slices/").decode()
    return any(not record.name.startswith(slices) for record in Path(".snakemake/incomplete").glob("*"))


@cache
def inspection():
    """What a look at the cohort's texts found when the run began."""
    return inspect_cohort(study())


def is_open(key):
    """Whether Snakemake has to look at a generation."""
    return whole_graph_is_wanted() or key in inspection().open

