"""What the generations came to: scores, pivot tables, failures, the report.

Public: `scores.write_score_table`, `score_table.read_scores`, `pivots.build_pivot`, `failures.cohort_failures`.
"""
