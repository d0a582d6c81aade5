"""Bringing in a data folder of the project that this one continues: what comes, what is missing, and the copying.

Public: `study_import.plan_import`, `writing.write_import`, `import_text.import_text`.
"""
