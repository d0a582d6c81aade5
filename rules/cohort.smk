# From the catalogs to the cohort: which generations belong to the experiment, and what a run of it would cost.


# No output is declared: Snakemake deletes outputs before it makes them, and a membership is never silently replaced.
rule membership:
    localrule: True
    input:
        configuration_written,
    shell:
        program("build_membership.py", *OF_RUN)


# Calls nobody and writes nothing. scripts/plan.py has its options.
rule plan:
    localrule: True
    input:
        configuration_written,
    shell:
        program("plan.py", *OF_RUN)


# How sure its comparisons would be, from assumed deviations: before anything is paid. scripts/design.py has its options.
rule design:
    localrule: True
    input:
        configuration_written,
    shell:
        program("design.py", *OF_RUN, "--configured")


# The best essays of the cohort for another one, into data/2_tasks/selected_essays.txt. scripts/select_essays.py has its options.
rule select:
    localrule: True
    input:
        configuration_written,
    shell:
        program("select_essays.py", *OF_RUN)


# Ends what waits at providers; what they have answered is collected and kept.
rule cancel_batches:
    name:
        "cancel-batches"
    localrule: True
    input:
        configuration_written,
    shell:
        program("cancel_batches.py", *OF_RUN)
