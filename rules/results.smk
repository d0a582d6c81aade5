# From evaluations to results: scores, pivot tables, statistics, the report, the pages to read in.

COHORT_FOLDER = SETTINGS.paths.cohorts / "{cohort_id}"
REPORTS = COHORT_FOLDER / "reports"


rule score_table:
    localrule: True
    input:
        evaluations=asks("evaluations_to_score"),
        membership=COHORT_FOLDER / "membership.csv",
        renewed=asks("renewed_results", "scores"),
    output:
        scores=shown(REPORTS / "parsed_scores.csv", "Scores"),
    log:
        "logs/score_table/{cohort_id}.log",
    shell:
        program("aggregate_scores.py", *OF_RUN) + f" --max-failed-fraction {SETTINGS.max_failed_fraction}"
        " --output {output.scores:q} > {log:q} 2>&1"


rule pivot_tables:
    localrule: True
    input:
        scores=REPORTS / "parsed_scores.csv",
        renewed=asks("renewed_results", "pivots"),
    output:
        pivots=[REPORTS / f"{table}.csv" for table in PIVOTS],
    log:
        "logs/pivot_tables/{cohort_id}.log",
    shell:
        program("build_pivot_tables.py") + " --parsed-scores {input.scores:q} > {log:q} 2>&1"


rule statistics:
    localrule: True
    input:
        scores=REPORTS / "parsed_scores.csv",
        renewed=asks("renewed_results", "statistics"),
    output:
        tables=[shown(REPORTS / f"{table}.csv", "Tables") for table in STATISTICS],
    log:
        "logs/statistics/{cohort_id}.log",
    shell:
        program("write_statistics.py", *OF_RUN) + " > {log:q} 2>&1"


# Only of cohorts that compare texts: what judges who saw two of them said.
rule preference_tables:
    localrule: True
    input:
        comparisons=asks("comparisons_to_gather"),
        scores=REPORTS / "parsed_scores.csv",
        membership=COHORT_FOLDER / "membership.csv",
        renewed=asks("renewed_results", "preferences"),
    output:
        verdicts=shown(REPORTS / "parsed_preferences.csv", "Preferences"),
        tables=[shown(REPORTS / f"{table}.csv", "Preferences") for table in PREFERENCES],
    log:
        "logs/preference_tables/{cohort_id}.log",
    shell:
        program("aggregate_preferences.py", *OF_RUN) + f" --max-failed-fraction {SETTINGS.max_failed_fraction}"
        " > {log:q} 2>&1"


# The journal is no input: it grows with every run, also with those that change no score.
rule report_page:
    localrule: True
    input:
        scores=REPORTS / "parsed_scores.csv",
        preferences=asks("preference_table"),
        renewed=asks("renewed_results", "report"),
    output:
        page=shown(REPORTS / "report.html", "Report"),
        plots=shown(directory(REPORTS / "plots"), "Plots", patterns=["{section}/{plot}.svg"], subcategory="{section}"),
    log:
        "logs/report_page/{cohort_id}.log",
    shell:
        program("write_report.py", *OF_RUN) + " > {log:q} 2>&1"


# For other programs: made when it is asked for, and no part of `all`.
rule export_files:
    localrule: True
    input:
        scores=REPORTS / "parsed_scores.csv",
        renewed=asks("renewed_results", "export"),
    output:
        multiext(f"{COHORT_FOLDER}/export/{{cohort_id}}", ".parquet", ".sqlite", ".datasette.json"),
    log:
        "logs/export_files/{cohort_id}.log",
    shell:
        program("export_cohort.py", *OF_RUN) + " > {log:q} 2>&1"


# The study in one file, for others to check: made when it is asked for.
rule bundle_file:
    localrule: True
    input:
        results=asks("result_files"),
        renewed=asks("renewed_results", "bundle"),
    output:
        bundle=COHORT_FOLDER / "export/{cohort_id}.zip",
    log:
        "logs/bundle_file/{cohort_id}.log",
    shell:
        program("bundle.py", *OF_RUN) + " > {log:q} 2>&1"


# The folder holds a page for each essay; its list stands for all of them. What has not changed is not made again.
rule reading_pages:
    localrule: True
    input:
        scores=REPORTS / "parsed_scores.csv",
        preferences=asks("preference_table"),
        renewed=asks("renewed_results", "pages"),
    output:
        index=REPORTS / "read/index.html",
    log:
        "logs/reading_pages/{cohort_id}.log",
    shell:
        program("write_pages.py", *OF_RUN) + " > {log:q} 2>&1"


# Targets with names of their own.
for target, files in dict(scores="score", report="result", export="exported", bundle="bundled").items():

    rule:
        name:
            target
        input:
            asks(f"{files}_files"),
