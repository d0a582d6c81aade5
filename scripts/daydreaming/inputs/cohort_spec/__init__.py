"""The spec of a cohort: which choices it is made of, and which of them go together.

Public: `reading.read_cohort_spec`, `records.CohortSpec`, `models.spec_schema`, `axes.AXES`.
"""
