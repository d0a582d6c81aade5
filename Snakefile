# DayDreaming: concepts -> drafts -> essays -> evaluations -> scores. Start with README.md; settings are in config.yaml.

from snakemake.utils import min_version

min_version("9.27")


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/cohort.smk"
include: "rules/generation.smk"
include: "rules/results.smk"


rule all:
    default_target: True
    input:
        asks("all_files"),
