# From the catalogs to the cohort: which generations belong to the experiment, and what a run of it would cost.


localrules:
    membership,
    plan,


# No output is declared: Snakemake deletes outputs before it makes them, and a membership is never silently replaced.
rule membership:
    log:
        "logs/membership.log",
    run:
        print(checked(build_cohort, SETTINGS))


# Calls nobody and writes nothing. scripts/plan.py has its options.
rule plan:
    log:
        "logs/plan.log",
    run:
        print(checked(plan_report, study()).text())
