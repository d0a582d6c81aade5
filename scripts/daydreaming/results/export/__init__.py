"""A cohort as data for other programs: one Parquet file, one SQLite database, data frames for notebooks.

Public: `files.export_cohort`, `cohort_data.Cohort`. The data dictionary is in `columns`, in words in docs/data_out.md.
"""
