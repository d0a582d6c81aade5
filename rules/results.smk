# From evaluations to results: scores, pivot tables, statistics, the report, the pages to read in.

COHORTS = SETTINGS.paths.cohorts


rule score_table:
    input:
        evaluations=evaluations_to_score,
        membership=COHORTS / "{cohort_id}/membership.csv",
    output:
        scores=COHORTS / "{cohort_id}/reports/parsed_scores.csv",
    log:
        "logs/score_table/{cohort_id}.log",
    shell:
        program("aggregate_scores.py", *OF_RUN) + f" --max-failed-fraction {SETTINGS.max_failed_fraction}"
        " --output {output.scores:q} > {log:q} 2>&1"


rule pivot_tables:
    input:
        scores=COHORTS / "{cohort_id}/reports/parsed_scores.csv",
    output:
        pivots=expand(COHORTS / "{{cohort_id}}/reports/pivot_{statistic}.csv", statistic=STATISTICS),
    log:
        "logs/pivot_tables/{cohort_id}.log",
    shell:
        program("build_pivot_tables.py") + " --parsed-scores {input.scores:q} > {log:q} 2>&1"


rule statistics:
    input:
        scores=COHORTS / "{cohort_id}/reports/parsed_scores.csv",
    output:
        tables=expand(COHORTS / "{{cohort_id}}/reports/{table}.csv", table=TABLES),
    log:
        "logs/statistics/{cohort_id}.log",
    shell:
        program("write_statistics.py", *OF_RUN) + " > {log:q} 2>&1"


# The journal is no input: it grows with every run, also with those that change no score.
rule report_page:
    input:
        scores=COHORTS / "{cohort_id}/reports/parsed_scores.csv",
    output:
        page=COHORTS / "{cohort_id}/reports/report.html",
    log:
        "logs/report_page/{cohort_id}.log",
    shell:
        program("write_report.py", *OF_RUN) + " > {log:q} 2>&1"


# For other programs: made when it is asked for, and no part of `all`.
rule export_files:
    input:
        scores=COHORTS / "{cohort_id}/reports/parsed_scores.csv",
    output:
        parquet=COHORTS / "{cohort_id}/export/{cohort_id}.parquet",
        sqlite=COHORTS / "{cohort_id}/export/{cohort_id}.sqlite",
        datasette=COHORTS / "{cohort_id}/export/{cohort_id}.datasette.json",
    log:
        "logs/export_files/{cohort_id}.log",
    shell:
        program("export_cohort.py", *OF_RUN) + " > {log:q} 2>&1"


# The folder holds a page for each essay; its list stands for all of them. What has not changed is not made again.
rule reading_pages:
    input:
        scores=COHORTS / "{cohort_id}/reports/parsed_scores.csv",
    output:
        index=COHORTS / "{cohort_id}/reports/read/index.html",
    log:
        "logs/reading_pages/{cohort_id}.log",
    shell:
        program("write_pages.py", *OF_RUN) + " > {log:q} 2>&1"


localrules:
    score_table,
    pivot_tables,
    statistics,
    report_page,
    export_files,
    reading_pages,
    scores,
    report,
    export,


rule scores:
    input:
        parsed_texts(*STAGES),
        score_files,


rule report:
    input:
        parsed_texts(*STAGES),
        result_files,


rule export:
    input:
        parsed_texts(*STAGES),
        exported_files,
