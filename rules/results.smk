# From evaluations to results: scores, pivot tables, the report.

COHORTS = SETTINGS.paths.cohorts


rule score_table:
    input:
        evaluations=evaluations_to_score,
        membership=COHORTS / "{cohort_id}/membership.csv",
    output:
        scores=COHORTS / "{cohort_id}/reports/parsed_scores.csv",
    log:
        "logs/score_table/{cohort_id}.log",
    run:
        write_score_table(study())


rule pivot_tables:
    input:
        scores=COHORTS / "{cohort_id}/reports/parsed_scores.csv",
    output:
        pivots=expand(COHORTS / "{{cohort_id}}/reports/pivot_{statistic}.csv", statistic=STATISTICS),
    log:
        "logs/pivot_tables/{cohort_id}.log",
    run:
        write_pivot(build_pivot(read_scores(Path(input.scores))), Path(output.pivots[0]).parent)


# The journal is no input: it grows with every run, also with those that change no score.
rule report_page:
    input:
        scores=COHORTS / "{cohort_id}/reports/parsed_scores.csv",
    output:
        page=COHORTS / "{cohort_id}/reports/report.html",
    log:
        "logs/report_page/{cohort_id}.log",
    run:
        write_report(study(), read_scores(Path(input.scores)))


localrules:
    scores,
    report,


rule scores:
    input:
        parsed_texts(*STAGES),
        score_files,


rule report:
    input:
        parsed_texts(*STAGES),
        result_files,
