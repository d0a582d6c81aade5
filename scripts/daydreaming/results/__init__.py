"""What the generations came to: scores, pivot tables, failures, the report.

Public: `scores.collect_scores`, `score_table.read_scores`, `pivots.build_pivot`, `failures.cohort_failures`.
"""
