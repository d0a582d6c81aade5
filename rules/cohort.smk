# From the catalogs to the cohort: which generations belong to the experiment.


localrules:
    membership,


# No output is declared: Snakemake deletes outputs before it makes them, and a membership is never silently replaced.
rule membership:
    log:
        "logs/membership.log",
    run:
        print(checked(build_cohort, SETTINGS))
