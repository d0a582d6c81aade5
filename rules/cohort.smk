# Commands for the cohort before, between and around its runs. Each has a program of its own in scripts/, with more options.

# No output is declared: Snakemake deletes outputs before it makes them, and a membership is never silently replaced.
COMMANDS = {
    # From the catalogs to the cohort: which generations belong to the experiment.
    "membership": ["build_membership.py", *OF_RUN],
    # What a run would do and cost. Calls nobody and writes nothing.
    "plan": ["plan.py", *OF_RUN],
    # How sure its comparisons would be, from assumed deviations: before anything is paid.
    "design": ["design.py", *OF_RUN, "--configured"],
    # The best essays of the cohort for another one, into data/2_tasks/selected_essays.txt.
    "select": ["select_essays.py", *OF_RUN],
    # Ends what waits at providers; what they have answered is collected and kept.
    "cancel-batches": ["cancel_batches.py", *OF_RUN],
}

for command, words in COMMANDS.items():

    rule:
        name:
            command
        localrule: True
        input:
            configuration_written,
        shell:
            program(*words)
